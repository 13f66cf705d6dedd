// Shapes and their products, with overflow refused.
#pragma once

#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/types.h"

namespace fastgd {

using Shape = std::vector<Index>;

// a * b for sizes; throws InvalidArgument on overflow.
Index multiply(Index a, Index b);

// The number of elements; 1 for an empty shape.
Index count(std::span<const Index> shape);

// The shape as (outer, size, inner): the products of the sizes before `axes` neighbouring axes from `axis` on, of their
// own, and of those behind them; throws InvalidArgument if they are not there.
std::tuple<Index, Index, Index> cut_around(std::span<const Index> shape, Index axis, Index axes = 1);

// The shape as "(32, 10)".
std::string to_string(std::span<const Index> shape);

// Sizes written for any batch (negative: multiples of the batch) for one of `batch` samples.
Shape resolve(std::span<const Index> shape, Index batch);

// The next multiple of `unit`, a power of two.
constexpr Index round_up(Index n, Index unit) { return (n + unit - 1) & ~(unit - 1); }

}  // namespace fastgd
