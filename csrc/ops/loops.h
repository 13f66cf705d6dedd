// Nested loops over two arrays at once, written as a list of axes with a stride in each.
#pragma once

#include <algorithm>
#include <vector>

#include "base/shape.h"

namespace fastgd {

// One axis of a nest: its size, and how far apart neighbours lie in the first and in the second array.
struct LoopAxis {
  Index size, x, y;
};

using LoopAxes = std::vector<LoopAxis>;

// The strides of a C-contiguous array.
inline Shape strides_of(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// The same nest with as few axes as it takes: those of size 1 are left out, neighbours that continue one another in
// both arrays are one. At least one axis remains.
inline LoopAxes merged(const LoopAxes& axes) {
  LoopAxes out;
  for (const LoopAxis& a : axes) {
    if (a.size == 1) continue;
    if (!out.empty() && out.back().x == a.x * a.size && out.back().y == a.y * a.size) {
      out.back() = {out.back().size * a.size, a.x, a.y};
    } else {
      out.push_back(a);
    }
  }
  if (out.empty()) out.push_back({1, 1, 1});
  return out;
}

// The outer loops of a nest, by the number of the item.
class LoopNest {
 public:
  struct Place {
    Index x = 0, y = 0;
  };

  LoopNest() = default;
  explicit LoopNest(LoopAxes axes) : axes_(std::move(axes)) {
    for (const LoopAxis& a : axes_) items_ *= a.size;
  }

  Index items() const { return items_; }

  Place at(Index item) const noexcept {
    Place place;
    for (auto axis = axes_.rbegin(); axis != axes_.rend(); ++axis) {
      const Index i = item % axis->size;
      item /= axis->size;
      place.x += i * axis->x;
      place.y += i * axis->y;
    }
    return place;
  }

 private:
  LoopAxes axes_;
  Index items_ = 1;
};

}  // namespace fastgd
