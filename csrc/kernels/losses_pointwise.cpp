// Losses that are a mean of one term per element: the loops, once for all formulas.
#include "kernels/families.h"
#include "kernels/pointwise.h"

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

template <class T>
void sigmoid_entropy(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) {
  const SigmoidEntropy<T> f = sigmoid_entropy_of(smoothing);
  row_means<T>(rows, cols, v, [=](Index i, auto where) {
    Vec<T> share;
    const Vec<T> value = f.value(load(z + i, where), load(t + i, where), share);
    store<T>(p + i, share, where);
    return value;
  });
}

template <class T>
void sigmoid_entropy_backward(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv, T* dz) {
  const SigmoidEntropy<T> f = sigmoid_entropy_of(smoothing);
  row_slopes(rows, cols, p, t, dv, dz, [=](Vec<T> a, Vec<T> b) { return f.slope(a, b); });
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
