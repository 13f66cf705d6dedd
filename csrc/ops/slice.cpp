// slice and pad: a part of x by a first index and a step for each axis; x inside a larger tensor. Each is the other's
// gradient.
#include <bit>
#include <type_traits>

#include "ops/register.h"
#include "ops/strided_copy.h"

namespace fastgd {
namespace {

template <class T>
class Slice final : public MovingOp<T> {
 public:
  explicit Slice(const OpSetup& s) : MovingOp<T>(s, 1) {
    const Shape& x = s.inputs[0].shape;
    const Shape begin = s.attrs.sizes("begin"), step = s.attrs.sizes("step");
    const Shape y = resolve(s.attrs.sizes("shape"), s.batch);
    check(begin.size() == x.size() && step.size() == x.size() && y.size() == x.size(),
          "`begin`, `step` and `shape` must have one entry per axis of ", to_string(x));
    const Shape x_strides = strides_of(x), y_strides = strides_of(y);
    LoopAxes loops;
    Index first = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Index from = begin[i] < 0 ? begin[i] + x[i] : begin[i];
      const Index last = from + (y[i] - 1) * step[i];
      const bool inside = from >= 0 && from < x[i] && last >= 0 && last < x[i] && step[i] != 0;
      check(y[i] == 0 || inside, "leaves axis ", i, " of ", to_string(x), ". Received: begin=", begin[i],
            ", step=", step[i], ", size=", y[i]);
      loops.push_back({y[i], x_strides[i] * step[i], y_strides[i]});
      first += y[i] == 0 ? 0 : from * x_strides[i];
      if (i == 0) this->traits.couples_samples = from != 0 || step[i] != 1 || y[i] != x[i];
    }
    there_ = StridedCopy(loops, first);
    back_ = StridedCopy::back(loops, first);
    whole_ = count(x);
    covers_ = count(y) == whole_;
    this->set_output(y);
    this->traits.backward_work = static_cast<double>(whole_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override { this->copy(c, who, there_); }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    if (!covers_) this->fill(*c.kernels, who, whole_, T(0), c.dx[0]);
    back_.run(*c.kernels, who, static_cast<const T*>(c.dy[0]), c.dx[0]);
  }

 private:
  StridedCopy there_, back_;
  Index whole_ = 0;
  bool covers_ = false;
};

template <class T>
class Pad final : public MovingOp<T> {
 public:
  explicit Pad(const OpSetup& s) : MovingOp<T>(s, 1), value_(s.attrs.real("value", 0.0)) {
    const Shape& x = s.inputs[0].shape;
    const Shape before = s.attrs.sizes("before"), after = s.attrs.sizes("after");
    check(before.size() == x.size() && after.size() == x.size(),
          "`before` and `after` must have one entry per axis of ", to_string(x));
    Shape y = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      check(before[i] >= 0 && after[i] >= 0,
            "`before` and `after` must not be negative. Received: before=", to_string(before),
            ", after=", to_string(after));
      y[i] += before[i] + after[i];
    }
    const Shape x_strides = strides_of(x), y_strides = strides_of(y);
    LoopAxes loops;
    Index first = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      loops.push_back({x[i], x_strides[i], y_strides[i]});
      first += before[i] * y_strides[i];
    }
    there_ = StridedCopy(loops, 0, first);
    back_ = StridedCopy::back(loops, 0, first);
    whole_ = count(y);
    this->set_output(y);
    this->traits.couples_samples = !x.empty() && y[0] != x[0];
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->with_elements(c, [&](const auto& kernels, const auto* x, auto* y) {
      using U = std::remove_pointer_t<decltype(y)>;
      const U value = this->integer_ ? static_cast<U>(std::bit_cast<float>(static_cast<std::int32_t>(value_)))
                                     : static_cast<U>(value_);
      this->fill(kernels, who, whole_, value, y);
      there_.run(kernels, who, x, y);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    back_.run(*c.kernels, who, static_cast<const T*>(c.dy[0]), c.dx[0]);
  }

 private:
  double value_;
  StridedCopy there_, back_;
  Index whole_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(slice, Slice);
FASTGD_DEFINE_OP(pad, Pad);

}  // namespace fastgd
