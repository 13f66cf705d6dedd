// The contract between the tiers and everyone above: one table of function pointers per tier, each entry for float and
// double.
//
// Said once for all entries: single-threaded, noexcept, no allocation; inputs come before outputs before sizes' uses,
// sizes first; all arrays may be unaligned; tails of any length are handled; arrays do not overlap unless the entry
// says "in place"; the result for one element does not depend on where the caller cuts the work, as long as it cuts
// along the axes named "cut".
#pragma once

#include "base/types.h"

namespace fastgd {

template <class T>
struct Kernels {
  // Vector width in elements, and the register tile of `gemm`: cutting C at multiples of it wastes nothing.
  Index lanes;
  Index tile_rows;
  Index tile_cols;

  // --- products -------------------------------------------------------------------------------
  // See Gemm. Cut: rows and columns of C. Each element sums over k in one fixed order.
  void (*gemm)(const Gemm<T>& g) noexcept;
  // y[i] = sum over p of a[i * a_row + p] * x[p], or += with accumulate, for `rows` values. Cut: rows.
  void (*gemv)(Index rows, Index k, const T* a, Index a_row, const T* x, T* y, bool accumulate) noexcept;
  // y[j] = sum over p of x[p] * a[p * a_row + j], or += with accumulate, for n values; p runs upwards. Cut: columns.
  void (*gemv_transposed)(Index k, Index n, const T* a, Index a_row, const T* x, T* y, bool accumulate) noexcept;
  // Packs the rows of A (element (i, p) at a[i * a_row + p * a_col], one stride is 1) into panels of tile_rows rows,
  // within a panel one column after the other: packed[(i / tile_rows * k + p) * tile_rows + i % tile_rows]. Rows that a
  // last panel lacks are zero. Cut: rows, at multiples of tile_rows.
  void (*pack_rows)(Index rows, Index k, const T* a, Index a_row, Index a_col, T* packed) noexcept;
  // The same for the columns of B (element (p, j) at b[p * b_row + j * b_col]) and panels of tile_cols columns, which
  // begin `panel` elements apart: packed[j / tile_cols * panel + p * tile_cols + j % tile_cols]. Cut: columns, at
  // multiples of tile_cols.
  void (*pack_cols)(Index k, Index cols, const T* b, Index b_row, Index b_col, T* packed, Index panel) noexcept;
  // y (cols x rows) = x (rows x cols) transposed. Cut: any.
  void (*transpose)(Index rows, Index cols, const T* x, Index x_row, T* y, Index y_row) noexcept;
  // y[j] = sum over i of x[i * x_row + j], or += with accumulate; i runs upwards. Cut: columns.
  void (*column_sum)(Index rows, Index cols, const T* x, Index x_row, T* y, bool accumulate) noexcept;

  // --- elementary functions, at most 2 ULP in float; in place allowed; cut: any ------------------
  void (*exp)(Index n, const T* x, T* y) noexcept;
  void (*log)(Index n, const T* x, T* y) noexcept;
  void (*tanh)(Index n, const T* x, T* y) noexcept;
  void (*sigmoid)(Index n, const T* x, T* y) noexcept;

