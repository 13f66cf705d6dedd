// The losses that compare a prediction with a target of its shape: one op for each row of base/losses.h.
#include "base/losses.h"

#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

// The attributes that a loss may take, as bits.
constexpr unsigned kEpsilon = 1, kLabelSmoothing = 2, kDelta = 4, kFocus = 8, kBalance = 16, kSign = 32;

template <class T>
LossNumbers<T> read_numbers(const Attrs& attrs, unsigned taken) {
  LossNumbers<T> with;
  const auto real = [&](const char* name, double missing) { return static_cast<T>(attrs.real(name, missing)); };
  if (taken & kEpsilon) with.epsilon = real("epsilon", 1e-7);
  if (taken & kLabelSmoothing) with.label_smoothing = real("label_smoothing", 0.0);
  if (taken & kDelta) with.delta = real("delta", 1.0);
  if (taken & kSign) with.sign = real("sign", 1.0);
  if (taken & kFocus) {
    with.alpha = real("alpha", 0.25);
    with.gamma = real("gamma", 2.0);
  }
  if (taken & kBalance) with.balanced = attrs.flag("apply_class_balancing", false);
  return with;
}

template <class T>
class Loss final : public PerSample<T> {
 public:
  using Value = decltype(Kernels<T>::pointwise_loss) Kernels<T>::*;
  using Gradient = decltype(Kernels<T>::pointwise_loss_backward) Kernels<T>::*;

  Loss(const OpSetup& s, LossFunction f, Rows rows, Value value, Gradient gradient, double work, unsigned taken)
      : PerSample<T>(s, rows, false, work),
        function_(f),
        value_(value),
        gradient_(gradient),
        with_(read_numbers<T>(s.attrs, taken)) {
    this->traits.backward_reads_inputs = 3;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index at = row * this->cols();
      (c.kernels->*value_)(function_, with_, rows, this->cols(), c.x[0] + at, c.x[1] + at, v);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_gradient(c, who, [&](Index row, Index rows, const T* dv) {
      const Index at = row * this->cols();
      (c.kernels->*gradient_)(function_, with_, rows, this->cols(), c.x[0] + at, c.x[1] + at, dv, c.dx[0] + at);
    });
  }

  std::optional<NumberLoss<T>> number_loss() const noexcept override {
    if (value_ != &Kernels<T>::pointwise_loss || !this->of_one_number()) return std::nullopt;
    return NumberLoss<T>{function_, false, with_};
  }

 private:
  LossFunction function_;
  Value value_;
  Gradient gradient_;
  LossNumbers<T> with_;
};

}  // namespace

#define FASTGD_DEFINE_LOSS(name, rows, kernel, work, taken)                                \
  template <class T>                                                                       \
  std::unique_ptr<Op<T>> make_##name(const OpSetup& setup) {                               \
    return std::make_unique<Loss<T>>(setup, LossFunction::name, rows, &Kernels<T>::kernel, \
                                     &Kernels<T>::kernel##_backward, work, taken);         \
  }                                                                                        \
  template std::unique_ptr<Op<float>> make_##name(const OpSetup&);                         \
  template std::unique_ptr<Op<double>> make_##name(const OpSetup&);
#define FASTGD_POINTWISE(name, Class, work, taken) FASTGD_DEFINE_LOSS(name, Rows::samples, pointwise_loss, work, taken)
#define FASTGD_VECTOR(name, Class, work, taken) FASTGD_DEFINE_LOSS(name, Rows::vectors, vector_loss, work, taken)

FASTGD_POINTWISE_LOSSES(FASTGD_POINTWISE)
FASTGD_VECTOR_LOSSES(FASTGD_VECTOR)

}  // namespace fastgd
