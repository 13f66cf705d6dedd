// convolution: y = f(w * x + bias) over windows of 1 to 3 spatial axes, channels last.
#include "ops/convolution.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Convolution final : public ConvolutionOp<T> {
 public:
  explicit Convolution(const OpSetup& s) : ConvolutionOp<T>(s, ConvolutionOp<T>::checked_units(s, 1)) {
    const Shape& x = s.inputs[0].shape;
    const Shape& w = s.params[0];
    const std::size_t axes = x.size() - 2;
    CorrelationShape shape;
    shape.windows = parse_windows(s.attrs, std::span(x).subspan(1, axes), std::span(w).first(axes), true);
    shape.channels = x.back(), shape.filters = w.back();
    shape.groups = s.attrs.integer("groups", 1);
    check(shape.groups >= 1 && shape.channels == shape.groups * w[axes] && shape.filters % shape.groups == 0, "input ",
          to_string(x), " does not fit the kernel ", to_string(w), " in ", shape.groups, " groups");
    const Shape sizes = output_sizes(shape.windows, axes);
    const Kernels<T>& k = s.table.of<T>();
    sums_ = {k, shape};
    this->plan(sums_, with_sizes(x, sizes, shape.filters), sums_.forward_weights(), this->samples_ * sums_.strips(),
               sums_.strip_room(), sums_.data_weights(), std::max(sums_.strip_room(), sums_.data_room()));
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
  void add_weights(const Kernels<T>& k, const T* x, const T* dz, T* dw, bool accumulate,
                   T* room) const noexcept override {
    sums_.to_weights(k, x, dz, dw, accumulate, room);
  }
  void input_gradient(const Kernels<T>& k, const T* dz, const T*, const T* packed, T* dx,
                      T* room) const noexcept override {
    sums_.to_data(k, dz, packed, {}, dx, room);
  }

  Correlation<T> sums_;
};

}  // namespace

FASTGD_DEFINE_OP(convolution, Convolution);

}  // namespace fastgd
