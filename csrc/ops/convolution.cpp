// convolution: y = f(w * x + bias) over windows of 1 to 3 spatial axes, channels last.
#include "ops/convolution.h"
#include "ops/register.h"
#include "ops/winograd.h"

namespace fastgd {
namespace {

CorrelationShape correlation_shape(const OpSetup& s) {
  const Index filters = checked_units(s, 1);
  const Shape& x = s.inputs[0].shape;
  const Shape& w = s.params[0];
  const std::size_t axes = x.size() - 2;
  CorrelationShape shape;
  shape.windows = parse_windows(s.attrs, std::span(x).subspan(1, axes), std::span(w).first(axes), true);
  shape.channels = x.back(), shape.filters = filters;
  shape.groups = s.attrs.integer("groups", 1);
  check(shape.groups >= 1 && shape.channels == shape.groups * w[axes] && shape.filters % shape.groups == 0, "input ",
        to_string(x), " does not fit the kernel ", to_string(w), " in ", shape.groups, " groups");
  return shape;
}

template <class T>
class Convolution final : public ConvolutionOp<T> {
 public:
  Convolution(const OpSetup& s, const CorrelationShape& shape) : ConvolutionOp<T>(s, shape.filters) {
    const Kernels<T>& k = s.table.of<T>();
    sums_ = {k, shape};
    this->plan(s, output_shape(s, shape),
               {.work = sums_.work(),
                .pixels = sums_.pixels(),
                .gradient = sums_.weights(),
                .forward_weights = sums_.forward_weights(),
                .forward_room = sums_.strip_room(),
                .backward_weights = sums_.data_weights(),
                .backward_room = std::max(sums_.strip_room(), sums_.data_room())});
  }

 private:
  Index units(Index samples) const noexcept override { return samples * sums_.strips(); }
  void pack_forward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept override {
    sums_.pack_forward(k, w, packed, who);
  }
  void sums(const Kernels<T>& k, const typename ConvolutionOp<T>::Part& p) const noexcept override {
    for (Index i = p.units.begin; i < p.units.end; ++i) {
      const Index sample = i / sums_.strips();
      sums_.forward(k, p.x + sample * this->inputs_, p.w, p.packed, p.epilogue, i % sums_.strips(),
                    p.y + sample * this->outputs_, p.room);
    }
  }
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

// Which of the two ways depends on the shapes alone, the batch's size included.
template <class T>
std::unique_ptr<Op<T>> make_convolution(const OpSetup& setup) {
  const CorrelationShape shape = correlation_shape(setup);
  if (WinogradConvolution<T>::pays(setup, shape)) return std::make_unique<WinogradConvolution<T>>(setup, shape);
  return std::make_unique<Convolution<T>>(setup, shape);
}
template std::unique_ptr<Op<float>> make_convolution(const OpSetup&);
template std::unique_ptr<Op<double>> make_convolution(const OpSetup&);

}  // namespace fastgd
