// The update rules, in place over flat vectors.
#include "kernels/families.h"
#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
void sgd_update(Index n, T rate, const T* g, T* w) {
  for_vectors<T>(n, [=](Index i, auto where) {
    store<T>(w + i, fma(splat<T>(-rate), load(g + i, where), load(w + i, where)), where);
  });
}

template <class T>
void momentum_update(Index n, T rate, T momentum, bool nesterov, const T* g, T* w, T* v) {
  // Both forms are w += a v + b rate g of the new v.
  const T again = nesterov ? momentum : T(1), slip = nesterov ? -rate : T(0);
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad = load(g + i, where);
    const Vec<T> speed = fma(splat<T>(momentum), load(v + i, where), -rate * grad);
    store<T>(v + i, speed, where);
    const Vec<T> step = nesterov ? fma(splat<T>(again), speed, slip * grad) : speed;
    store<T>(w + i, load(w + i, where) + step, where);
  });
}

template <class T>
void adam_update(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m, T* v) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad = load(g + i, where);
    const Vec<T> old_m = load(m + i, where), old_v = load(v + i, where);
    const Vec<T> new_m = fma(grad - old_m, splat<T>(one_minus_beta_1), old_m);
    const Vec<T> new_v = fma(fma(grad, grad, -old_v), splat<T>(one_minus_beta_2), old_v);
    store<T>(m + i, new_m, where);
    store<T>(v + i, new_v, where);
    store<T>(w + i, load(w + i, where) - rate * new_m / (sqrt(new_v) + epsilon), where);
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                          \
  void sgd(Index n, T rate, const T* g, T* w) noexcept { sgd_update(n, rate, g, w); }                                     \
  void momentum(Index n, T rate, T momentum, bool nesterov, const T* g, T* w, T* v) noexcept {                            \
    momentum_update(n, rate, momentum, nesterov, g, w, v);                                                                \
  }                                                                                                                       \
  void adam(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m, T* v) noexcept {  \
    adam_update(n, rate, one_minus_beta_1, one_minus_beta_2, epsilon, g, w, m, v);                                        \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
