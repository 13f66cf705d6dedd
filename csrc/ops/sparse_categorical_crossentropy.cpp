// sparse_categorical_crossentropy: probabilities against class labels, clipped to [epsilon, 1 - epsilon].
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class SparseCategoricalCrossentropy final : public PerSample<T> {
 public:
  explicit SparseCategoricalCrossentropy(const OpSetup& s)
      : PerSample<T>(s, Rows::labelled, false, 5.0),
        ignored_(s.attrs.integer("ignore_class", kNoLabel)),
        epsilon_(static_cast<T>(s.attrs.real("epsilon", 1e-7))) {
    this->traits.backward_reads_inputs = 3;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      c.kernels->sparse_categorical_crossentropy(rows, this->cols(), ignored_, epsilon_, c.x[0] + row * this->cols(),
                                                 c.ints(1) + row, v);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_gradient(c, who, [&](Index row, Index rows, const T* dv) {
      const Index at = row * this->cols();
      c.kernels->sparse_categorical_crossentropy_backward(rows, this->cols(), ignored_, epsilon_, c.x[0] + at,
                                                          c.ints(1) + row, dv, c.dx[0] + at);
    });
  }

 private:
  Index ignored_;
  T epsilon_;
};

}  // namespace

FASTGD_DEFINE_OP(sparse_categorical_crossentropy, SparseCategoricalCrossentropy);

}  // namespace fastgd
