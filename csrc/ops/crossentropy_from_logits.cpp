// sigmoid_crossentropy and softmax_crossentropy: logits against targets; the second output is the probabilities.
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T, Rows kRows, auto kValue, auto kGradient>
class FromLogits final : public PerSample<T> {
 public:
  explicit FromLogits(const OpSetup& s)
      : PerSample<T>(s, kRows, true, 30.0), smoothing_(static_cast<T>(s.attrs.real("label_smoothing", 0.0))) {
    this->traits.backward_reads_inputs = 2;
    this->traits.backward_reads_outputs = 2;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index at = row * this->cols();
      (c.kernels->*kValue)(rows, this->cols(), smoothing_, c.x[0] + at, c.x[1] + at, v, c.y[1] + at);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_gradient(c, who, [&](Index row, Index rows, const T* dv) {
      const Index at = row * this->cols();
      (c.kernels->*kGradient)(rows, this->cols(), smoothing_, c.y[1] + at, c.x[1] + at, dv, c.dx[0] + at);
    });
  }

  std::optional<NumberLoss<T>> number_loss() const noexcept override {
    if (kRows != Rows::samples || !this->of_one_number()) return std::nullopt;
    return NumberLoss<T>{.of_sigmoid = true, .with = {.label_smoothing = smoothing_}};
  }

 private:
  T smoothing_;
};

template <class T>
using SigmoidCrossentropy =
    FromLogits<T, Rows::samples, &Kernels<T>::sigmoid_crossentropy, &Kernels<T>::sigmoid_crossentropy_backward>;
template <class T>
using SoftmaxCrossentropy =
    FromLogits<T, Rows::vectors, &Kernels<T>::softmax_crossentropy, &Kernels<T>::softmax_crossentropy_backward>;

}  // namespace

FASTGD_DEFINE_OP(sigmoid_crossentropy, SigmoidCrossentropy);
FASTGD_DEFINE_OP(softmax_crossentropy, SoftmaxCrossentropy);

}  // namespace fastgd
