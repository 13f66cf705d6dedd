// What the elementwise kernels share: a function of vectors applied to whole arrays.
#pragma once

#include "simd/math.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// y = f(x).
template <class T, class F>
FASTGD_INLINE void map(Index n, const T* x, T* y, F f) {
  for_vectors<T>(n, [=](Index i, auto where) { store<T>(y + i, f(load(x + i, where)), where); });
}

// y = f(a, b).
template <class T, class F>
FASTGD_INLINE void map(Index n, const T* a, const T* b, T* y, F f) {
  for_vectors<T>(n, [=](Index i, auto where) { store<T>(y + i, f(load(a + i, where), load(b + i, where)), where); });
}

// 1 where the mask is set, else 0.
template <class T, class M>
FASTGD_INLINE Vec<T> truth(M mask) {
  return select(mask, splat<T>(1), Vec<T>{});
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
