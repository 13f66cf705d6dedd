// categorical_crossentropy: probabilities against target distributions, clipped to [epsilon, 1 - epsilon].
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class CategoricalCrossentropy final : public PerSample<T> {
 public:
  explicit CategoricalCrossentropy(const OpSetup& s)
      : PerSample<T>(s, Rows::vectors, false, 30.0),
        smoothing_(static_cast<T>(s.attrs.real("label_smoothing", 0.0))),
        epsilon_(static_cast<T>(s.attrs.real("epsilon", 1e-7))) {
    this->traits.backward_reads_inputs = 3;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index at = row * this->cols();
      c.kernels->categorical_crossentropy(rows, this->cols(), smoothing_, epsilon_, c.x[0] + at, c.x[1] + at, v);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_gradient(c, who, [&](Index row, Index rows, const T* dv) {
      const Index at = row * this->cols();
      c.kernels->categorical_crossentropy_backward(rows, this->cols(), smoothing_, epsilon_, c.x[0] + at, c.x[1] + at,
                                                   dv, c.dx[0] + at);
    });
  }

 private:
  T smoothing_, epsilon_;
};

}  // namespace

FASTGD_DEFINE_OP(categorical_crossentropy, CategoricalCrossentropy);

}  // namespace fastgd
