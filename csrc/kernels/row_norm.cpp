// Rows brought to one scale, and perhaps to mean 0: layer, root-mean-square and unit normalisation.
#include "kernels/families.h"
#include "kernels/rows.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
FASTGD_INLINE T root(T x) {
  return sqrt(splat<T>(x))[0];
}

template <class T>
void normalize(const RowNorm<T>& norm, Index rows, Index cols, const T* x, const T* gamma, const T* beta, T* y,
               T* stats) {
  for (Index i = 0; i < rows; ++i, x += cols, y += cols, stats += 2) {
    T mean = 0;
    if (norm.centered) {
      mean = row_sum<T>(cols, [=](Index j, auto where) { return load(x + j, where); }) * norm.share;
      // What the rounding of the sum took from the mean.
      mean += row_sum<T>(cols, [=](Index j, auto where) { return load(x + j, where) - mean; }) * norm.share;
    }
    const T squares = row_sum<T>(cols, [=](Index j, auto where) {
      const Vec<T> d = load(x + j, where) - mean;
      return d * d;
    });
    const T inverse = T(1) / root(squares * norm.share + norm.epsilon);
    const T scale = inverse < norm.limit ? inverse : norm.limit;
    stats[0] = mean, stats[1] = scale;
    for_vectors<T>(cols, [=](Index j, auto where) {
      Vec<T> v = (load(x + j, where) - mean) * scale;
      if (gamma != nullptr) v = v * load(gamma + j, where);
      if (beta != nullptr) v = v + load(beta + j, where);
      store<T>(y + j, v, where);
    });
  }
}

template <class T>
void normalize_backward(const RowNorm<T>& norm, Index rows, Index cols, const T* x, const T* gamma, const T* stats,
                        const T* dy, T* dx) {
  for (Index i = 0; i < rows; ++i, x += cols, dy += cols, dx += cols, stats += 2) {
    const T mean = stats[0], scale = stats[1];
    const auto gradient = [=](Index j, auto where) {
      const Vec<T> d = load(dy + j, where);
      return gamma == nullptr ? d : d * load(gamma + j, where);
    };
    T lift = 0, slope = 0;
    if (norm.centered) lift = row_sum<T>(cols, gradient) * norm.share;
    // At the limit the scale is a constant.
    if (scale < norm.limit) {
      const T product = row_sum<T>(
          cols, [=](Index j, auto where) { return gradient(j, where) * ((load(x + j, where) - mean) * scale); });
      slope = product * norm.share * scale;
    }
    for_vectors<T>(cols, [=](Index j, auto where) {
      const Vec<T> d = gradient(j, where) - lift - (load(x + j, where) - mean) * slope;
      store<T>(dx + j, d * scale, where);
    });
  }
}

template <class T>
void normalize_gradients(Index rows, Index cols, const T* x, const T* dy, Index row, const T* stats, T* dgamma,
                         bool add_gamma, T* dbeta, bool add_beta) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    Vec<T> sum{}, product{};
    for (Index i = 0; i < rows; ++i) {
      const Vec<T> d = load(dy + i * row + j, where);
      sum += d;
      product = fma(d, (load(x + i * row + j, where) - stats[2 * i]) * stats[2 * i + 1], product);
    }
    if (dgamma != nullptr) store<T>(dgamma + j, add_gamma ? load(dgamma + j, where) + product : product, where);
    if (dbeta != nullptr) store<T>(dbeta + j, add_beta ? load(dbeta + j, where) + sum : sum, where);
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                       \
  void normalize_rows(const RowNorm<T>& norm, Index rows, Index cols, const T* x, const T* gamma, const T* beta, T* y, \
                      T* stats) noexcept {                                                                             \
    normalize(norm, rows, cols, x, gamma, beta, y, stats);                                                             \
  }                                                                                                                    \
  void normalize_rows_backward(const RowNorm<T>& norm, Index rows, Index cols, const T* x, const T* gamma,             \
                               const T* stats, const T* dy, T* dx) noexcept {                                          \
    normalize_backward(norm, rows, cols, x, gamma, stats, dy, dx);                                                     \
  }                                                                                                                    \
  void normalize_rows_gradients(Index rows, Index cols, const T* x, const T* dy, Index row, const T* stats, T* dgamma, \
                                bool add_gamma, T* dbeta, bool add_beta) noexcept {                                    \
    normalize_gradients(rows, cols, x, dy, row, stats, dgamma, add_gamma, dbeta, add_beta);                            \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
