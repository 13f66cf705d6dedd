// Turning a square block of vectors in registers.
#pragma once

#include "simd/indices.h"
#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Two rows exchange halves of every stretch of 2 * half lanes: the first keeps its lower halves and takes the other's.
template <class T, int half, int... l>
FASTGD_INLINE void exchange(Vec<T>& a, Vec<T>& b, Indices<l...>) {
  const Vec<T> first = a, second = b;
  a = __builtin_shufflevector(first, second, ((l & half) == 0 ? l : int(kLanes<T>) + l - half)...);
  b = __builtin_shufflevector(first, second, ((l & half) == 0 ? l + half : int(kLanes<T>) + l)...);
}

template <class T, int half>
FASTGD_INLINE void exchange(Vec<T>* v) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes<T>; ++i)
    if ((i & half) == 0) exchange<T, half>(v[i], v[i + half], Count<int(kLanes<T>)>{});
}

// v[i][j] and v[j][i] change places, for a block of lanes x lanes. Halves of all widths are exchanged, one bit of the
// two positions after the other.
template <class T>
FASTGD_INLINE void transpose_block(Vec<T>* v) {
  if constexpr (kLanes<T> >= 16) exchange<T, 8>(v);
  if constexpr (kLanes<T> >= 8) exchange<T, 4>(v);
  if constexpr (kLanes<T> >= 4) exchange<T, 2>(v);
  exchange<T, 1>(v);
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
