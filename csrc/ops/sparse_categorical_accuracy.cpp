// sparse_categorical_accuracy: whether the largest prediction is at the label.
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class SparseCategoricalAccuracy final : public PerSample<T> {
 public:
  explicit SparseCategoricalAccuracy(const OpSetup& s) : PerSample<T>(s, Rows::labelled, false, 2.0) {
    this->traits.differentiable = false;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index at = row * this->cols();
      c.kernels->sparse_categorical_accuracy(rows, this->cols(), c.x[0] + at, c.ints(1) + row, v);
    });
  }
};

}  // namespace

FASTGD_DEFINE_OP(sparse_categorical_accuracy, SparseCategoricalAccuracy);

}  // namespace fastgd
