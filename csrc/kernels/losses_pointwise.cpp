// Losses that are a mean of one term per element: a class with the term and its slope for each, the loops once.
#include "kernels/families.h"
#include "kernels/probabilities.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// v = mean over the row of f(i, where), where i counts the elements of all rows.
template <class T, class F>
FASTGD_INLINE void row_means(Index rows, Index cols, T* v, F f) {
  if (cols == 1) {
    // Rows of one element are a single long row whose elements are the results.
    for_vectors<T>(rows, [=](Index i, auto where) { store<T>(v + i, f(i, where), where); });
    return;
  }
  for (Index row = 0; row < rows; ++row) {
    const auto term = [=](Index j, auto where) { return f(row * cols + j, where); };
    v[row] = row_sum<T>(cols, term) / static_cast<T>(cols);
  }
}

// dp[i] = dv / cols * slope(p[i], t[i]).
template <class T, class F>
FASTGD_INLINE void row_slopes(Index rows, Index cols, const T* p, const T* t, const T* dv, T* dp, F slope) {
  if (cols == 1) {
    for_vectors<T>(rows, [=](Index i, auto where) {
      store<T>(dp + i, load(dv + i, where) * slope(load(p + i, where), load(t + i, where)), where);
    });
    return;
  }
  for (Index row = 0; row < rows; ++row, p += cols, t += cols, dp += cols) {
    const T share = dv[row] / static_cast<T>(cols);
    for_vectors<T>(cols, [=](Index j, auto where) {
      store<T>(dp + j, share * slope(load(p + j, where), load(t + j, where)), where);
    });
  }
}

// A difference of zero or NaN is its own sign.
template <class T>
FASTGD_INLINE Vec<T> sign(Vec<T> d) {
  return select(d > T(0), splat<T>(1), select(d < T(0), splat<T>(-1), d));
}

// Each class below has value(p, t), the term of one element, and slope(p, t), its derivative by p.
template <class T>
struct Formula {
  LossNumbers<T> with;
};

template <class T>
struct MeanSquaredError : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const { return (p - t) * (p - t); }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return T(2) * (p - t); }
};

template <class T>
struct MeanAbsoluteError : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const { return abs<T>(p - t); }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return sign<T>(p - t); }
};

template <class T>
struct MeanAbsolutePercentageError : Formula<T> {
  FASTGD_INLINE Vec<T> size(Vec<T> t) const { return max(splat<T>(this->with.epsilon), abs<T>(t)); }
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const { return T(100) * abs<T>((p - t) / size(t)); }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return T(100) * sign<T>(p - t) / size(t); }
};

template <class T>
struct MeanSquaredLogarithmicError : Formula<T> {
  FASTGD_INLINE Vec<T> log_of(Vec<T> x) const { return log<T>(max(splat<T>(this->with.epsilon), x) + T(1)); }
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const Vec<T> d = log_of(p) - log_of(t);
    return d * d;
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const {
    return select(p < this->with.epsilon, Vec<T>{}, T(2) * (log_of(p) - log_of(t)) / (p + T(1)));
  }
};

template <class T>
struct Huber : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const T delta = this->with.delta;
    const Vec<T> d = abs<T>(p - t);
    return select(d > delta, delta * d - T(0.5) * delta * delta, T(0.5) * d * d);
  }
  // d cut to [-delta, delta]; NaN stays.
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const {
    return min(splat<T>(this->with.delta), max(splat<T>(-this->with.delta), p - t));
  }
};

// log cosh d = |d| + log(1 + e^-2|d|) - log 2.
template <class T>
struct LogCosh : Formula<T> {
  static constexpr T kLog2 = static_cast<T>(0.693147180559945309417);
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const Vec<T> d = abs<T>(p - t);
    return d + (log_of_one_plus<T>(exp_of_negative<T>(T(-2) * d)) - kLog2);
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return tanh<T>(p - t); }
};

template <class T>
struct Poisson : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const { return p - t * log<T>(p + this->with.epsilon); }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return T(1) - t / (p + this->with.epsilon); }
};

template <class T>
struct Hinge : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const { return relu<T>(T(1) - t * p); }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return select(T(1) - t * p > T(0), -t, Vec<T>{}); }
};

template <class T>
struct SquaredHinge : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const Vec<T> gap = relu<T>(T(1) - t * p);
    return gap * gap;
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return T(-2) * t * relu<T>(T(1) - t * p); }
};

template <class T>
struct BinaryCrossentropy : Formula<T> {
  FASTGD_INLINE Vec<T> smoothed(Vec<T> t) const { return smoothing_of<T>(this->with.label_smoothing, 2)(t); }
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const Vec<T> q = clipped<T>(p, this->with.epsilon), target = smoothed(t);
    return -(target * log<T>(q) + (T(1) - target) * log<T>(T(1) - q));
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const {
    return unless_clipped<T>(p, this->with.epsilon, (p - smoothed(t)) / (p * (T(1) - p)));
  }
};

