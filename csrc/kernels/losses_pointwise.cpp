// Losses that are a mean of one term per element: squared and absolute error, the two forms of binary cross-entropy.
#include "kernels/families.h"
#include "kernels/rows.h"

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

// t' = t (1 - s) + s / 2.
template <class T>
FASTGD_INLINE Vec<T> smoothed(Vec<T> t, T smoothing) {
  return t * (T(1) - smoothing) + smoothing * T(0.5);
}

template <class T>
void squared(Index rows, Index cols, const T* p, const T* t, T* v) {
  row_means<T>(rows, cols, v, [=](Index i, auto where) {
    const Vec<T> d = load(p + i, where) - load(t + i, where);
    return d * d;
  });
}

template <class T>
void squared_backward(Index rows, Index cols, const T* p, const T* t, const T* dv, T* dp) {
  row_slopes(rows, cols, p, t, dv, dp, [](Vec<T> a, Vec<T> b) { return T(2) * (a - b); });
}

template <class T>
void absolute(Index rows, Index cols, const T* p, const T* t, T* v) {
  row_means<T>(rows, cols, v, [=](Index i, auto where) { return abs<T>(load(p + i, where) - load(t + i, where)); });
}

template <class T>
void absolute_backward(Index rows, Index cols, const T* p, const T* t, const T* dv, T* dp) {
  row_slopes(rows, cols, p, t, dv, dp, [](Vec<T> a, Vec<T> b) {
    const Vec<T> d = a - b;
    // A difference of zero or NaN is its own sign.
    return select(d > T(0), splat<T>(1), select(d < T(0), splat<T>(-1), d));
  });
}

template <class T>
void binary(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t, T* v) {
  row_means<T>(rows, cols, v, [=](Index i, auto where) {
    const Vec<T> q = min(splat<T>(T(1) - epsilon), max(splat<T>(epsilon), load(p + i, where)));
    const Vec<T> target = smoothed<T>(load(t + i, where), smoothing);
    return -(target * log<T>(q) + (T(1) - target) * log<T>(T(1) - q));
  });
}

template <class T>
void binary_backward(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t, const T* dv, T* dp) {
  row_slopes(rows, cols, p, t, dv, dp, [=](Vec<T> a, Vec<T> b) {
    const Vec<T> slope = (a - smoothed<T>(b, smoothing)) / (a * (T(1) - a));
    return select((a < epsilon) | (a > T(1) - epsilon), Vec<T>{}, slope);
  });
}

// max(z, 0) - z t' + log(1 + e^-|z|), and the sigmoid from the same exponential.
template <class T>
void sigmoid_entropy(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) {
  row_means<T>(rows, cols, v, [=](Index i, auto where) {
    const Vec<T> x = load(z + i, where);
    Vec<T> n;
    const Vec<T> e = exp_parts<T>(max(splat<T>(MathConstants<T>::kExpLow), -abs<T>(x)), n);
    store<T>(p + i, sigmoid_of_parts<T>(x, e, n), where);
    return (relu<T>(x) - x * smoothed<T>(load(t + i, where), smoothing)) +
           log_of_one_plus<T>(scale_down<T>(T(1) + e, n));
  });
}

template <class T>
void sigmoid_entropy_backward(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv, T* dz) {
  row_slopes(rows, cols, p, t, dv, dz, [=](Vec<T> a, Vec<T> b) { return a - smoothed<T>(b, smoothing); });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                    \
  void mean_squared_error(Index rows, Index cols, const T* p, const T* t, T* v) noexcept {                          \
    squared(rows, cols, p, t, v);                                                                                   \
  }                                                                                                                 \
  void mean_squared_error_backward(Index rows, Index cols, const T* p, const T* t, const T* dv, T* dp) noexcept {   \
    squared_backward(rows, cols, p, t, dv, dp);                                                                     \
  }                                                                                                                 \
  void mean_absolute_error(Index rows, Index cols, const T* p, const T* t, T* v) noexcept {                         \
    absolute(rows, cols, p, t, v);                                                                                  \
  }                                                                                                                 \
  void mean_absolute_error_backward(Index rows, Index cols, const T* p, const T* t, const T* dv, T* dp) noexcept {  \
    absolute_backward(rows, cols, p, t, dv, dp);                                                                    \
  }                                                                                                                 \
  void binary_crossentropy(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t, T* v) noexcept { \
    binary(rows, cols, smoothing, epsilon, p, t, v);                                                                \
  }                                                                                                                 \
  void binary_crossentropy_backward(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t,         \
                                    const T* dv, T* dp) noexcept {                                                  \
    binary_backward(rows, cols, smoothing, epsilon, p, t, dv, dp);                                                  \
  }                                                                                                                 \
  void sigmoid_crossentropy(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) noexcept {     \
    sigmoid_entropy(rows, cols, smoothing, z, t, v, p);                                                             \
  }                                                                                                                 \
  void sigmoid_crossentropy_backward(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv,      \
                                     T* dz) noexcept {                                                              \
    sigmoid_entropy_backward(rows, cols, smoothing, p, t, dv, dz);                                                  \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
