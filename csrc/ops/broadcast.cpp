// NumPy's broadcasting for ops: the common shape, and axes merged as far as the operands allow.
#include "ops/broadcast.h"

namespace fastgd {
namespace {

// Whether the operands fit is said once, for all of them.
Shape join_shapes(std::span<const TensorInfo> operands) {
  Shape y;
  for (const TensorInfo& x : operands) {
    check(!x.integer, "takes floating tensors");
    if (x.shape.size() > y.size()) y.insert(y.begin(), x.shape.size() - y.size(), 1);
    const std::size_t lead = y.size() - x.shape.size();
    for (std::size_t i = 0; i < x.shape.size(); ++i) {
      Index& d = y[lead + i];
      check(d == x.shape[i] || d == 1 || x.shape[i] == 1, "the shapes ", to_string(operands[0].shape), " and ",
            to_string(x.shape), " do not fit together");
      if (d == 1) d = x.shape[i];
    }
  }
  return y;
}

std::vector<Shape> shapes_of(std::span<const TensorInfo> operands) {
  std::vector<Shape> shapes;
  for (const TensorInfo& x : operands) shapes.push_back(x.shape);
  return shapes;
}

}  // namespace

MergedAxes::MergedAxes(const Shape& y, std::span<const Shape> operands) {
  std::array<Index, 3> unit = {1, 1, 1};  // the contiguous stride of each operand, from the last axis to the first
  for (std::size_t back = 1; back <= y.size(); ++back) {
    const Index size = y[y.size() - back];
    std::array<Index, 3> stride{};
    for (std::size_t k = 0; k < operands.size(); ++k) {
      const Shape& x = operands[k];
      const Index own = back <= x.size() ? x[x.size() - back] : 1;
      stride[k] = own == 1 ? 0 : unit[k];
      unit[k] *= own;
    }
    if (size == 1) continue;
    bool merges = !sizes.empty();
    for (std::size_t k = 0; merges && k < operands.size(); ++k)
      merges = stride[k] == strides.front()[k] * sizes.front();
    if (merges) {
      sizes.front() *= size;
    } else {
      sizes.insert(sizes.begin(), size);
      strides.insert(strides.begin(), stride);
    }
  }
  if (sizes.empty()) {
    sizes = {1};
    strides = {{1, 1, 1}};
  }
}

Broadcast::Broadcast(std::span<const TensorInfo> operands)
    : shape_(join_shapes(operands)), size_(count(shape_)), axes_(shape_, shapes_of(operands)) {
  for (std::size_t k = 0; k < operands.size(); ++k) {
    const Shape& x = operands[k].shape;
    counts_[k] = count(x);
    std::vector<bool> repeated(shape_.size(), true);
    const std::size_t lead = shape_.size() - x.size();
    for (std::size_t i = 0; i < x.size(); ++i) repeated[lead + i] = x[i] != shape_[lead + i];
    folds_.emplace_back(shape_, repeated);
  }
  const std::size_t depth = axes_.sizes.size();
  cols_ = axes_.sizes[depth - 1];
  inner_ = depth > 1 ? axes_.sizes[depth - 2] : 1;
  outer_ = 1;
  for (std::size_t d = 0; d + 2 < depth; ++d) outer_ *= axes_.sizes[d];
  for (std::size_t k = 0; k < 3; ++k) {
    walk_.col[k] = axes_.strides[depth - 1][k];
    walk_.row[k] = depth > 1 ? axes_.strides[depth - 2][k] : 0;
  }
}

}  // namespace fastgd
