// convolution: y = f(w * x + bias) over windows of 1 to 3 spatial axes, channels last.
#include "ops/convolution.h"
#include "ops/register.h"
#include "ops/winograd.h"

namespace fastgd {
namespace {

template <class T>
class Convolution final : public ConvolutionOp<T> {
 public:
  explicit Convolution(const OpSetup& s) : ConvolutionOp<T>(s, ConvolutionOp<T>::checked_units(s, 1)) {
    const CorrelationShape shape = convolution_shape(s);
    const Kernels<T>& k = s.table.of<T>();
    sums_ = {k, shape};
    this->plan(convolution_output(s, shape), {.work = sums_.work(),
                                              .pixels = sums_.pixels(),
                                              .gradient = sums_.weights(),
                                              .forward_weights = sums_.forward_weights(),
                                              .forward_units = this->samples_ * sums_.strips(),
                                              .forward_room = sums_.strip_room(),
                                              .backward_weights = sums_.data_weights(),
                                              .backward_room = std::max(sums_.strip_room(), sums_.data_room())});
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    T* const packed = c.scratch_values();
    T* const room = packed + round_up(sums_.forward_weights(), 16) + who.rank * sums_.strip_room();
    if (sums_.forward_weights() > 0) {
      sums_.pack_forward(k, c.w[0], packed, who);
      who.sync();
    }
    const Epilogue<T> epilogue{this->biased_ ? c.w[1] : nullptr, this->activation_};
    const Range strips = this->share(who, this->samples_ * sums_.strips());
    for (Index i = strips.begin; i < strips.end; ++i) {
      const Index sample = i / sums_.strips();
      sums_.forward(k, c.x[0] + sample * this->inputs_, c.w[0], packed, epilogue, i % sums_.strips(),
                    c.y[0] + sample * this->outputs_, room);
    }
  }

 private:
  void pack_backward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept override {
    sums_.pack_data(k, w, packed, who);
  }
  void back(const Kernels<T>& k, const typename ConvolutionOp<T>::Back& b) const noexcept override {
    if (b.sum != nullptr) sums_.to_weights(k, b.x, b.dz, b.sum, b.accumulate, b.room);
    if (b.dx != nullptr) sums_.to_data(k, b.dz, b.packed, {}, b.dx, b.room);
  }

  Correlation<T> sums_;
};

}  // namespace

// Which of the two ways depends on the layer alone, not on the batch.
template <class T>
std::unique_ptr<Op<T>> make_convolution(const OpSetup& setup) {
  if (WinogradConvolution<T>::pays(setup)) return std::make_unique<WinogradConvolution<T>>(setup);
  return std::make_unique<Convolution<T>>(setup);
}
template std::unique_ptr<Op<float>> make_convolution(const OpSetup&);
template std::unique_ptr<Op<double>> make_convolution(const OpSetup&);

}  // namespace fastgd
