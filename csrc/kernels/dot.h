// The inner product of two vectors.
#pragma once

#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// The sum of a[p] * x[p] with two accumulators, even and odd vectors: the same for a row wherever it is.
// The operands come from a(p, where) and x(p, where), a vector for the elements from p on.
template <class T, class A, class X>
FASTGD_INLINE Vec<T> dot_vector(Index k, A a, X x) {
  constexpr Index lanes = kLanes<T>;
  Vec<T> even{}, odd{};
  Index p = 0;
  for (; p + 2 * lanes <= k; p += 2 * lanes) {
    even = fma(a(p, Whole{}), x(p, Whole{}), even);
    odd = fma(a(p + lanes, Whole{}), x(p + lanes, Whole{}), odd);
  }
  for_vectors<T>(k - p, [&](Index i, auto where) { even = fma(a(p + i, where), x(p + i, where), even); });
  return even + odd;
}

template <class T>
FASTGD_INLINE T dot(Index k, const T* a, const T* x) {
  const auto at = [](const T* v) { return [v](Index p, auto where) { return load(v + p, where); }; };
  return sum<T>(dot_vector<T>(k, at(a), at(x)));
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
