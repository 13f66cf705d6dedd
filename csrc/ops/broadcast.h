// NumPy's broadcasting for ops: the common shape, walks over operands that repeat, and the sums that undo a repetition.
#pragma once

#include <array>

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

  // to = from, of the result's shape, summed over the axes along which operand k repeats. Each sum is made by one
  // thread in one order.
  template <class T>
  void sum(int k, const Kernels<T>& kernels, const T* from, T* to, const Worker& who) const noexcept {
    if (size_ == 0) {
      if (who.rank == 0) kernels.fill(counts_[static_cast<std::size_t>(k)], T(0), to);
      return;
    }
    const MergedAxes& axes = alone_[static_cast<std::size_t>(k)];
    const std::size_t depth = axes.sizes.size();
    // Kept and summed axes alternate.
    const Index cols = axes.sizes[depth - 1], rows = depth > 1 ? axes.sizes[depth - 2] : 1;
    const std::size_t outer = depth > 2 ? depth - 2 : 0;
    const bool sums_columns = axes.strides[depth - 1][0] != 0;
    const Range part = sums_columns ? who.share(cols, kernels.lanes) : who.share(rows);
    if (part.size() == 0) return;
    const Index blocks = size_ / (rows * cols);
    for (Index block = 0; block < blocks; ++block) {
      std::array<Index, 3> at{};
      const bool again = place(axes, outer, block, at);
      const T* x = from + block * rows * cols;
      if (sums_columns) {
        kernels.column_sum(rows, part.size(), x + part.begin, cols, to + at[0] + part.begin, again);
      } else {
        kernels.sum_rows(part.size(), cols, x + part.begin * cols, to + at[0] + part.begin, again);
      }
    }
  }

 private:
  // The offsets of the operands at position `index` of the first `depth` axes; whether an axis along which the first
  // operand repeats has been stepped along.
  static bool place(const MergedAxes& axes, std::size_t depth, Index index, std::array<Index, 3>& at) noexcept {
    bool repeated = false;
    for (std::size_t d = depth; d-- > 0;) {
      const Index step = index % axes.sizes[d];
      index /= axes.sizes[d];
      repeated = repeated || (step > 0 && axes.strides[d][0] == 0);
      for (std::size_t k = 0; k < 3; ++k) at[k] += step * axes.strides[d][k];
    }
    return repeated;
  }

  Shape shape_;
  Index size_;
  std::array<Index, 3> counts_{};
  MergedAxes axes_;
  std::vector<MergedAxes> alone_;  // for each operand, its axes merged without regard to the others
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
  for (int k = first; k < last; ++k)
    if (const T* from = whole[static_cast<std::size_t>(k)]) broadcast.sum(k, *c.kernels, from, c.dx[k], who);
}

}  // namespace fastgd
