// top_k_categorical_accuracy: whether the class of the largest target is among the k largest predictions.
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class TopKCategoricalAccuracy final : public PerSample<T> {
 public:
  explicit TopKCategoricalAccuracy(const OpSetup& s)
      : PerSample<T>(s, Rows::vectors, false, 3.0), k_(s.attrs.integer("k")) {
    this->traits.differentiable = false;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index at = row * this->cols();
      c.kernels->top_k_categorical_accuracy(rows, this->cols(), k_, c.x[0] + at, c.x[1] + at, v);
    });
  }

 private:
  Index k_;
};

}  // namespace

FASTGD_DEFINE_OP(top_k_categorical_accuracy, TopKCategoricalAccuracy);

}  // namespace fastgd
