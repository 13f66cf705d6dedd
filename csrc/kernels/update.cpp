// The update rules, in place over flat vectors.
#include "kernels/families.h"
#include "simd/math.h"

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

// The smallest normal number where d is less: what a gradient of 0 is divided by must not be 0.
template <class T>
FASTGD_INLINE Vec<T> at_least_tiny(Vec<T> d) {
  return max(splat<T>(sizeof(T) == 4 ? T(0x1p-126) : T(0x1p-1022)), d);
}

// x / (sqrt(v) + epsilon).
template <class T>
FASTGD_INLINE Vec<T> over_root(Vec<T> x, Vec<T> v, T epsilon) {
  if constexpr (kHasEstimates<T>) {
    // Division and root are the slowest instructions there are: one Newton step each, on estimates of 14 bits, gives
    // the result within two units in the last place. The bounds keep the root of 0 and of infinity from becoming NaN.
    const Vec<T> bounded = min(splat<T>(T(0x1.fffffep127)), max(splat<T>(T(0x1p-126)), v));
    const Vec<T> y = estimate_reciprocal_root(bounded);
    const Vec<T> g = bounded * y, h = T(0.5) * y;
    const Vec<T> root = fma(fma(-g, h, splat<T>(T(0.5))), g, g) + epsilon;
    const Vec<T> inverse = estimate_reciprocal(root), quotient = x * inverse;
    return fma(fma(-quotient, root, x), inverse, quotient);
  } else {
    return x / at_least_tiny<T>(sqrt(v) + epsilon);
  }
}

// A running mean after it has moved by `share` towards x.
template <class T>
FASTGD_INLINE Vec<T> followed(Vec<T> x, T share, Vec<T> mean) {
  return fma(x - mean, splat<T>(share), mean);
}

// The same for the mean of x^2.
template <class T>
FASTGD_INLINE Vec<T> followed_square(Vec<T> x, T share, Vec<T> mean) {
  return fma(fma(x, x, -mean), splat<T>(share), mean);
}

// Both, stored.
template <class T, class W>
FASTGD_INLINE Vec<T> follow(Vec<T> x, T share, T* mean, W where) {
  const Vec<T> moved = followed<T>(x, share, load(mean, where));
  store<T>(mean, moved, where);
  return moved;
}
template <class T, class W>
FASTGD_INLINE Vec<T> follow_square(Vec<T> x, T share, T* mean, W where) {
  const Vec<T> moved = followed_square<T>(x, share, load(mean, where));
  store<T>(mean, moved, where);
  return moved;
}

// w -= rate * step.
template <class T, class W>
FASTGD_INLINE void descend(T rate, Vec<T> step, T* w, W where) {
  store<T>(w, fma(splat<T>(-rate), step, load(w, where)), where);
}

// Steps with gradient 0, of which nothing is loaded or stored between the first and the last.
template <class T>
void adam_rest_update(Index n, Index steps, const T* rates, T one_minus_beta_1, T one_minus_beta_2, T epsilon, T* w,
                      T* m, T* v) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad{};
    Vec<T> weight = load(w + i, where), mean = load(m + i, where), square = load(v + i, where);
    for (Index k = 0; k < steps; ++k) {
      mean = followed<T>(grad, one_minus_beta_1, mean);
      square = followed_square<T>(grad, one_minus_beta_2, square);
      weight = fma(splat<T>(-rates[k]), over_root<T>(mean, square, epsilon), weight);
    }
    store<T>(w + i, weight, where);
    store<T>(m + i, mean, where);
    store<T>(v + i, square, where);
  });
}

template <bool kTop, class T>
void adam_update(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m, T* v,
                 T* top) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad = load(g + i, where);
    const Vec<T> new_m = follow<T>(grad, one_minus_beta_1, m + i, where);
    Vec<T> square = follow_square<T>(grad, one_minus_beta_2, v + i, where);
    if constexpr (kTop) {
      square = max(load(top + i, where), square);
      store<T>(top + i, square, where);
    }
    descend<T>(rate, over_root<T>(new_m, square, epsilon), w + i, where);
  });
}

template <class T>
void adamax_update(Index n, T rate, T one_minus_beta_1, T beta_2, T epsilon, const T* g, T* w, T* m, T* u) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad = load(g + i, where);
    const Vec<T> new_m = follow<T>(grad, one_minus_beta_1, m + i, where);
    const Vec<T> new_u = max(beta_2 * load(u + i, where), max(-grad, grad));
    store<T>(u + i, new_u, where);
    descend<T>(rate, new_m / at_least_tiny<T>(new_u + epsilon), w + i, where);
  });
}

