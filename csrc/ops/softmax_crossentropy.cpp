// softmax_crossentropy: logits against target distributions; the second output is softmax(z).
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class SoftmaxCrossentropy final : public PerSample<T> {
 public:
  explicit SoftmaxCrossentropy(const OpSetup& s)
      : PerSample<T>(s, Rows::vectors, true, 30.0), smoothing_(static_cast<T>(s.attrs.real("label_smoothing", 0.0))) {
    this->traits.backward_reads_inputs = 2;
    this->traits.backward_reads_outputs = 2;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index at = row * this->cols();
      c.kernels->softmax_crossentropy(rows, this->cols(), smoothing_, c.x[0] + at, c.x[1] + at, v, c.y[1] + at);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_gradient(c, who, [&](Index row, Index rows, const T* dv) {
      const Index at = row * this->cols();
      c.kernels->softmax_crossentropy_backward(rows, this->cols(), smoothing_, c.y[1] + at, c.x[1] + at, dv,
                                               c.dx[0] + at);
    });
  }

 private:
  T smoothing_;
};

}  // namespace

FASTGD_DEFINE_OP(softmax_crossentropy, SoftmaxCrossentropy);

}  // namespace fastgd
