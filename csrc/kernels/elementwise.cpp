// Kernels that work element by element: elementary functions, add, fill.
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
  apply(Function<T, Activation::tanh>{}, Spec<T>{}, n, x, y);
}

template <class T>
void map_sigmoid(Index n, const T* x, T* y) {
  map(n, x, y, [](Vec<T> v) { return sigmoid<T>(v); });
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

#define FASTGD_DEFINE_KERNELS(T)                                                    \
  void exp(Index n, const T* x, T* y) noexcept { map_exp(n, x, y); }                \
  void log(Index n, const T* x, T* y) noexcept { map_log(n, x, y); }                \
  void tanh(Index n, const T* x, T* y) noexcept { map_tanh(n, x, y); }              \
  void sigmoid(Index n, const T* x, T* y) noexcept { map_sigmoid(n, x, y); }        \
  void add(Index n, const T* a, const T* b, T* y) noexcept { map_add(n, a, b, y); } \
  void fill(Index n, T value, T* y) noexcept { map_fill(n, value, y); }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
