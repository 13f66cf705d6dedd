// Nested loops over two arrays at once, written as a list of axes with a stride in each.
#pragma once

#include <algorithm>
#include <vector>

#include "base/shape.h"

namespace fastgd {

// One axis of a walk: its size, and how far apart neighbours lie in the first and in the second array.
struct WalkAxis {
  Index size, x, y;
};

using WalkAxes = std::vector<WalkAxis>;

// The strides of a C-contiguous array.
inline Shape strides_of(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// The same walk with as few axes as it takes: those of size 1 are left out, neighbours that continue one another in
// both arrays are one. At least one axis remains.
inline WalkAxes merged(const WalkAxes& axes) {
  WalkAxes out;
  for (const WalkAxis& a : axes) {
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

// The outer loops of a walk, by the number of the item.
class Walk {
 public:
  struct Place {
    Index x = 0, y = 0;
  };

  Walk() = default;
  explicit Walk(WalkAxes axes) : axes_(std::move(axes)) {
    for (const WalkAxis& a : axes_) items_ *= a.size;
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
  WalkAxes axes_;
  Index items_ = 1;
};

}  // namespace fastgd
