// What rescaling and standardising share: a straight line per channel whose coefficients come from parameters.
#pragma once

#include "ops/channels.h"

namespace fastgd {

// y = slope (x - mean) + shift. The parameters lie along neighbouring axes from `axis` on, or hold for everything.
template <class T>
class FixedLines : public Op<T> {
 protected:
  explicit FixedLines(const OpSetup& s) {
    s.expect_inputs(1);
    s.expect_params(2, 2);
    const Shape& x = s.inputs[0].shape;
    const Shape& w = s.params[0];
    check(!s.inputs[0].integer && w == s.params[1],
          "takes a floating input and two parameters of one shape. Received: ", to_string(w), " and ",
          to_string(s.params[1]));
    if (s.attrs.given("axis")) {
      const Index axis = s.attrs.integer("axis"), axes = static_cast<Index>(w.size());
      check(
          axis >= 0 && axis + axes <= static_cast<Index>(x.size()) && std::equal(w.begin(), w.end(), x.begin() + axis),
          "parameters ", to_string(w), " do not lie along ", to_string(x), " from axis=", axis);
      std::tie(view_.rows, view_.channels, view_.inner) = cut_around(x, axis, axes);
    } else {
      check(count(w) == 1 && !x.empty(), "parameters for everything have one element. Received: ", to_string(w));
      view_.rows = x[0];
      view_.channels = 1;
      view_.inner = count(std::span(x).subspan(1));
    }
    auto& t = this->traits;
    t.outputs = {s.inputs[0]};
    t.forward_scratch = multiply(3 * view_.channels, sizeof(T));
    t.backward_scratch = t.forward_scratch;
    t.forward_work = 4.0 * static_cast<double>(view_.size());
    t.backward_work = t.forward_work;
  }

  struct Line {
    T mean, slope, shift;
  };
  virtual Line line(const Call<T>& c, Index channel) const noexcept = 0;

 public:
  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const ChannelLine<T> lines = gather(c, false, who);
    channel_lines<T>(*c.kernels, view_, c.x[0], nullptr, lines, c.y[0], who);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    if (c.dx[0] == nullptr) return;
    const ChannelLine<T> lines = gather(c, true, who);
    channel_lines<T>(*c.kernels, view_, c.dy[0], nullptr, lines, c.dx[0], who);
  }

 private:
  ChannelLine<T> gather(const Call<T>& c, bool slope_only, const Worker& who) const noexcept {
    T* const mean = c.scratch_values();
    T* const slope = mean + view_.channels;
    T* const shift = slope + view_.channels;
    const Range part = who.share(view_.channels);
    for (Index i = part.begin; i < part.end; ++i) {
      const Line own = line(c, i);
      mean[i] = slope_only ? T{0} : own.mean;
      slope[i] = own.slope;
      shift[i] = slope_only ? T{0} : own.shift;
    }
    who.sync();
    return {mean, nullptr, slope, shift};
  }

  ChannelView view_;
};

}  // namespace fastgd
