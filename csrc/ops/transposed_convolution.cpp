// transposed_convolution: y = f(v + bias), v being what a convolution of y's sizes gives back to its data where x is
// the gradient of its output.
#include "ops/convolution.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class TransposedConvolution final : public ConvolutionOp<T> {
 public:
  explicit TransposedConvolution(const OpSetup& s) : ConvolutionOp<T>(s, checked_units(s, 2)) {
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
    this->plan(s, with_sizes(x, sizes, this->units_),
               {.work = sums_.work(),
                .pixels = sums_.pixels(),
                .gradient = sums_.weights(),
                .forward_weights = sums_.data_weights(),
                .forward_room = sums_.data_room(),
                .backward_weights = sums_.forward_weights(),
                .backward_room = sums_.strip_room()});
  }

 private:
  Index units(Index samples) const noexcept override { return samples; }
  void pack_forward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept override {
    sums_.pack_data(k, w, packed, who);
  }
  void sums(const Kernels<T>& k, const typename ConvolutionOp<T>::Part& p) const noexcept override {
    for (Index i = p.units.begin; i < p.units.end; ++i)
      sums_.to_data(k, p.x + i * this->inputs_, p.packed, p.epilogue, p.y + i * this->outputs_, p.room);
  }
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
