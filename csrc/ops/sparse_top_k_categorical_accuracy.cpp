// sparse_top_k_categorical_accuracy: whether the label is among the k largest predictions.
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class SparseTopKCategoricalAccuracy final : public PerSample<T> {
 public:
  explicit SparseTopKCategoricalAccuracy(const OpSetup& s)
      : PerSample<T>(s, Rows::labelled, false, 2.0), k_(s.attrs.integer("k")) {
    this->traits.differentiable = false;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      c.kernels->sparse_top_k_categorical_accuracy(rows, this->cols(), k_, c.x[0] + row * this->cols(), c.ints(1) + row,
                                                   v);
    });
  }

 private:
  Index k_;
};

}  // namespace

FASTGD_DEFINE_OP(sparse_top_k_categorical_accuracy, SparseTopKCategoricalAccuracy);

}  // namespace fastgd
