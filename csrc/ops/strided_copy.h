// Copies between two arrays by strides: what transposing, slicing, padding and broadcasting have in common.
#pragma once

#include <cstdlib>

#include "ops/loops.h"
#include "ops/op.h"

namespace fastgd {

// y[i * y strides + y_begin] = x[i * x strides + x_begin] for all i within the sizes. Every element of y is met once.
class StridedCopy {
 public:
  StridedCopy() = default;
  explicit StridedCopy(LoopAxes axes, Index x_begin = 0, Index y_begin = 0) : x_begin_(x_begin), y_begin_(y_begin) {
    // The order of the loops is free: y is written from end to end.
    std::stable_sort(axes.begin(), axes.end(),
                     [](const LoopAxis& a, const LoopAxis& b) { return std::abs(a.y) > std::abs(b.y); });
    axes = merged(axes);
    cols_ = axes.back();
    axes.pop_back();
    // Where x runs along another axis, the block of both is transposed.
    auto rows = axes.end();
    if (cols_.y == 1 && cols_.x > 1)
      rows = std::find_if(axes.begin(), axes.end(), [](const LoopAxis& a) { return a.x == 1; });
    turned_ = rows != axes.end();
    if (!turned_ && !axes.empty()) rows = axes.end() - 1;
    if (rows != axes.end()) {
      rows_ = *rows;
      axes.erase(rows);
    }
    // The transposing kernel takes rows that follow one another upwards.
    turned_ = turned_ && rows_.y > 0;
    outer_ = LoopNest(std::move(axes));
  }

  // The same elements the other way.
  static StridedCopy back(LoopAxes axes, Index x_begin = 0, Index y_begin = 0) {
    for (LoopAxis& a : axes) std::swap(a.x, a.y);
    return StridedCopy(std::move(axes), y_begin, x_begin);
  }

  template <class T>
  void run(const Kernels<T>& kernels, const Worker& who, const T* x, T* y) const noexcept {
    Range items{0, outer_.items()}, rows{0, rows_.size}, cols{0, cols_.size};
    if (items.end >= 4 * who.size) {
      items = who.share(items.end);
    } else if (rows.end >= cols.end) {
      rows = who.share(rows.end, kernels.lanes);
    } else {
      cols = who.share(cols.end, kernels.lanes);
    }
    if (rows.size() < 1 || cols.size() < 1) return;
    for (Index i = items.begin; i < items.end; ++i) {
      const LoopNest::Place place = outer_.at(i);
      const T* from = x + (x_begin_ + place.x + rows.begin * rows_.x + cols.begin * cols_.x);
      T* to = y + (y_begin_ + place.y + rows.begin * rows_.y + cols.begin * cols_.y);
      if (turned_) {
        kernels.transpose(cols.size(), rows.size(), from, cols_.x, to, rows_.y);
      } else {
        kernels.copy_strided(rows.size(), cols.size(), from, rows_.x, cols_.x, to, rows_.y, cols_.y);
      }
    }
  }

 private:
  LoopNest outer_;
  LoopAxis rows_{1, 0, 0}, cols_{1, 1, 1};
  Index x_begin_ = 0, y_begin_ = 0;
  bool turned_ = false;
};

// What the ops that move elements without computing share: integer tensors are moved by the kernels of their width.
template <class T>
class MovingOp : public Op<T> {
 protected:
  MovingOp(const OpSetup& s, std::size_t inputs) : floats_(&s.table.of<float>()) {
    s.expect_inputs(inputs);
    s.expect_params(0, 0);
    integer_ = s.inputs[0].integer;
  }

  void set_output(const Shape& y) {
    this->traits.outputs = {{y, integer_}};
    this->traits.integer_inputs = integer_ ? 1 : 0;
    this->traits.forward_work = static_cast<double>(count(y));
    this->traits.backward_work = this->traits.forward_work;
  }

  // Calls f(kernels, x, y) with the types of the elements.
  template <class F>
  void with_elements(const Call<T>& c, F f) const noexcept {
    if (integer_) {
      f(*floats_, reinterpret_cast<const float*>(c.x[0]), reinterpret_cast<float*>(c.y[0]));
    } else {
      f(*c.kernels, c.x[0], c.y[0]);
    }
  }

  void copy(const Call<T>& c, const Worker& who, const StridedCopy& moves) const noexcept {
    with_elements(c, [&](const auto& kernels, const auto* x, auto* y) { moves.run(kernels, who, x, y); });
  }

  // Fills y of n elements, and returns when all of it is filled.
  template <class U>
  static void fill(const Kernels<U>& kernels, const Worker& who, Index n, U value, U* y) noexcept {
    const Range part = who.share(n, kernels.lanes);
    kernels.fill(part.size(), value, y + part.begin);
    who.sync();
  }

  bool integer_ = false;

 private:
  const Kernels<float>* floats_;
};

}  // namespace fastgd