  // --- activations; in place allowed; cut: any / rows -------------------------------------------
  // y = f(x).
  void (*activation)(Activation f, T slope, Index n, const T* x, T* y) noexcept;
  // dx = dy * f'(x), the derivative taken from y = f(x). dx may be dy.
  void (*activation_backward)(Activation f, T slope, Index n, const T* y, const T* dy, T* dx) noexcept;
  // Each row: y = exp(x - max x) / sum of the same.
  void (*softmax)(Index rows, Index cols, const T* x, T* y) noexcept;
  // Each row: dx = y * (dy - sum(dy * y)). dx may be dy.
  void (*softmax_backward)(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept;

  // --- elementwise; in place allowed; cut: any ---------------------------------------------------
  void (*add)(Index n, const T* a, const T* b, T* y) noexcept;  // y = a + b
  void (*fill)(Index n, T value, T* y) noexcept;
  // y[i] = keep(first + i) ? x[i] * scale : 0 and mask[i] = keep (1 or 0). Words as docs/ops.md says. scale = 0 gives
  // zeros.
  void (*dropout)(MaskStream stream, std::uint64_t first, T scale, Index n, const T* x, T* y,
                  std::uint8_t* mask) noexcept;
  // dx[i] = mask[i] ? dy[i] * scale : 0.
  void (*dropout_backward)(T scale, Index n, const std::uint8_t* mask, const T* dy, T* dx) noexcept;
  // mask[i] = keep(first + i), the mask of dropout alone.
  void (*keep_mask)(MaskStream stream, std::uint64_t first, Index n, std::uint8_t* mask) noexcept;
  // y[i] = mask[i] ? x[i] * scale + shift : rest.
  void (*masked_line)(T scale, T shift, T rest, Index n, const std::uint8_t* mask, const T* x, T* y) noexcept;
  // y[i] = x[i] + stddev z(first + i), or x[i] (1 + stddev z(first + i)) with `multiply`; z as docs/ops.md says.
  void (*gaussian_noise)(MaskStream stream, std::uint64_t first, T stddev, bool multiply, Index n, const T* x,
                         T* y) noexcept;

  // --- normalisation -----------------------------------------------------------------------------
  // By channel, of a matrix whose rows begin x_row (or `row`) elements apart. mean and m2, the sum of the squared
  // deviations from it, of each channel; sums of few rows, or of blocks of a row, in T, the rest in double. Cut:
  // channels.
  void (*channel_moments)(Channels channels, Index rows, Index cols, const T* x, Index x_row, double* mean,
                          double* m2) noexcept;
  // s1 = sum(dy) and s2 = sum(dy (x - mean)) of each channel. Cut: channels.
  void (*channel_products)(Channels channels, Index rows, Index cols, const T* x, const T* dy, Index row, const T* mean,
                           double* s1, double* s2) noexcept;
  // y = factor dy + slope (x - mean) + shift, dy null: without it; see ChannelLine. Cut: any.
  void (*channel_affine)(Channels channels, Index rows, Index cols, const T* x, const T* dy, Index row,
                         const ChannelLine<T>& line, T* y) noexcept;
  // Each row: y = gamma (x - mean) scale + beta, see RowNorm; gamma and beta (cols) may be null. stats receives mean
  // and scale of each row. Cut: rows.
  void (*normalize_rows)(const RowNorm<T>& norm, Index rows, Index cols, const T* x, const T* gamma, const T* beta,
                         T* y, T* stats) noexcept;
  // dx of that. With g = gamma dy and h = (x - mean) scale: dx = scale (g - share sum(g) - h share sum(g h)), the first
  // sum only if centered, the second only if the scale is below its limit. Cut: rows.
  void (*normalize_rows_backward)(const RowNorm<T>& norm, Index rows, Index cols, const T* x, const T* gamma,
                                  const T* stats, const T* dy, T* dx) noexcept;
  // dgamma = sum over the rows of dy h and dbeta = that of dy, or += where told; both may be null. Cut: columns.
  void (*normalize_rows_gradients)(Index rows, Index cols, const T* x, const T* dy, Index row, const T* stats,
                                   T* dgamma, bool add_gamma, T* dbeta, bool add_beta) noexcept;

  // --- encoding ----------------------------------------------------------------------------------
  // y = the number of the `count` ascending boundaries that are not above x; NaN is above all. Cut: any.
  void (*discretize)(Index n, Index count, const T* boundaries, const T* x, std::int32_t* y) noexcept;
  // Each row of `labels` labels: y[c] = 1 for the classes c that occur, or how often with `counts`; else 0. Labels out
  // of range count for nothing. Cut: rows.
  void (*encode_labels)(Index rows, Index labels, Index classes, bool counts, const std::int32_t* x, T* y) noexcept;

  // --- losses, per row of `cols` elements; cut: rows ---------------------------------------------
  // Formulas: docs/ops.md. v[row] is the mean over the row for the first three and for sigmoid_crossentropy, the plain
  // value for the categorical ones. Backward takes dv[row] and writes the gradient by p or z; it may be written over dp
  // = p.
  void (*mean_squared_error)(Index rows, Index cols, const T* p, const T* t, T* v) noexcept;
  void (*mean_squared_error_backward)(Index rows, Index cols, const T* p, const T* t, const T* dv, T* dp) noexcept;
  void (*mean_absolute_error)(Index rows, Index cols, const T* p, const T* t, T* v) noexcept;
  void (*mean_absolute_error_backward)(Index rows, Index cols, const T* p, const T* t, const T* dv, T* dp) noexcept;
  void (*binary_crossentropy)(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t, T* v) noexcept;
  void (*binary_crossentropy_backward)(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t,
                                       const T* dv, T* dp) noexcept;
  void (*categorical_crossentropy)(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t,
                                   T* v) noexcept;
  void (*categorical_crossentropy_backward)(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t,
                                            const T* dv, T* dp) noexcept;
  // A label outside [0, cols) gives NaN and a gradient of NaN, never an access out of bounds.
  void (*sparse_categorical_crossentropy)(Index rows, Index cols, T epsilon, const T* p, const std::int32_t* t,
                                          T* v) noexcept;
  void (*sparse_categorical_crossentropy_backward)(Index rows, Index cols, T epsilon, const T* p, const std::int32_t* t,
                                                   const T* dv, T* dp) noexcept;
  // p = sigmoid(z); backward dz = dv / cols * (p - t').
  void (*sigmoid_crossentropy)(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) noexcept;
  void (*sigmoid_crossentropy_backward)(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv,
                                        T* dz) noexcept;
  // p = softmax(z); backward dz = dv * (p * sum(t') - t').
  void (*softmax_crossentropy)(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) noexcept;
  void (*softmax_crossentropy_backward)(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv,
                                        T* dz) noexcept;
  void (*sparse_softmax_crossentropy)(Index rows, Index cols, const T* z, const std::int32_t* t, T* v, T* p) noexcept;
  void (*sparse_softmax_crossentropy_backward)(Index rows, Index cols, const T* p, const std::int32_t* t, const T* dv,
                                               T* dz) noexcept;

  // --- metrics, per row; cut: rows ---------------------------------------------------------------
  void (*accuracy)(Index rows, Index cols, const T* p, const T* t, T* v) noexcept;  // mean of [p == t]
  void (*binary_accuracy)(Index rows, Index cols, T threshold, const T* p, const T* t, T* v) noexcept;
  void (*categorical_accuracy)(Index rows, Index cols, const T* p, const T* t, T* v) noexcept;  // first maxima compared
  void (*sparse_categorical_accuracy)(Index rows, Index cols, const T* p, const std::int32_t* t, T* v) noexcept;

  // --- updates, in place over flat vectors; cut: any ---------------------------------------------
  // Denominators are at least the smallest normal number: a gradient of 0 moves nothing even where epsilon is 0.
  void (*sgd)(Index n, T rate, const T* g, T* w) noexcept;  // w -= rate g
  // v = momentum v - rate g; w += v, or with nesterov w += momentum v - rate g.
  void (*momentum)(Index n, T rate, T momentum, bool nesterov, const T* g, T* w, T* v) noexcept;
  // m += (g - m) (1 - beta_1); v += (g^2 - v) (1 - beta_2); w -= rate m / (sqrt(v) + epsilon); `rate` has the bias
  // correction in it.
  void (*adam)(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m,
               T* v) noexcept;
  // The same with top = max(top, v) in place of v under the root.
  void (*amsgrad)(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m, T* v,
                  T* top) noexcept;
  // m as adam; u = max(beta_2 u, |g|); w -= rate m / (u + epsilon).
  void (*adamax)(Index n, T rate, T one_minus_beta_1, T beta_2, T epsilon, const T* g, T* w, T* m, T* u) noexcept;
  // m and v as adam; w -= (rate_m m + rate_g g) / (root sqrt(v) + epsilon).
  void (*nadam)(Index n, T rate_m, T rate_g, T one_minus_beta_1, T one_minus_beta_2, T root, T epsilon, const T* g,
                T* w, T* m, T* v) noexcept;
  // w -= rate sign(beta_1 m + (1 - beta_1) g); then m += (g - m) (1 - beta_2).
  void (*lion)(Index n, T rate, T beta_1, T one_minus_beta_1, T one_minus_beta_2, const T* g, T* w, T* m) noexcept;
  // v += (g^2 - v) (1 - rho); s = rate g / sqrt(v + epsilon); w -= s. Where `a` is not null, a += (g - a) (1 - rho) and
  // v - a^2, no less than 0, takes the place of v under the root; where `speed` is not null, speed = momentum speed + s
  // takes the place of s.
  void (*rmsprop)(Index n, T rate, T one_minus_rho, T momentum, T epsilon, const T* g, T* w, T* v, T* a,
                  T* speed) noexcept;
  // a += g^2; w -= rate g / sqrt(a + epsilon).
  void (*adagrad)(Index n, T rate, T epsilon, const T* g, T* w, T* a) noexcept;
  // a += (g^2 - a) (1 - rho); s = sqrt(d + epsilon) / sqrt(a + epsilon) g; d += (s^2 - d) (1 - rho); w -= rate s.
  void (*adadelta)(Index n, T rate, T one_minus_rho, T epsilon, const T* g, T* w, T* a, T* d) noexcept;
  // w -= share w.
  void (*decay)(Index n, T share, T* w) noexcept;

  // --- data --------------------------------------------------------------------------------------
  // y = (T)x for n contiguous elements of any source type, rounded to nearest.
  void (*convert)(Source source, Index n, const void* x, T* y) noexcept;
  // Whether all n elements are finite.
  bool (*all_finite)(Index n, const T* x) noexcept;

  // --- probes of the machine ---------------------------------------------------------------------
  // Runs `rounds` rounds of independent fused multiply-adds in registers; returns the number of floating-point
  // operations done.
  double (*fma_probe)(Index rounds, T* sink) noexcept;
  // a = b + s * c.
  void (*triad)(Index n, T s, const T* b, const T* c, T* a) noexcept;
};

struct KernelTable {
  const char* name;
  Index vector_bytes;
  Kernels<float> f32;
  Kernels<double> f64;

  template <class T>
  const Kernels<T>& of() const noexcept;
};

template <>
inline const Kernels<float>& KernelTable::of<float>() const noexcept {
  return f32;
}
template <>
inline const Kernels<double>& KernelTable::of<double>() const noexcept {
  return f64;
}

}  // namespace fastgd
