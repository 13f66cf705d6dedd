// Products of a matrix and a vector, which are bound by the reading of the matrix: always along its rows.
#include "kernels/dot.h"
#include "kernels/families.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
void rows_times_vector(Index rows, Index k, const T* a, Index a_row, const T* x, T* y, bool accumulate) {
  for (Index i = 0; i < rows; ++i, a += a_row) {
    const T value = dot(k, a, x);
    y[i] = accumulate ? y[i] + value : value;
  }
}

// Rows of the matrix taken at a time: as many streams as the prefetcher follows, and y passes through the registers
// once for all of them.
constexpr Index kStreams = 8;

// y (+)= x[0] a[0, :] + x[1] a[1, :] + ..., every element one chain in this order.
template <class T, Index rows>
FASTGD_INLINE void add_rows(Index n, const T* a, Index a_row, const T* x, T* y, bool from_zero) {
  for_vectors<T>(n, [=](Index j, auto where) {
    Vec<T> sum = from_zero ? Vec<T>{} : load(y + j, where);
#pragma GCC unroll 8
    for (Index r = 0; r < rows; ++r) sum = fma(splat<T>(x[r]), load(a + r * a_row + j, where), sum);
    store<T>(y + j, sum, where);
  });
}

template <class T>
void vector_times_rows(Index k, Index n, const T* a, Index a_row, const T* x, T* y, bool accumulate) {
  bool from_zero = !accumulate;
  Index p = 0;
  for (; p + kStreams <= k; p += kStreams) {
    add_rows<T, kStreams>(n, a + p * a_row, a_row, x + p, y, from_zero);
    from_zero = false;
  }
  for (; p < k; ++p) {
    add_rows<T, 1>(n, a + p * a_row, a_row, x + p, y, from_zero);
    from_zero = false;
  }
  if (from_zero) add_rows<T, 0>(n, a, a_row, x, y, true);
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                \
  void gemv(Index rows, Index k, const T* a, Index a_row, const T* x, T* y, bool accumulate) noexcept {         \
    rows_times_vector(rows, k, a, a_row, x, y, accumulate);                                                     \
  }                                                                                                             \
  void gemv_transposed(Index k, Index n, const T* a, Index a_row, const T* x, T* y, bool accumulate) noexcept { \
    vector_times_rows(k, n, a, a_row, x, y, accumulate);                                                        \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
