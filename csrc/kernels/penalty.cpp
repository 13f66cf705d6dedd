// The penalties l1 |x| + l2 x^2 and their gradient, and the norms that constraints hold within bounds.
#include "kernels/families.h"
#include "kernels/wide.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
void sum_penalty(Index rows, Index cols, T l1, T l2, const T* x, double* v) {
  for (Index row = 0; row < rows; ++row, x += cols) {
    WideSum<T> total;
    for_vectors<T>(cols, [&](Index j, auto where) {
      const Vec<T> e = load(x + j, where);
      total.add(fma(l2 * e, e, l1 * max(-e, e)));
    });
    v[row] = total.sum_of_lanes();
  }
}

template <bool kAdds, class T>
void slope_penalty(Index n, T l1, T l2, const T* x, const T* g, T* y) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> e = load(x + i, where);
    const Vec<T> sign = select(e > T(0), splat<T>(l1), select(e < T(0), splat<T>(-l1), Vec<T>{}));
    const Vec<T> slope = fma(splat<T>(2 * l2), e, sign);
    store<T>(y + i, kAdds ? load(g + i, where) + slope : slope, where);
  });
}

template <class T>
FASTGD_INLINE Vec<T> norm_factor(Vec<T> norm, const NormBounds<T>& bounds) {
  const Vec<T> held = min(splat<T>(bounds.high), max(splat<T>(bounds.low), norm));
  return (bounds.rate * held + (T(1) - bounds.rate) * norm) / (bounds.epsilon + norm);
}

// The elements of one row.
template <class T>
void bound_row(Index cols, const NormBounds<T>& bounds, T* w) {
  WideSum<T> total;
  for_vectors<T>(cols, [&](Index j, auto where) {
    const Vec<T> e = load(w + j, where);
    total.add(e * e);
  });
  const Vec<T> factor = norm_factor<T>(sqrt(splat<T>(static_cast<T>(total.sum_of_lanes()))), bounds);
  for_vectors<T>(cols, [=](Index j, auto where) { store<T>(w + j, load(w + j, where) * factor, where); });
}

template <class T>
void bound_columns(Index rows, Index cols, Index w_row, const NormBounds<T>& bounds, T* w) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    WideSum<T> total;
    for (Index i = 0; i < rows; ++i) {
      const Vec<T> e = load(w + i * w_row + j, where);
      total.add(e * e);
    }
    const Vec<T> factor = norm_factor<T>(sqrt(total.narrow()), bounds);
    for (Index i = 0; i < rows; ++i) {
      T* const at = w + i * w_row + j;
      store<T>(at, load(at, where) * factor, where);
    }
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                              \
  void penalty(Index rows, Index cols, T l1, T l2, const T* x, double* v) noexcept {                          \
    sum_penalty(rows, cols, l1, l2, x, v);                                                                    \
  }                                                                                                           \
  void penalty_gradient(Index n, T l1, T l2, const T* x, const T* g, T* y) noexcept {                         \
    if (g != nullptr)                                                                                         \
      slope_penalty<true>(n, l1, l2, x, g, y);                                                                \
    else                                                                                                      \
      slope_penalty<false>(n, l1, l2, x, g, y);                                                               \
  }                                                                                                           \
  void bound_row_norm(Index cols, const NormBounds<T>& bounds, T* w) noexcept { bound_row(cols, bounds, w); } \
  void bound_column_norms(Index rows, Index cols, Index w_row, const NormBounds<T>& bounds, T* w) noexcept {  \
    bound_columns(rows, cols, w_row, bounds, w);                                                              \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
