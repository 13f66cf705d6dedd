// sparse_softmax_crossentropy: logits against class labels; the second output is softmax(z).
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class SparseSoftmaxCrossentropy final : public PerSample<T> {
 public:
  explicit SparseSoftmaxCrossentropy(const OpSetup& s)
      : PerSample<T>(s, Rows::labelled, true, 30.0), ignored_(s.attrs.integer("ignore_class", kNoLabel)) {
    this->traits.backward_reads_inputs = 2;
    this->traits.backward_reads_outputs = 2;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index at = row * this->cols();
      c.kernels->sparse_softmax_crossentropy(rows, this->cols(), ignored_, c.x[0] + at, c.ints(1) + row, v,
                                             c.y[1] + at);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_gradient(c, who, [&](Index row, Index rows, const T* dv) {
      const Index at = row * this->cols();
      c.kernels->sparse_softmax_crossentropy_backward(rows, this->cols(), ignored_, c.y[1] + at, c.ints(1) + row, dv,
                                                      c.dx[0] + at);
    });
  }

 private:
  Index ignored_;
};

}  // namespace

FASTGD_DEFINE_OP(sparse_softmax_crossentropy, SparseSoftmaxCrossentropy);

}  // namespace fastgd
