// What the losses of probabilities share: smoothed targets, clipping, powers, and logarithms taken a vector at a time.
#pragma once

#include "kernels/rows.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Values that rows leave for one vector of logarithms: a logarithm per row would cost as much as the row.
template <class T>
struct alignas(64) PerRow {
  T value[kLanes<T>] = {};
};

// Calls f(row, i) for the rows, i being its place in a vector, and after each vector of them finish(first row, where).
template <class T, class F, class G>
FASTGD_INLINE void by_vectors_of_rows(Index rows, F f, G finish) {
  for_vectors<T>(rows, [&](Index first, auto where) {
    const Index count = rows - first < kLanes<T> ? rows - first : kLanes<T>;
    for (Index i = 0; i < count; ++i) f(first + i, i);
    finish(first, where);
  });
}

// t' = t (1 - s) + s / c.
template <class T>
struct Smoothing {
  T keep, add;
  FASTGD_INLINE Vec<T> operator()(Vec<T> t) const { return t * keep + add; }
};
template <class T>
FASTGD_INLINE Smoothing<T> smoothing_of(T smoothing, Index cols) {
  return {T(1) - smoothing, smoothing / static_cast<T>(cols)};
}

// Clipped to [epsilon, 1 - epsilon]; NaN stays.
template <class T>
FASTGD_INLINE Vec<T> clipped(Vec<T> r, T epsilon) {
  return min(splat<T>(T(1) - epsilon), max(splat<T>(epsilon), r));
}
// A value only where r is not clipped, else 0.
template <class T>
FASTGD_INLINE Vec<T> unless_clipped(Vec<T> r, T epsilon, Vec<T> value) {
  return select((r < epsilon) | (r > T(1) - epsilon), Vec<T>{}, value);
}
template <class T>
FASTGD_INLINE bool is_clipped(T r, T epsilon) {
  return r < epsilon || r > T(1) - epsilon;
}

// x^e for x >= 0, by multiplication where e is what it mostly is.
template <class T>
FASTGD_INLINE Vec<T> power(Vec<T> x, T e) {
  if (e == T(2)) return x * x;
  if (e == T(1)) return x;
  if (e == T(0)) return splat<T>(1);
  return exp<T>(e * log<T>(x));
}

template <class T>
FASTGD_INLINE T row_total(Index cols, const T* p) {
  return row_sum<T>(cols, [=](Index j, auto where) { return load(p + j, where); });
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
