// One spatial axis of a convolution: which elements of the input a window covers, and which windows cover an element.
#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "ops/op.h"

namespace fastgd {

// Evenly spaced taps of a window, from the first on, with the places that they meet: `count` taps, tap + i * tap_step
// meeting place + i * place_step.
struct Taps {
  Index count = 0;
  Index tap = 0, tap_step = 1;
  Index place = 0, place_step = 1;

  // Those whose places are in [0, size); places ascend.
  Taps within(Index size) const {
    const Index skip = place >= 0 ? 0 : std::min(count, (-place + place_step - 1) / place_step);
    const Index room = size - 1 - place;
    const Index end = room < 0 ? 0 : std::min(count, room / place_step + 1);
    return {std::max<Index>(0, end - skip), tap + skip * tap_step, tap_step, place + skip * place_step, place_step};
  }
};

// Window o covers, with tap t, the element o * stride - before + t * dilation.
struct WindowAxis {
  Index size = 1, window = 1, stride = 1, dilation = 1, before = 0, windows = 1;

  Taps elements_of(Index o) const { return {window, 0, 1, o * stride - before, dilation}; }

  // The windows that cover the element i, should they exist, for each i in [0, stride): as many elements further on,
  // the same taps belong to windows that are one further. The taps descend, so that the windows ascend.
  std::vector<Taps> windows_of_first_elements() const {
    const Index common = std::gcd(stride, dilation);
    std::vector<Taps> all;
    for (Index i = 0; i < stride; ++i) {
      Taps taps{0, 0, -(stride / common), 0, dilation / common};
      for (Index t = window; t-- > 0;) {
        const Index distance = i + before - t * dilation;
        if (distance % stride != 0) continue;
        if (taps.count++ == 0) {
          taps.tap = t;
          taps.place = distance / stride;
        }
      }
      all.push_back(taps);
    }
    return all;
  }
};

// The axes of an input (n, sizes..., channels) for windows of these sizes, from the attributes `strides`, `dilations`,
// `padding_before` and `padding_after`, which hold one number per axis.
inline std::vector<WindowAxis> window_axes(const OpSetup& s, std::span<const Index> window) {
  const Shape& x = s.inputs[0].shape;
  check(x.size() == window.size() + 2, "input ", to_string(x), " does not fit windows of ", window.size(), " axes");
  const auto of = [&](const std::string& name) {
    const Shape values = s.attrs.sizes(name);
    check(values.size() == window.size(), "`", name, "` must hold ", window.size(), " numbers. Received: ", name, "=",
          to_string(values));
    return values;
  };
  const Shape strides = of("strides"), dilations = of("dilations");
  const Shape before = of("padding_before"), after = of("padding_after");
  std::vector<WindowAxis> axes;
  for (std::size_t i = 0; i < window.size(); ++i) {
    check(window[i] >= 1 && strides[i] >= 1 && dilations[i] >= 1, "windows, strides and dilations must be 1 or more. ",
          "Received: window ", to_string(window), ", strides=", to_string(strides),
          ", dilations=", to_string(dilations));
    const Index room = x[i + 1] + before[i] + after[i] - (multiply(window[i] - 1, dilations[i]) + 1);
    check(room >= 0, "the window ", to_string(window), " does not fit into the padded input ", to_string(x));
    axes.push_back({x[i + 1], window[i], strides[i], dilations[i], before[i], room / strides[i] + 1});
  }
  return axes;
}

}  // namespace fastgd
