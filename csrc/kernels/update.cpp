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

// m / (sqrt(v) + epsilon).
template <class T>
FASTGD_INLINE Vec<T> adam_step(Vec<T> m, Vec<T> v, T epsilon) {
  if constexpr (kHasEstimates<T>) {
    // Division and root are the slowest instructions there are: one Newton step each, on estimates of 14 bits, gives
    // the result within two units in the last place. The bounds keep the root of 0 and of infinity from becoming NaN.
    const Vec<T> bounded = min(splat<T>(T(0x1.fffffep127)), max(splat<T>(T(0x1p-126)), v));
    const Vec<T> y = estimate_reciprocal_root(bounded);
    const Vec<T> g = bounded * y, h = T(0.5) * y;
    const Vec<T> root = fma(fma(-g, h, splat<T>(T(0.5))), g, g) + epsilon;
    const Vec<T> inverse = estimate_reciprocal(root), quotient = m * inverse;
    return fma(fma(-quotient, root, m), inverse, quotient);
  } else {
    return m / (sqrt(v) + epsilon);
  }
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
    store<T>(w + i, fma(splat<T>(-rate), adam_step<T>(new_m, new_v, epsilon), load(w + i, where)), where);
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                        \
  void sgd(Index n, T rate, const T* g, T* w) noexcept { sgd_update(n, rate, g, w); }                   \
  void momentum(Index n, T rate, T momentum, bool nesterov, const T* g, T* w, T* v) noexcept {          \
    momentum_update(n, rate, momentum, nesterov, g, w, v);                                              \
  }                                                                                                     \
  void adam(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m, \
            T* v) noexcept {                                                                            \
    adam_update(n, rate, one_minus_beta_1, one_minus_beta_2, epsilon, g, w, m, v);                      \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
