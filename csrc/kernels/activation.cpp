// Elementwise functions and their gradients, all made from the one list; and the rectifier with a trained slope.
#include "simd/activation.h"
#include "kernels/families.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
void map_activation(ActivationSpec<T> f, Index n, const T* x, T* y) {
  if (f.function == Activation::linear && x == y) return;
  with_activation<T>(f.function, [=](auto g) { apply(g, f, n, x, y); });
}

template <class T>
void map_activation_backward(ActivationSpec<T> f, Index n, const T* v, const T* dy, T* dx) {
  if (f.function == Activation::linear && dx == dy) return;
  with_activation<T>(f.function, [=](auto g) {
    for_vectors<T>(n, [=](Index i, auto where) {
      store<T>(dx + i, g.gradient(load(v + i, where), load(dy + i, where), f), where);
    });
  });
}

// x below 0 times its slope, x above; 0 and NaN as they are.
template <class T>
FASTGD_INLINE Vec<T> rectify(Vec<T> x, Vec<T> alpha) {
  return select(x < T(0), alpha * x, x);
}

template <class T>
void prelu_rows(Index rows, Index cols, const T* x, const T* alpha, T* y) {
  for (Index row = 0; row < rows; ++row, x += cols, y += cols)
    for_vectors<T>(cols, [=](Index j, auto where) {
      store<T>(y + j, rectify<T>(load(x + j, where), load(alpha + j, where)), where);
    });
}

template <class T>
void prelu_rows_backward(Index rows, Index cols, const T* x, const T* alpha, const T* dy, T* dx) {
  for (Index row = 0; row < rows; ++row, x += cols, dy += cols, dx += cols)
    for_vectors<T>(cols, [=](Index j, auto where) {
      const Vec<T> v = load(x + j, where), d = load(dy + j, where);
      store<T>(dx + j, select(v > T(0), d, select(v < T(0), d * load(alpha + j, where), Vec<T>{})), where);
    });
}

template <class T>
void prelu_columns(Index rows, Index cols, Index stride, const T* x, const T* dy, T* sum, bool accumulate) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    Vec<T> total = accumulate ? load(sum + j, where) : Vec<T>{};
    for (Index row = 0; row < rows; ++row) {
      const Vec<T> v = load(x + row * stride + j, where);
      total += select(v < T(0), v * load(dy + row * stride + j, where), Vec<T>{});
    }
    store<T>(sum + j, total, where);
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                      \
  void activation(ActivationSpec<T> f, Index n, const T* x, T* y) noexcept { map_activation(f, n, x, y); }            \
  void activation_backward(ActivationSpec<T> f, Index n, const T* v, const T* dy, T* dx) noexcept {                   \
    map_activation_backward(f, n, v, dy, dx);                                                                         \
  }                                                                                                                   \
  void prelu(Index rows, Index cols, const T* x, const T* alpha, T* y) noexcept {                                     \
    prelu_rows(rows, cols, x, alpha, y);                                                                              \
  }                                                                                                                   \
  void prelu_backward(Index rows, Index cols, const T* x, const T* alpha, const T* dy, T* dx) noexcept {              \
    prelu_rows_backward(rows, cols, x, alpha, dy, dx);                                                                \
  }                                                                                                                   \
  void prelu_alpha(Index rows, Index cols, Index stride, const T* x, const T* dy, T* sum, bool accumulate) noexcept { \
    prelu_columns(rows, cols, stride, x, dy, sum, accumulate);                                                        \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
