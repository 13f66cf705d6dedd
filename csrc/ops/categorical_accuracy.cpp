// categorical_accuracy: whether the largest prediction is where the largest target is.
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class CategoricalAccuracy final : public PerSample<T> {
 public:
  explicit CategoricalAccuracy(const OpSetup& s) : PerSample<T>(s, Rows::vectors, false, 2.0) {
    this->traits.differentiable = false;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index at = row * this->cols();
      c.kernels->categorical_accuracy(rows, this->cols(), c.x[0] + at, c.x[1] + at, v);
    });
  }
};

}  // namespace

FASTGD_DEFINE_OP(categorical_accuracy, CategoricalAccuracy);

}  // namespace fastgd
