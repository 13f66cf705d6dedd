// mean_absolute_error: the mean of |p - t| over each sample.
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class MeanAbsoluteError final : public PerSample<T> {
 public:
  explicit MeanAbsoluteError(const OpSetup& s) : PerSample<T>(s, Rows::samples, false, 3.0) {
    this->traits.backward_reads_inputs = 3;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index at = row * this->cols();
      c.kernels->mean_absolute_error(rows, this->cols(), c.x[0] + at, c.x[1] + at, v);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_gradient(c, who, [&](Index row, Index rows, const T* dv) {
      const Index at = row * this->cols();
      c.kernels->mean_absolute_error_backward(rows, this->cols(), c.x[0] + at, c.x[1] + at, dv, c.dx[0] + at);
    });
  }
};

}  // namespace

FASTGD_DEFINE_OP(mean_absolute_error, MeanAbsoluteError);

}  // namespace fastgd
