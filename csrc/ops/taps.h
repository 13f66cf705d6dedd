// The taps of windows along one axis: which elements of the input a window covers, and which windows cover an element.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "ops/window.h"

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

// The elements that window o covers.
inline Taps elements_of(const WindowAxis& axis, Index o) {
  return {axis.window, 0, 1, o * axis.stride - axis.before, axis.dilation};
}

// The windows that cover the element i, should they exist, for each i in [0, stride): as many elements further on,
// the same taps belong to windows that are one further. The taps descend, so that the windows ascend.
inline std::vector<Taps> windows_of_first_elements(const WindowAxis& axis) {
  const Index common = std::gcd(axis.stride, axis.dilation);
  std::vector<Taps> all;
  for (Index i = 0; i < axis.stride; ++i) {
    Taps taps{0, 0, -(axis.stride / common), 0, axis.dilation / common};
    for (Index t = axis.window; t-- > 0;) {
      const Index distance = i + axis.before - t * axis.dilation;
      if (distance % axis.stride != 0) continue;
      if (taps.count++ == 0) {
        taps.tap = t;
        taps.place = distance / axis.stride;
      }
    }
    all.push_back(taps);
  }
  return all;
}

}  // namespace fastgd
