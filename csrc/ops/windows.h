// Sliding windows over channels-last tensors: which elements each item of one tensor takes from another one, and the
// lines of items that threads share.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "ops/window.h"

namespace fastgd {

// The sizes (n, sizes..., channels) of an input with up to three spatial axes, checked.
inline std::size_t spatial_rank(const OpSetup& s) {
  s.expect_inputs(1);
  s.expect_params(0, 0);
  const Shape& x = s.inputs[0].shape;
  check(!s.inputs[0].integer && x.size() >= 3 && x.size() <= kSpatialAxes + 2,
        "takes floating tensors (batch, sizes..., channels) with 1 to 3 sizes. Received: ", to_string(x));
  return x.size() - 2;
}

// The attribute `name` with one entry per spatial axis, none below `least`.
inline Shape spatial_attribute(const OpSetup& s, const char* name, Index least) {
  const Shape values = s.attrs.sizes(name);
  const bool fits = values.size() + 2 == s.inputs[0].shape.size();
  check(fits && std::all_of(values.begin(), values.end(), [=](Index v) { return v >= least; }), "`", name,
        "` must hold one integer of at least ", least, " per spatial axis of ", to_string(s.inputs[0].shape),
        ". Received: ", name, "=", to_string(values));
  return values;
}

// The windows that the attributes of a pooling op describe. Each of them reaches into the input.
inline Windows pooling_windows(const OpSetup& s) {
  const std::size_t rank = spatial_rank(s);
  const Shape& x = s.inputs[0].shape;
  const Shape window = spatial_attribute(s, "window", 1), before = spatial_attribute(s, "padding_before", 0),
              after = spatial_attribute(s, "padding_after", 0);
  for (std::size_t i = 0; i < rank; ++i)
    check(before[i] < window[i] && after[i] < window[i] && x[i + 1] > 0, "a window of ", window[i],
          " does not fit into axis ", i + 1, " of ", to_string(x), ". Received: padding_before=", before[i],
          ", padding_after=", after[i]);
  return parse_windows(s.attrs, std::span(x).subspan(1, rank), window, false);
}

// The terms of the items along one axis, with places counted in elements of the source's axis, and how many numbers the
// terms have.
struct WindowTable {
  Index sources = 1, numbers = 1;
  WindowStep step;
  std::vector<WindowTerms> terms;
};

// Each window is made of the elements it covers, numbered from its first one on.
inline WindowTable covered_elements(const WindowAxis& s) {
  WindowTable table{s.in, s.window, {1, 1}, {}};
  for (Index o = 0; o < s.out; ++o) {
    const Index start = o * s.stride - s.before;
    const Index first = std::max<Index>(0, -start), last = std::min(s.window, s.in - start);
    table.terms.push_back({start + first, static_cast<std::int32_t>(last - first), static_cast<std::int32_t>(first)});
  }
  return table;
}

// Each element is made of the windows that cover it, with the number that it has in each.
inline WindowTable covering_windows(const WindowAxis& s) {
  WindowTable table{s.out, s.window, {1, -s.stride}, {}};
  for (Index i = 0; i < s.in; ++i) {
    const Index place = i + s.before;
    const Index first = std::max<Index>(0, (place - s.window) / s.stride + (place >= s.window ? 1 : 0));
    const Index last = std::min(place / s.stride, s.out - 1);
    if (last < first) {
      table.terms.push_back({});
    } else {
      table.terms.push_back(
          {first, static_cast<std::int32_t>(last - first + 1), static_cast<std::int32_t>(place - first * s.stride)});
    }
  }
  return table;
}

template <class F>
std::array<WindowTable, kSpatialAxes> tables_of(const Windows& windows, F f) {
  return {f(windows[0]), f(windows[1]), f(windows[2])};
}

// A line of items, where its source (one sample) and its result begin, and whether it is the last of its plane, and
// that plane of its sample.
struct WindowSpot {
  WindowLine line;
  Index source = 0, result = 0;
  bool last_line = false, last_plane = false;
};

// All items of a tensor (n, items of three axes, channels) over a source of the same form.
class WindowMap {
 public:
  WindowMap() = default;
  WindowMap(std::array<WindowTable, kSpatialAxes> tables, Index channels)
      : tables_(std::move(tables)), channels_(channels), sample_(channels) {
    Index numbers = 1;
    for (std::size_t axis = kSpatialAxes; axis-- > 0;) {
      WindowTable& t = tables_[axis];
      for (WindowTerms& each : t.terms) {
        each.at *= sample_;
        each.number = static_cast<std::int32_t>(each.number * numbers);
      }
      t.step = {t.step.at * sample_, t.step.number * numbers};
      sample_ = multiply(sample_, t.sources);
      numbers = multiply(numbers, t.numbers);
    }
  }

  // Calls f(spot) for this worker's lines of `samples` samples, upwards. There are no other samples in memory.
  template <class F>
  void run(Index samples, const Worker& who, F f) const noexcept {
    const Index depth = items(0), height = items(1), line_size = items(2) * channels_;
    const Range lines = who.share(samples * depth * height);
    for (Index i = lines.begin; i < lines.end; ++i) {
      const Index h = i % height, d = i / height % depth, sample = i / (height * depth);
      WindowSpot spot;
      spot.line = {items(2),
                   channels_,
                   axis(0, d),
                   axis(1, h),
                   axis(2, 0),
                   (samples - sample) * sample_,
                   (lines.end - i) * line_size};
      spot.source = sample * sample_;
      spot.result = i * line_size;
      spot.last_line = h + 1 == height;
      spot.last_plane = d + 1 == depth;
      f(spot);
    }
  }

 private:
  Index items(std::size_t axis) const { return static_cast<Index>(tables_[axis].terms.size()); }
  WindowItems axis(std::size_t axis, Index item) const {
    return {tables_[axis].terms.data() + item, tables_[axis].step};
  }

  std::array<WindowTable, kSpatialAxes> tables_;
  Index channels_ = 0, sample_ = 0;
};

}  // namespace fastgd
