// Kernels that work element by element: elementary functions, activations and their derivatives, add, fill.
#include "kernels/families.h"
#include "kernels/map.h"
#include "simd/activation.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
void map_exp(Index n, const T* x, T* y) {
  map(n, x, y, [](Vec<T> v) { return exp<T>(v); });
}

template <class T>
void map_log(Index n, const T* x, T* y) {
  map(n, x, y, [](Vec<T> v) { return log<T>(v); });
}

template <class T>
void map_tanh(Index n, const T* x, T* y) {
  map(n, x, y, [](Vec<T> v) { return tanh<T>(v); });
}

template <class T>
void map_sigmoid(Index n, const T* x, T* y) {
  map(n, x, y, [](Vec<T> v) { return sigmoid<T>(v); });
}

template <class T>
void map_activation(Activation f, T slope, Index n, const T* x, T* y) {
  if (f == Activation::linear && x == y) return;
  with_activation<T>(f, slope, [=](auto g) { map(n, x, y, g); });
}

template <class T>
void map_activation_backward(Activation f, T slope, Index n, const T* y, const T* dy, T* dx) {
  switch (f) {
    case Activation::linear:
      if (dx != dy) map(n, dy, dx, [](Vec<T> d) { return d; });
      break;
    case Activation::sigmoid:
      map(n, y, dy, dx, [](Vec<T> v, Vec<T> d) { return d * (v * (T(1) - v)); });
      break;
    case Activation::tanh:
      // (1 - y)(1 + y) keeps its precision where y is near 1 or -1.
      map(n, y, dy, dx, [](Vec<T> v, Vec<T> d) { return d * ((T(1) - v) * (T(1) + v)); });
      break;
    case Activation::relu:
      map(n, y, dy, dx, [](Vec<T> v, Vec<T> d) { return select(v > T(0), d, Vec<T>{}); });
      break;
    case Activation::leaky_relu:
      map(n, y, dy, dx, [=](Vec<T> v, Vec<T> d) { return select(v > T(0), d, d * slope); });
      break;
  }
}

template <class T>
void map_add(Index n, const T* a, const T* b, T* y) {
  map(n, a, b, y, [](Vec<T> u, Vec<T> v) { return u + v; });
}

template <class T>
void map_fill(Index n, T value, T* y) {
  for_vectors<T>(n, [=](Index i, auto where) { store<T>(y + i, splat<T>(value), where); });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                    \
  void exp(Index n, const T* x, T* y) noexcept { map_exp(n, x, y); }                                                \
  void log(Index n, const T* x, T* y) noexcept { map_log(n, x, y); }                                                \
  void tanh(Index n, const T* x, T* y) noexcept { map_tanh(n, x, y); }                                              \
  void sigmoid(Index n, const T* x, T* y) noexcept { map_sigmoid(n, x, y); }                                        \
  void activation(Activation f, T slope, Index n, const T* x, T* y) noexcept { map_activation(f, slope, n, x, y); } \
  void activation_backward(Activation f, T slope, Index n, const T* y, const T* dy, T* dx) noexcept {               \
    map_activation_backward(f, slope, n, y, dy, dx);                                                                \
  }                                                                                                                 \
  void add(Index n, const T* a, const T* b, T* y) noexcept { map_add(n, a, b, y); }                                 \
  void fill(Index n, T value, T* y) noexcept { map_fill(n, value, y); }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
