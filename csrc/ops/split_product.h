// A product whose sums are cut into parts, so that each thread reads only some rows of the second operand.
#pragma once

#include <algorithm>
#include <vector>

#include "base/buffer.h"
#include "ops/matmul.h"

namespace fastgd {

// C (m x n) = A (m x k) B (k x n), where it pays as the sum of parts that each take a stretch of k. Where B holds
// parameters that one thread updates row by row, the same thread can read them in the next batch: they never leave its
// second cache. The parts follow from the shape alone and are added in one order, so that the team changes no bit of
// the result.
template <class T>
class SplitProduct {
 public:
  SplitProduct() = default;
  SplitProduct(const Kernels<T>& kernels, Index m, Index n, Index k) : m_(m), n_(n), k_(k) {
    const Index parts = count_parts(m, n, k);
    for (Index i = 0; i < parts; ++i) {
      const ProductShape part{m, n, stretch(i, parts).size(), false, false, k, n, n};
      parts_.emplace_back(kernels, parts == 1 ? ProductShape{m, n, k} : part);
      room_ = std::max(room_, parts_.back().scratch_bytes() / static_cast<Index>(sizeof(T)));
    }
  }

  // Whether each thread makes columns of C from whole sums.
  bool by_columns() const { return parts_.size() == 1 && parts_[0].by_columns(); }
  double work() const { return 2.0 * static_cast<double>(m_) * static_cast<double>(n_) * static_cast<double>(k_); }
  Index scratch_bytes() const {
    const Index parts = static_cast<Index>(parts_.size());
    return multiply(multiply(parts, room_) + multiply(parts - 1, sums()), sizeof(T));
  }

  // All of the team calls this together. The scratch is free again only after the caller's next sync.
  void run(const Kernels<T>& k, const T* a, const T* b, T* c, const Epilogue<T>& epilogue, T* scratch,
           const Worker& who) const noexcept {
    const Index parts = static_cast<Index>(parts_.size());
    if (parts == 1) return parts_[0].run(k, a, b, c, false, epilogue, scratch, who);
    T* const sums_of_parts = scratch + parts * room_;
    const Range mine = who.share(parts);
    for (Index i = mine.begin; i < mine.end; ++i) {
      const Index first = stretch(i, parts).begin;
      T* const sum = i == 0 ? c : sums_of_parts + (i - 1) * sums();
      const Epilogue<T> bias{i == 0 ? epilogue.bias : nullptr, {}};
      parts_[static_cast<std::size_t>(i)].run(k, a + first, b + first * n_, sum, false, bias, scratch + i * room_,
                                              Worker());
    }
    who.sync();
    const Range part = who.share(m_ * n_, k.lanes);
    if (part.size() <= 0) return;
    T* const y = c + part.begin;
    for (Index i = 1; i < parts; ++i) k.add(part.size(), y, sums_of_parts + (i - 1) * sums() + part.begin, y);
    if (epilogue.activation.function != Activation::linear) k.activation(epilogue.activation, part.size(), y, y);
  }

 private:
  // What is written and read again must be little beside the parameters, and those must fit the second caches.
  // A part is long enough for the tiles to run, and a batch of a few samples is over before there is anything to gain.
  static constexpr Index kMostParts = 4, kShare = 4, kMostBytes = 2 * 1024 * 1024;
  static constexpr Index kLeastStretch = 128, kLeastRows = 8, kLeastColumns = 16;

  static Index count_parts(Index m, Index n, Index k) {
    if (m < kLeastRows || n < kLeastColumns || n * k * static_cast<Index>(sizeof(T)) > kMostBytes) return 1;
    const Index most = std::min({kMostParts, k / (kShare * m), k / kLeastStretch});
    Index parts = 1;
    while (2 * parts <= most) parts *= 2;
    return parts;
  }

  Range stretch(Index i, Index parts) const { return {k_ * i / parts, k_ * (i + 1) / parts}; }
  // From the sums of one part to those of the next.
  Index sums() const { return round_up(m_ * n_, 2 * kAlignment / static_cast<Index>(sizeof(T))); }

  Index m_ = 0, n_ = 0, k_ = 0;
  std::vector<Product<T>> parts_;
  Index room_ = 0;  // elements of scratch for one part
};

}  // namespace fastgd