template <class T>
void nadam_update(Index n, T rate_m, T rate_g, T one_minus_beta_1, T one_minus_beta_2, T root, T epsilon, const T* g,
                  T* w, T* m, T* v) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad = load(g + i, where);
    const Vec<T> new_m = follow<T>(grad, one_minus_beta_1, m + i, where);
    const Vec<T> new_v = follow_square<T>(grad, one_minus_beta_2, v + i, where);
    const Vec<T> step = fma(splat<T>(rate_m), new_m, rate_g * grad);
    store<T>(w + i, load(w + i, where) - step / at_least_tiny<T>(fma(splat<T>(root), sqrt(new_v), splat<T>(epsilon))),
             where);
  });
}

template <class T>
void lion_update(Index n, T rate, T beta_1, T one_minus_beta_1, T one_minus_beta_2, const T* g, T* w, T* m) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad = load(g + i, where);
    const Vec<T> mixed = fma(splat<T>(beta_1), load(m + i, where), one_minus_beta_1 * grad);
    // Neither above nor below 0 are 0 and NaN, which are their own signs.
    const Vec<T> sign = select(mixed > T(0), splat<T>(T(1)), select(mixed < T(0), splat<T>(T(-1)), mixed));
    descend<T>(rate, sign, w + i, where);
    follow<T>(grad, one_minus_beta_2, m + i, where);
  });
}

template <bool kCentered, bool kSpeed, class T>
void rmsprop_update(Index n, T rate, T one_minus_rho, T momentum, T epsilon, const T* g, T* w, T* v, T* a, T* speed) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad = load(g + i, where);
    Vec<T> square = follow_square<T>(grad, one_minus_rho, v + i, where);
    if constexpr (kCentered) {
      const Vec<T> mean = follow<T>(grad, one_minus_rho, a + i, where);
      square = max(splat<T>(T(0)), fma(-mean, mean, square));
    }
    const Vec<T> step = over_root<T>(grad, square + epsilon, T(0));
    if constexpr (kSpeed) {
      const Vec<T> faster = fma(splat<T>(momentum), load(speed + i, where), rate * step);
      store<T>(speed + i, faster, where);
      store<T>(w + i, load(w + i, where) - faster, where);
    } else {
      descend<T>(rate, step, w + i, where);
    }
  });
}

template <class T>
void adagrad_update(Index n, T rate, T epsilon, const T* g, T* w, T* a) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad = load(g + i, where), square = fma(grad, grad, load(a + i, where));
    store<T>(a + i, square, where);
    descend<T>(rate, over_root<T>(grad, square + epsilon, T(0)), w + i, where);
  });
}

template <class T>
void adadelta_update(Index n, T rate, T one_minus_rho, T epsilon, const T* g, T* w, T* a, T* d) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad = load(g + i, where);
    const Vec<T> square = follow_square<T>(grad, one_minus_rho, a + i, where);
    const Vec<T> step = sqrt(load(d + i, where) + epsilon) * over_root<T>(grad, square + epsilon, T(0));
    follow_square<T>(step, one_minus_rho, d + i, where);
    descend<T>(rate, step, w + i, where);
  });
}

