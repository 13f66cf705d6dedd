// Reducing a tensor over any of its axes: one run of neighbouring axes after the other, the last one first.
#pragma once

#include <vector>

#include "ops/op.h"

namespace fastgd {

class Folding {
 public:
  Folding() = default;
  // Reduces the axes of `shape` that are marked.
  Folding(const Shape& shape, const std::vector<bool>& reduced) {
    struct Group {
      Index size;
      bool reduced;
    };
    std::vector<Group> groups;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 1) continue;
      if (groups.empty() || groups.back().reduced != reduced[i]) groups.push_back({1, reduced[i]});
      groups.back().size = multiply(groups.back().size, shape[i]);
    }
    Index outer = count(shape), inner = 1;
    for (std::size_t g = groups.size(); g-- > 0;) {
      outer = 1;
      for (std::size_t i = 0; i < g; ++i) outer = multiply(outer, groups[i].size);
      if (groups[g].reduced) {
        add_pass(outer, groups[g].size, inner);
      } else {
        inner = multiply(inner, groups[g].size);
      }
    }
    if (passes_.empty()) passes_.push_back({groups.empty() ? 1 : inner, 1, 1, 1});
    for (std::size_t p = 0; p + 1 < passes_.size(); ++p) scratch_ += passes_[p].outputs();
  }

  // How many values `run` needs between its passes.
  Index scratch_size() const { return scratch_; }

  template <class T>
  void run(const Kernels<T>& kernels, const Worker& who, Fold f, const T* x, T* y, T* scratch) const noexcept {
    for (std::size_t p = 0; p < passes_.size(); ++p) {
      if (p > 0) who.sync();
      T* const to = p + 1 < passes_.size() ? scratch : y;
      run_pass(passes_[p], kernels, who, f, x, to);
      x = to;
      scratch += passes_[p].outputs();
    }
  }

 private:
  // x (outer, length, inner) gives y (outer, chunks, inner).
  struct Pass {
    Index outer, length, inner, chunks;
    Index outputs() const { return outer * chunks * inner; }
  };

  // So many terms are one thread's work; their number depends on nothing but the length.
  static constexpr Index kChunk = 2048;

  void add_pass(Index outer, Index length, Index inner) {
    for (; length > kChunk; length = passes_.back().chunks)
      passes_.push_back({outer, length, inner, (length + kChunk - 1) / kChunk});
    passes_.push_back({outer, length, inner, 1});
  }

  template <class T>
  static void run_pass(const Pass& p, const Kernels<T>& kernels, const Worker& who, Fold f, const T* x, T* y) noexcept {
    if (p.inner == 1 && p.chunks == 1) {
      const Range rows = who.share(p.outer);
      kernels.reduce_rows(f, rows.size(), p.length, x + rows.begin * p.length, y + rows.begin);
      return;
    }
    Range items{0, p.outer * p.chunks}, cols{0, p.inner};
    if (items.end >= 4 * who.size || p.inner < who.size * kernels.lanes) {
      items = who.share(items.end);
    } else {
      cols = who.share(p.inner, kernels.lanes);
    }
    for (Index item = items.begin; item < items.end; ++item) {
      const Index begin = item % p.chunks * kChunk;
      const Index length = p.chunks == 1 ? p.length : std::min(kChunk, p.length - begin);
      const T* from = x + (item / p.chunks * p.length + begin) * p.inner + cols.begin;
      T* to = y + item * p.inner + cols.begin;
      if (p.inner == 1) {
        kernels.reduce_rows(f, 1, length, from, to);
      } else {
        kernels.reduce_columns(f, length, cols.size(), from, p.inner, to);
      }
    }
  }

  std::vector<Pass> passes_;
  Index scratch_ = 0;
};

}  // namespace fastgd
