// What the kernels that work on rows share: sums, maxima and the softmax of one row, in an order that only `cols`
// decides.
#pragma once

#include "simd/math.h"
#include "simd/transpose.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
constexpr T kInfinity = static_cast<T>(__builtin_inf());
template <class T>
constexpr T kNaN = static_cast<T>(__builtin_nan(""));

// The sum over j of f(j, where), a vector for the elements from j on.
template <class T, class F>
FASTGD_INLINE T row_sum(Index cols, F f) {
  Vec<T> total{};
  for_vectors<T>(cols, [&](Index j, auto where) { total += within<T>(where, f(j, where), Vec<T>{}); });
  return sum<T>(total);
}

// The largest element that is not NaN, or -inf.
template <class T>
FASTGD_INLINE T row_max(Index cols, const T* x) {
  Vec<T> most = splat<T>(-kInfinity<T>);
  for_vectors<T>(cols, [&](Index j, auto where) {
    most = max(within<T>(where, load(x + j, where), splat<T>(-kInfinity<T>)), most);
  });
  return max_of<T>(most);
}

// 1 in the lane of the label among the elements from j on, else 0.
template <class T>
FASTGD_INLINE Vec<T> one_hot(Index j, std::int32_t label) {
  using Int = typename VecTypes<T>::Int;
  return select(lane_numbers<T>() == static_cast<Int>(label - j), splat<T>(1), Vec<T>{});
}

FASTGD_INLINE bool is_label(std::int32_t label, Index cols) { return label >= 0 && label < cols; }

// What the softmax of a row leaves for a loss: log sum exp x = most + log(total).
template <class T>
struct SoftmaxRow {
  T most, total;
};

// y = exp(x - max x) / sum of the same. In place allowed.
template <class T>
FASTGD_INLINE SoftmaxRow<T> softmax_row(Index cols, const T* x, T* y) {
  if (cols <= kLanes<T>) {
    // One register from load to store. The lanes beyond the row hold e^-inf = 0.
    const Part part{cols};
    const Vec<T> v = within<T>(part, load(x, part), splat<T>(-kInfinity<T>));
    const T most = max_of<T>(v);
    const Vec<T> e = exp_of_negative<T>(v - most);
    const T total = sum<T>(e);
    store<T>(y, e * (T(1) / total), part);
    return {most, total};
  }
  const T most = row_max(cols, x);
  const T total = row_sum<T>(cols, [=](Index j, auto where) {
    const Vec<T> e = exp_of_negative<T>(load(x + j, where) - most);
    store<T>(y + j, e, where);
    return e;
  });
  const T factor = T(1) / total;
  for_vectors<T>(cols, [=](Index j, auto where) { store<T>(y + j, load(y + j, where) * factor, where); });
  return {most, total};
}

// One result of f(low, high) from a value for each lane, in the order of `fold`.
template <class T, class F>
FASTGD_INLINE Vec<T> fold_columns(const Vec<T>* column, F f) {
  Vec<T> v[kLanes<T> / 2];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes<T> / 2; ++i) v[i] = f(column[i], column[i + kLanes<T> / 2]);
#pragma GCC unroll 4
  for (int half = static_cast<int>(kLanes<T>) / 4; half > 0; half /= 2)
#pragma GCC unroll 16
    for (int i = 0; i < half; ++i) v[i] = f(v[i], v[i + half]);
  return v[0];
}

// softmax_row for as many rows as a vector has lanes, each of at most as many columns, with the same bits: every row
// in a lane of its own, so that no sum and no maximum goes across lanes. column(j, x - max x) sees each column j.
template <class T, class F>
FASTGD_INLINE Vec<T> softmax_block(Index cols, const T* x, T* y, F column) {
  constexpr Index lanes = kLanes<T>;
  const Part part{cols};
  Vec<T> v[lanes];
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i) v[i] = within<T>(part, load(x + i * cols, part), splat<T>(-kInfinity<T>));
  transpose_block<T>(v);
  const Vec<T> most = fold_columns<T>(v, Max{});
#pragma GCC unroll 16
  for (int j = 0; j < lanes; ++j) {
    if (j >= cols) {
      v[j] = Vec<T>{};
      continue;
    }
    const Vec<T> below = v[j] - most;
    column(j, below);
    v[j] = exp_of_negative<T>(below);
  }
  const Vec<T> total = fold_columns<T>(v, Sum{});
  const Vec<T> factor = T(1) / total;
#pragma GCC unroll 16
  for (int j = 0; j < lanes; ++j) v[j] = v[j] * factor;
  transpose_block<T>(v);
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i) store<T>(y + i * cols, v[i], part);
  return total;
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