// `power` turns a into a^p.
template <class T, class P>
void ftrl_update(Index n, T inverse_rate, T l1, T l2, T shrinkage, const T* g, T* w, T* a, T* z, P power) {
  for_vectors<T>(n, [=](Index i, auto where) {
    const Vec<T> grad = load(g + i, where), weight = load(w + i, where), old = load(a + i, where);
    const Vec<T> total = fma(grad, grad, old), raised = power(total);
    store<T>(a + i, total, where);
    const Vec<T> pull = fma(splat<T>(T(2) * shrinkage), weight, grad);
    const Vec<T> linear = load(z + i, where) + fma((power(old) - raised) * inverse_rate, weight, pull);
    store<T>(z + i, linear, where);
    const Vec<T> inside = max(splat<T>(-l1), min(splat<T>(l1), linear));
    const Vec<T> divisor = fma(raised, splat<T>(inverse_rate), splat<T>(T(2) * l2));
    store<T>(w + i, (inside - linear) / at_least_tiny<T>(divisor), where);
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                       \
  void sgd(Index n, T rate, const T* g, T* w) noexcept { sgd_update(n, rate, g, w); }                                  \
  void momentum(Index n, T rate, T momentum, bool nesterov, const T* g, T* w, T* v) noexcept {                         \
    momentum_update(n, rate, momentum, nesterov, g, w, v);                                                             \
  }                                                                                                                    \
  void adam(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m,                \
            T* v) noexcept {                                                                                           \
    adam_update<false, T>(n, rate, one_minus_beta_1, one_minus_beta_2, epsilon, g, w, m, v, nullptr);                  \
  }                                                                                                                    \
  void adam_rest(Index n, Index steps, const T* rates, T one_minus_beta_1, T one_minus_beta_2, T epsilon, T* w, T* m,  \
                 T* v) noexcept {                                                                                      \
    adam_rest_update(n, steps, rates, one_minus_beta_1, one_minus_beta_2, epsilon, w, m, v);                           \
  }                                                                                                                    \
  void amsgrad(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m, T* v,       \
               T* top) noexcept {                                                                                      \
    adam_update<true, T>(n, rate, one_minus_beta_1, one_minus_beta_2, epsilon, g, w, m, v, top);                       \
  }                                                                                                                    \
  void adamax(Index n, T rate, T one_minus_beta_1, T beta_2, T epsilon, const T* g, T* w, T* m, T* u) noexcept {       \
    adamax_update(n, rate, one_minus_beta_1, beta_2, epsilon, g, w, m, u);                                             \
  }                                                                                                                    \
  void nadam(Index n, T rate_m, T rate_g, T one_minus_beta_1, T one_minus_beta_2, T root, T epsilon, const T* g, T* w, \
             T* m, T* v) noexcept {                                                                                    \
    nadam_update(n, rate_m, rate_g, one_minus_beta_1, one_minus_beta_2, root, epsilon, g, w, m, v);                    \
  }                                                                                                                    \
  void lion(Index n, T rate, T beta_1, T one_minus_beta_1, T one_minus_beta_2, const T* g, T* w, T* m) noexcept {      \
    lion_update(n, rate, beta_1, one_minus_beta_1, one_minus_beta_2, g, w, m);                                         \
  }                                                                                                                    \
  void rmsprop(Index n, T rate, T one_minus_rho, T momentum, T epsilon, const T* g, T* w, T* v, T* a,                  \
               T* speed) noexcept {                                                                                    \
    if (a && speed)                                                                                                    \
      rmsprop_update<true, true>(n, rate, one_minus_rho, momentum, epsilon, g, w, v, a, speed);                        \
    else if (a)                                                                                                        \
      rmsprop_update<true, false>(n, rate, one_minus_rho, momentum, epsilon, g, w, v, a, speed);                       \
    else if (speed)                                                                                                    \
      rmsprop_update<false, true>(n, rate, one_minus_rho, momentum, epsilon, g, w, v, a, speed);                       \
    else                                                                                                               \
      rmsprop_update<false, false>(n, rate, one_minus_rho, momentum, epsilon, g, w, v, a, speed);                      \
  }                                                                                                                    \
  void adagrad(Index n, T rate, T epsilon, const T* g, T* w, T* a) noexcept {                                          \
    adagrad_update(n, rate, epsilon, g, w, a);                                                                         \
  }                                                                                                                    \
  void adadelta(Index n, T rate, T one_minus_rho, T epsilon, const T* g, T* w, T* a, T* d) noexcept {                  \
    adadelta_update(n, rate, one_minus_rho, epsilon, g, w, a, d);                                                      \
  }                                                                                                                    \
  void ftrl(Index n, T inverse_rate, T power, T l1, T l2, T shrinkage, const T* g, T* w, T* a, T* z) noexcept {        \
    const auto run = [=](auto raise) { ftrl_update(n, inverse_rate, l1, l2, shrinkage, g, w, a, z, raise); };          \
    if (power == T(0.5))                                                                                               \
      run([](Vec<T> v) { return sqrt(v); });                                                                           \
    else if (power == T(0))                                                                                            \
      run([](Vec<T>) { return splat<T>(1); });                                                                         \
    else                                                                                                               \
      run([=](Vec<T> v) { return exp<T>(power * log<T>(v)); });                                                        \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