// w m^gamma e, with e the cross-entropy, m = 1 - (t' p + (1 - t') (1 - p)) how far p misses, and w the weight of the
// class.
template <class T>
struct BinaryFocalCrossentropy : Formula<T> {
  FASTGD_INLINE Vec<T> weight(Vec<T> target) const {
    const T alpha = this->with.alpha;
    return this->with.balanced ? target * alpha + (T(1) - target) * (T(1) - alpha) : splat<T>(1);
  }
  // At least 0, whatever rounding does.
  FASTGD_INLINE Vec<T> miss(Vec<T> p, Vec<T> target) const {
    return relu<T>(T(1) - (target * p + (T(1) - target) * (T(1) - p)));
  }
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const BinaryCrossentropy<T> plain{{this->with}};
    const Vec<T> target = plain.smoothed(t);
    return weight(target) * power<T>(miss(p, target), this->with.gamma) * plain.value(p, t);
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const {
    const BinaryCrossentropy<T> plain{{this->with}};
    const T gamma = this->with.gamma;
    const Vec<T> target = plain.smoothed(t), m = miss(p, target);
    Vec<T> both = power<T>(m, gamma) * plain.slope(p, t);
    if (gamma != T(0)) both += gamma * power<T>(m, gamma - T(1)) * (T(1) - T(2) * target) * plain.value(p, t);
    return weight(target) * both;
  }
};

template <class T, template <class> class F>
void values(const LossNumbers<T>& with, Index rows, Index cols, const T* p, const T* t, T* v) {
  const F<T> f{{with}};
  row_means<T>(rows, cols, v, [=](Index i, auto where) { return f.value(load(p + i, where), load(t + i, where)); });
}

template <class T, template <class> class F>
void slopes(const LossNumbers<T>& with, Index rows, Index cols, const T* p, const T* t, const T* dv, T* dp) {
  const F<T> f{{with}};
  row_slopes(rows, cols, p, t, dv, dp, [=](Vec<T> a, Vec<T> b) { return f.slope(a, b); });
}

// max(z, 0) - z t' + log(1 + e^-|z|), and the sigmoid from the same exponential.
template <class T>
void sigmoid_entropy(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) {
  const Smoothing<T> smooth = smoothing_of(smoothing, 2);
  row_means<T>(rows, cols, v, [=](Index i, auto where) {
    const Vec<T> x = load(z + i, where);
    Vec<T> n;
    const Vec<T> e = exp_parts<T>(max(splat<T>(MathConstants<T>::kExpLow), -abs<T>(x)), n);
    store<T>(p + i, sigmoid_of_parts<T>(x, e, n), where);
    return (relu<T>(x) - x * smooth(load(t + i, where))) + log_of_one_plus<T>(scale_down<T>(T(1) + e, n));
  });
}

template <class T>
void sigmoid_entropy_backward(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv, T* dz) {
  const Smoothing<T> smooth = smoothing_of(smoothing, 2);
  row_slopes(rows, cols, p, t, dv, dz, [=](Vec<T> a, Vec<T> b) { return a - smooth(b); });
}

}  // namespace

#define FASTGD_VALUES(name, Class, ...) \
  case LossFunction::name:              \
    return values<Real, Class>(with, rows, cols, p, t, v);
#define FASTGD_SLOPES(name, Class, ...) \
  case LossFunction::name:              \
    return slopes<Real, Class>(with, rows, cols, p, t, dv, dp);

#define FASTGD_DEFINE_KERNELS(T)                                                                                  \
  void pointwise_loss(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p, const T* t, \
                      T* v) noexcept {                                                                            \
    using Real = T;                                                                                               \
    switch (f) {                                                                                                  \
      FASTGD_POINTWISE_LOSSES(FASTGD_VALUES)                                                                      \
      default:                                                                                                    \
        return;                                                                                                   \
    }                                                                                                             \
  }                                                                                                               \
  void pointwise_loss_backward(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p,    \
                               const T* t, const T* dv, T* dp) noexcept {                                         \
    using Real = T;                                                                                               \
    switch (f) {                                                                                                  \
      FASTGD_POINTWISE_LOSSES(FASTGD_SLOPES)                                                                      \
      default:                                                                                                    \
        return;                                                                                                   \
    }                                                                                                             \
  }                                                                                                               \
  void sigmoid_crossentropy(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) noexcept {   \
    sigmoid_entropy(rows, cols, smoothing, z, t, v, p);                                                           \
  }                                                                                                               \
  void sigmoid_crossentropy_backward(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv,    \
                                     T* dz) noexcept {                                                            \
    sigmoid_entropy_backward(rows, cols, smoothing, p, t, dv, dz);                                                \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
