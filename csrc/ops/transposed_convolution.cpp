// transposed_convolution: y = f(v + bias), v being what a convolution of y's sizes gives back to its data where x is
// the gradient of its output.
#include "ops/convolution.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class TransposedConvolution final : public ConvolutionOp<T> {
 public:
  explicit TransposedConvolution(const OpSetup& s) : ConvolutionOp<T>(s, ConvolutionOp<T>::checked_units(s, 2)) {
    const Shape& x = s.inputs[0].shape;
    const Shape& w = s.params[0];
    const std::size_t axes = x.size() - 2;
    const Shape sizes = s.attrs.sizes("sizes");
    check(sizes.size() == axes, "`sizes` must have a size for each spatial axis. Received: sizes=", to_string(sizes));
    CorrelationShape shape;
    shape.windows = parse_windows(s.attrs, sizes, std::span(w).first(axes), true);
    shape.channels = this->units_, shape.filters = x.back();
    check(w.back() == x.back() && output_sizes(shape.windows, axes) == Shape(x.begin() + 1, x.end() - 1), "input ",
          to_string(x), " does not fit the kernel ", to_string(w), " and `sizes`. Received: sizes=", to_string(sizes));
    const Kernels<T>& k = s.table.of<T>();
    sums_ = {k, shape};
    this->plan(with_sizes(x, sizes, this->units_), {.work = sums_.work(),
                                                    .pixels = sums_.pixels(),
                                                    .gradient = sums_.weights(),
                                                    .forward_weights = sums_.data_weights(),
                                                    .forward_units = this->samples_,
                                                    .forward_room = sums_.data_room(),
                                                    .backward_weights = sums_.forward_weights(),
                                                    .backward_room = sums_.strip_room()});
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    T* const packed = c.scratch_values();
    T* const room = packed + round_up(sums_.data_weights(), 16) + who.rank * sums_.data_room();
    sums_.pack_data(k, c.w[0], packed, who);
    who.sync();
    const Epilogue<T> epilogue{this->biased_ ? c.w[1] : nullptr, this->activation_};
    const Range samples = this->share(who, this->samples_);
    for (Index i = samples.begin; i < samples.end; ++i) {
      sums_.to_data(k, c.x[0] + i * this->inputs_, packed, epilogue, c.y[0] + i * this->outputs_, room);
    }
  }

 private:
  void pack_backward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept override {
    sums_.pack_forward(k, w, packed, who);
  }
  void back(const Kernels<T>& k, const typename ConvolutionOp<T>::Back& b) const noexcept override {
    if (b.sum != nullptr) sums_.to_weights(k, b.dz, b.x, b.sum, b.accumulate, b.room);
    if (b.dx == nullptr) return;
    for (Index strip = 0; strip < sums_.strips(); ++strip)
      sums_.forward(k, b.dz, b.w, b.packed, {}, strip, b.dx, b.room);
  }

  Correlation<T> sums_;
};

}  // namespace

FASTGD_DEFINE_OP(transposed_convolution, TransposedConvolution);

}  // namespace fastgd
