// Windows that slide over the spatial axes of a tensor with its channels last: which inputs each output sees.
#pragma once

#include <algorithm>
#include <array>

#include "ops/op.h"

namespace fastgd {

// One axis: output o sees the inputs o * stride + i * dilation - before for i = 0 ... window - 1, where they exist.
struct WindowAxis {
  Index in = 1, out = 1, window = 1, stride = 1, dilation = 1, before = 0;

  // How many inputs, from the first to the last, `outputs` neighbouring outputs see.
  Index reach(Index outputs) const { return (outputs - 1) * stride + (window - 1) * dilation + 1; }

  // The outputs for which input i of their window exists.
  Range outputs_with(Index i) const {
    const Index shift = i * dilation - before;
    const Index first = shift >= 0 ? 0 : (stride - 1 - shift) / stride;
    const Index end = shift >= in ? 0 : (in - 1 - shift) / stride + 1;
    return {std::min(first, out), std::max(std::min(first, out), std::min(end, out))};
  }

  // Whether every window lies inside the input.
  bool inside() const { return before <= 0 && reach(out) - before <= in; }
};

constexpr std::size_t kSpatialAxes = 3;

// Depth, height and width; what a tensor lacks of them has size 1.
using Windows = std::array<WindowAxis, kSpatialAxes>;

// The windows of sizes `window` over `sizes`, from the attributes strides, dilations (1 where `dilated` is false),
// padding_before and padding_after.
inline Windows parse_windows(const Attrs& attrs, std::span<const Index> sizes, std::span<const Index> window,
                             bool dilated) {
  const std::size_t axes = sizes.size();
  check(axes >= 1 && axes <= kSpatialAxes, "there must be 1 to 3 spatial axes. Received: ", axes);
  const Shape strides = attrs.sizes("strides"), before = attrs.sizes("padding_before"),
              after = attrs.sizes("padding_after"), dilations = dilated ? attrs.sizes("dilations") : Shape(axes, 1);
  check(window.size() == axes && strides.size() == axes && before.size() == axes && after.size() == axes &&
            dilations.size() == axes,
        "there must be a window, a stride, a dilation and a padding for each spatial axis of ", to_string(sizes));
  Windows windows;
  for (std::size_t i = 0; i < axes; ++i) {
    WindowAxis& axis = windows[kSpatialAxes - axes + i];
    axis = {sizes[i], 0, window[i], strides[i], dilations[i], before[i]};
    check(axis.window > 0 && axis.stride > 0 && axis.dilation > 0,
          "windows, strides and dilations must be positive. Received: ", to_string(window), ", ", to_string(strides),
          " and ", to_string(dilations));
    const Index room = axis.in + before[i] + after[i] - axis.reach(1);
    check(room >= 0, "the window of ", axis.reach(1), " elements is larger than the padded input of ",
          axis.in + before[i] + after[i]);
    axis.out = room / axis.stride + 1;
  }
  return windows;
}

// The sizes of the outputs along the `axes` last axes of the windows.
inline Shape output_sizes(const Windows& windows, std::size_t axes) {
  Shape sizes;
  for (std::size_t i = kSpatialAxes - axes; i < kSpatialAxes; ++i) sizes.push_back(windows[i].out);
  return sizes;
}

// The shape of a tensor with other spatial sizes and channels.
inline Shape with_sizes(const Shape& x, const Shape& sizes, Index channels) {
  Shape y = {x[0]};
  y.insert(y.end(), sizes.begin(), sizes.end());
  y.push_back(channels);
  return y;
}

}  // namespace fastgd
