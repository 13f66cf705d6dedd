// NumPy's broadcasting for ops: the common shape, walks over operands that repeat, and the sums that undo a repetition.
#pragma once

#include <array>

#include "ops/folding.h"
#include "ops/op.h"

namespace fastgd {

// Axes of the result merged as far as all operands allow, and how far one step along each moves an operand: 0 where it
// repeats.
struct MergedAxes {
  Shape sizes;
  std::vector<std::array<Index, 3>> strides;

  MergedAxes(const Shape& y, std::span<const Shape> operands);
};

// Operands of up to three shapes over one result.
class Broadcast {
 public:
  // Throws where the shapes do not fit together.
  explicit Broadcast(std::span<const TensorInfo> operands);

  const Shape& shape() const { return shape_; }
  Index size() const { return size_; }
  // Whether the operand is smaller than the result, so that its gradient is a sum.
  bool repeats(int k) const { return counts_[static_cast<std::size_t>(k)] != size_; }

  // Calls f(walk, offset of each operand, offset of the result) for this worker's part of the result.
  template <class F>
  void each_block(const Worker& who, Index lanes, F f) const noexcept {
    const Index rows = inner_ * outer_;
    if (rows == 1) {
      const Range part = who.share(cols_, lanes);
      std::array<Index, 3> at{};
      for (std::size_t k = 0; k < 3; ++k) at[k] = part.begin * walk_.col[k];
      Walk walk = walk_;
      walk.rows = 1, walk.cols = part.size();
      if (walk.cols > 0) f(walk, at, part.begin);
      return;
    }
    const Range part = cols_ > 0 ? who.share(rows) : Range{};
    for (Index i = part.begin; i < part.end;) {
      const Index first = i % inner_;
      std::array<Index, 3> at{};
      place(axes_, axes_.sizes.size() - 2, i / inner_, at);
      for (std::size_t k = 0; k < 3; ++k) at[k] += first * walk_.row[k];
      Walk walk = walk_;
      walk.rows = std::min(inner_ - first, part.end - i), walk.cols = cols_;
      f(walk, at, i * cols_);
      i += walk.rows;
    }
  }

  // The sum that makes the gradient of operand k of one that has the result's shape.
  const Folding& fold(int k) const { return folds_[static_cast<std::size_t>(k)]; }

  // How many values `broadcast_gradients` needs for the operands [first, last): for the gradients that are to be summed
  // and do not fit into dy, and for the sums.
  Index spare_size(int first, int last) const {
    Index repeating = 0;
    for (int k = first; k < last; ++k) repeating += repeats(k) ? 1 : 0;
    return repeating > 1 ? multiply(repeating - 1, size_) : 0;
  }
  Index gradient_scratch(int first, int last) const {
    Index total = spare_size(first, last);
    for (int k = first; k < last; ++k) total += repeats(k) ? fold(k).scratch_size() : 0;
    return total;
  }

 private:
  // The offsets of the operands at position `index` of the first `depth` axes.
  static void place(const MergedAxes& axes, std::size_t depth, Index index, std::array<Index, 3>& at) noexcept {
    for (std::size_t d = depth; d-- > 0;) {
      const Index step = index % axes.sizes[d];
      index /= axes.sizes[d];
      for (std::size_t k = 0; k < 3; ++k) at[k] += step * axes.strides[d][k];
    }
  }

  Shape shape_;
  Index size_;
  std::array<Index, 3> counts_{};
  MergedAxes axes_;
  std::vector<Folding> folds_;
  Index outer_ = 1, inner_ = 1, cols_ = 1;
  Walk walk_;
};

// Writes the gradients of the operands [first, last) that are wanted. `slope(k, walk, offsets, result's offset, to)`
// writes the gradient by operand k before it is summed, where `to` may be dy itself.
template <class T, class F>
void broadcast_gradients(const Broadcast& broadcast, int first, int last, const Call<T>& c, const Worker& who,
                         F slope) noexcept {
  const auto run = [&](int k, T* to) {
    broadcast.each_block(who, c.kernels->lanes, [&](const Walk& walk, const std::array<Index, 3>& at, Index out) {
      slope(k, walk, at, out, to + out);
    });
  };
  for (int k = first; k < last; ++k)
    if (c.dx[k] != nullptr && !broadcast.repeats(k)) run(k, c.dx[k]);
  // The last gradient to be summed is made in the place of dy, which nobody reads any more.
  std::array<T*, 3> whole{};
  T* spare = c.dy[0];
  for (int k = last; k-- > first;) {
    if (c.dx[k] == nullptr || !broadcast.repeats(k)) continue;
    whole[static_cast<std::size_t>(k)] = spare;
    spare = c.scratch_values();
  }
  for (int k = first; k < last; ++k)
    if (whole[static_cast<std::size_t>(k)] != nullptr) run(k, whole[static_cast<std::size_t>(k)]);
  if (spare == c.dy[0]) return;
  who.sync();
  T* scratch = c.scratch_values() + broadcast.spare_size(first, last);
  for (int k = first; k < last; ++k) {
    const T* from = whole[static_cast<std::size_t>(k)];
    if (from == nullptr) continue;
    broadcast.fold(k).run(*c.kernels, who, Fold::sum, from, c.dx[k], scratch);
    scratch += broadcast.fold(k).scratch_size();
  }
}

}  // namespace fastgd
