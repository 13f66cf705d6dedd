// The contract between the tiers and everyone above: one table of function pointers per tier, each entry for float and
// double.
//
// Said once for all entries: single-threaded, noexcept, no allocation; inputs come before outputs before sizes' uses,
// sizes first; all arrays may be unaligned; tails of any length are handled; arrays do not overlap unless the entry
// says "in place"; the result for one element does not depend on where the caller cuts the work, as long as it cuts
// along the axes named "cut".
#pragma once

#include "base/linear_steps.h"
#include "base/losses.h"
#include "base/types.h"
#include "base/windows.h"

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
  // See GemmRuns; C is not cut, but blocks and columns of it may be. Each element sums over the runs in their order.
  void (*gemm_runs)(const GemmRuns<T>& g) noexcept;
  // y[l * y_line + i * y_row + j] += x[l * x_line + i * x_row + j], row by row, and in each row line by line: the rows
  // of a line of y may overlap. Cut: lines, columns.
  void (*add_rows)(Index rows, Index lines, Index cols, const T* x, Index x_row, Index x_line, T* y, Index y_row,
                   Index y_line) noexcept;
  // y[i] = sum over p of a[i * a_row + p] * x[p], or += with accumulate, for `rows` values. Cut: rows.
  void (*gemv)(Index rows, Index k, const T* a, Index a_row, const T* x, T* y, bool accumulate) noexcept;
  // y[j] = sum over p of x[p] * a[p * a_row + j], or += with accumulate, for n values; p runs upwards. Cut: columns.
  void (*gemv_transposed)(Index k, Index n, const T* a, Index a_row, const T* x, T* y, bool accumulate) noexcept;
  // A step of gradient descent on one linear unit for each of some samples, see LinearSteps: with z = x w + b, the loss
  // v(z, t) and d = scale dv/dz, w -= rate d x and b -= rate d. Returns total + v + v ..., in the order of the samples.
  // Each rounding is that of gemv, the loss, gemv_transposed and sgd, one after the other. Cut: steps.
  double (*linear_steps)(const LinearSteps<T>& s, double total) noexcept;
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
  // y[j] = sum over i of x[i * x_row + j], or += with accumulate, in an order of its own. Cut: columns.
  void (*column_sum)(Index rows, Index cols, const T* x, Index x_row, T* y, bool accumulate) noexcept;

  // y[j] = sum over the taps of w x, then the epilogue: see DepthwiseLine; or with accumulate y[j] += that sum, without
  // a bias. Cut: outputs, channels.
  void (*depthwise)(const DepthwiseLine& line, const T* x, const T* w, T* y, bool accumulate,
                    const Epilogue<T>& epilogue) noexcept;
  // dw += sum over the outputs of x dy for each tap, and db += that of dy; db may be null. Cut: channels.
  void (*depthwise_gradient)(const DepthwiseLine& line, const T* x, const T* dy, T* dw, T* db) noexcept;

  // --- Winograd's filtering of 2x2 outputs by 3x3 weights, see WinogradLine; cut: tiles, channels ----
  // v = the transform of the 4x4 inputs of each tile, 0 where there are none.
  void (*winograd_inputs)(const WinogradLine& line, const T* x, T* v) noexcept;
  // y = the 2x2 outputs of each tile, then the epilogue, where they exist; the first of each tile does.
  void (*winograd_outputs)(const WinogradLine& line, const T* m, const Epilogue<T>& epilogue, T* y) noexcept;
  // z = the transform of the gradients of these outputs, 0 where they do not exist.
  void (*winograd_gradients)(const WinogradLine& line, const T* dy, T* z) noexcept;
  // dx += what the transformed gradients of the inputs give back, where these exist; here a cut changes the rounding.
  void (*winograd_add_inputs)(const WinogradLine& line, const T* v, T* dx) noexcept;
  // The sixteen matrices u of the nine matrices w, of which n elements are meant; both lie `step` apart. Cut: any.
  void (*winograd_weights)(Index n, Index step, const T* w, T* u) noexcept;
  // dw (+)= the gradient by w from that by u. Cut: any.
  void (*winograd_weights_gradient)(Index n, Index step, const T* u, T* dw, bool accumulate) noexcept;

  // --- recurrent cells, see CellRows; cut: rows and units ------------------------------------------
  // z holds the sums of the gates i, f, g, o and then their values; with the carry `before` c = f before + i g and
  // h = o state(c). c may be `before`.
  void (*lstm_cell)(const CellRows<T>& cell, T* z, const T* before, T* c, T* h) noexcept;
  // From dh and dc, the gradients by h and c: z, which holds the gates, becomes the gradient by their sums, and dc that
  // by `before`.
  void (*lstm_cell_backward)(const CellRows<T>& cell, T* z, const T* before, const T* dh, T* dc) noexcept;
  // z holds the sums of the gates z and r, the part of the candidate that comes from x, and with reset_after that from
  // h, s; then the values z, r, g, s with g = state(x part + r s). Without reset_after z and r are values already and
  // g = state(third part). h = z before + (1 - z) g.
  void (*gru_cell)(const CellRows<T>& cell, bool reset_after, T* z, const T* before, T* h) noexcept;
  // z, which holds the values, becomes the gradient by the four sums, of which r's stays as it is without reset_after;
  // dh, the gradient by h, becomes its share for `before` that does not pass through the gates.
  void (*gru_cell_backward)(const CellRows<T>& cell, bool reset_after, T* z, const T* before, T* dh) noexcept;

  // y[i * y_row + j * y_col] = x[i * x_row + j * x_col]; strides of x may be 0, any may be negative. Cut: any.
  void (*copy_strided)(Index rows, Index cols, const T* x, Index x_row, Index x_col, T* y, Index y_row,
                       Index y_col) noexcept;

  // --- reductions, in an order that only the reduced size decides; NaN stays NaN -----------------
  // y[i] = f over the row of `cols` elements at x + i * cols. Cut: rows.
  void (*reduce_rows)(Fold f, Index rows, Index cols, const T* x, T* y) noexcept;
  // y[j] = f over i of x[i * x_row + j]. Cut: columns.
  void (*reduce_columns)(Fold f, Index rows, Index cols, const T* x, Index x_row, T* y) noexcept;
  // y[i] = f(x[i], a[i * step], b[i * step]) with step 0 or 1. In place allowed; cut: any.
  void (*spread)(Spread f, Index n, Index step, const T* x, const T* a, const T* b, T* y) noexcept;

  // --- elementary functions, at most 2 ULP in float; in place allowed; cut: any ------------------
  void (*exp)(Index n, const T* x, T* y) noexcept;
  void (*log)(Index n, const T* x, T* y) noexcept;
  void (*tanh)(Index n, const T* x, T* y) noexcept;
  void (*sigmoid)(Index n, const T* x, T* y) noexcept;

  // --- activations; in place allowed; cut: any / rows -------------------------------------------
  // y = f(x).
  void (*activation)(ActivationSpec<T> f, Index n, const T* x, T* y) noexcept;
  // dx = dy * f'(x), the derivative taken from v: y = f(x) or x, as the list in base/types.h says. dx may be dy.
  void (*activation_backward)(ActivationSpec<T> f, Index n, const T* v, const T* dy, T* dx) noexcept;
  // Each row: y = exp(x - max x) / sum of the same.
  void (*softmax)(Index rows, Index cols, const T* x, T* y) noexcept;
  // Each row: dx = y * (dy - sum(dy * y)). dx may be dy.
  void (*softmax_backward)(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept;
  // Each row: y = x - max x - log(sum of exp(x - max x)).
  void (*log_softmax)(Index rows, Index cols, const T* x, T* y) noexcept;
  // Each row: dx = dy - exp(y) * sum(dy). dx may be dy.
  void (*log_softmax_backward)(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept;
  // Each row: y = max(x - t, 0) with the t that makes sum(y) 1. In a row with NaN or inf, or of -inf alone, y is NaN.
  void (*sparsemax)(Index rows, Index cols, const T* x, T* y) noexcept;
  // Each row: dx = dy - mean of the dy where y > 0, there, else 0. dx may be dy.
  void (*sparsemax_backward)(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept;
  // The same six down the columns of matrices whose rows lie `stride` elements apart. Cut: columns.
  void (*softmax_columns)(AxisFunction f, Index rows, Index cols, Index stride, const T* x, T* y) noexcept;
  void (*softmax_columns_backward)(AxisFunction f, Index rows, Index cols, Index stride, const T* y, const T* dy,
                                   T* dx) noexcept;
  // Each row: y = x < 0 ? alpha * x : x, with one alpha per column.
  void (*prelu)(Index rows, Index cols, const T* x, const T* alpha, T* y) noexcept;
  // Each row: dx = dy where x > 0, alpha * dy where x < 0, else 0. dx may be dy.
  void (*prelu_backward)(Index rows, Index cols, const T* x, const T* alpha, const T* dy, T* dx) noexcept;
  // sum[j] = sum over i of min(x, 0) * dy at [i * stride + j], or += with accumulate; i runs upwards. Cut: columns.
  void (*prelu_alpha)(Index rows, Index cols, Index stride, const T* x, const T* dy, T* sum, bool accumulate) noexcept;

  // --- elementwise; in place allowed; cut: any ---------------------------------------------------
  void (*add)(Index n, const T* a, const T* b, T* y) noexcept;  // y = a + b
  void (*fill)(Index n, T value, T* y) noexcept;
  // y = f(x), the elementary functions to at most 2.5 ULP. Cut: any.
  void (*unary)(Unary f, Index n, const T* x, T* y) noexcept;
  // dx = dy * f'(x), the derivative taken from x or from y = f(x) as docs/ops.md says; the other may be null.
  void (*unary_backward)(Unary f, Index n, const T* x, const T* y, const T* dy, T* dx) noexcept;
  // y = f(a, b) over a walk of the operands a and b. Cut: rows and columns.
  void (*binary)(Binary f, Walk walk, const T* a, const T* b, T* y) noexcept;
  // d = dy * df/da, or dy * df/db with `second`, element by element of y: nothing is summed. `y` is read for power
  // alone. d may be dy.
  void (*binary_backward)(Binary f, bool second, Walk walk, const T* a, const T* b, const T* y, const T* dy,
                          T* d) noexcept;
  // y = c != 0 ? a : b over a walk of the operands c, a and b. y may be a or b where it is walked like y.
  void (*choose)(Walk walk, const T* c, const T* a, const T* b, T* y) noexcept;
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

  // --- images ------------------------------------------------------------------------------------
  // y = the image x sampled as `how` says: of the pixels around each place, by their distances in rows and in columns,
  // y = sum over rows a and columns b of (weight a * weight b) x[a, b], in this order.
  void (*resample)(const Resampling<T>& how, const T* x, T* y) noexcept;
  // dx += the adjoint of that: each pixel of dy goes to the pixels that it was sampled from, in the order of dy.
  void (*resample_backward)(const Resampling<T>& how, const T* dy, T* dx) noexcept;

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

  // --- windows; see WindowLine; cut: lines --------------------------------------------------------
  // y = the largest term and its number, the first of equal ones, the last NaN if there is any; numbers may be null.
  void (*window_max)(const WindowLine& line, const T* x, T* y, const WindowNumbers& numbers) noexcept;
  // dx = the sum of dy over the terms, windows, whose number stands in `numbers`. No two lines need the same dx.
  void (*window_max_gather)(const WindowLine& line, const T* dy, const WindowNumbers& numbers, T* dx) noexcept;
  // dx = dy at the term whose number stands in `numbers`, else 0. Items are windows without a common element, side by
  // side along the width; `readable` counts from the line's dy, `writable` from a row of dx on, in which what follows
  // the last window is the caller's to write afterwards.
  void (*window_max_scatter)(const WindowLine& line, const T* dy, const WindowNumbers& numbers, T* dx) noexcept;
  // y = the sum of weights[number] x over the terms.
  void (*window_sum)(const WindowLine& line, const T* weights, const T* x, T* y) noexcept;

  // --- encoding ----------------------------------------------------------------------------------
  // y = the number of the `count` ascending boundaries that are not above x; NaN is above all. Cut: any.
  void (*discretize)(Index n, Index count, const T* boundaries, const T* x, std::int32_t* y) noexcept;
  // Each row of `labels` labels: y[c] = 1 for the classes c that occur, or how often with `counts`; else 0. Labels out
  // of range count for nothing. Cut: rows.
  void (*encode_labels)(Index rows, Index labels, Index classes, bool counts, const std::int32_t* x, T* y) noexcept;

  // --- losses, per row of `cols` elements; cut: rows ---------------------------------------------
  // Formulas: docs/ops.md. Backward takes dv[row] and writes the gradient by p or z; it may be written over dp = p.
  // v[row] is the mean of one term per element, for those of FASTGD_POINTWISE_LOSSES.
  void (*pointwise_loss)(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p, const T* t,
                         T* v) noexcept;
  void (*pointwise_loss_backward)(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p,
                                  const T* t, const T* dv, T* dp) noexcept;
  // v[row] is the value of the row, for those of FASTGD_VECTOR_LOSSES.
  void (*vector_loss)(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p, const T* t,
                      T* v) noexcept;
  void (*vector_loss_backward)(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p,
                               const T* t, const T* dv, T* dp) noexcept;
  // The label `ignored` gives 0 and no gradient; any other outside [0, cols) gives NaN and a gradient of NaN, never an
  // access out of bounds.
  void (*sparse_categorical_crossentropy)(Index rows, Index cols, Index ignored, T epsilon, const T* p,
                                          const std::int32_t* t, T* v) noexcept;
  void (*sparse_categorical_crossentropy_backward)(Index rows, Index cols, Index ignored, T epsilon, const T* p,
                                                   const std::int32_t* t, const T* dv, T* dp) noexcept;
  // p = sigmoid(z) and v the mean of the row; backward dz = dv / cols * (p - t').
  void (*sigmoid_crossentropy)(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) noexcept;
  void (*sigmoid_crossentropy_backward)(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv,
                                        T* dz) noexcept;
  // p = softmax(z); backward dz = dv * (p * sum(t') - t').
  void (*softmax_crossentropy)(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) noexcept;
  void (*softmax_crossentropy_backward)(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv,
                                        T* dz) noexcept;
  void (*sparse_softmax_crossentropy)(Index rows, Index cols, Index ignored, const T* z, const std::int32_t* t, T* v,
                                      T* p) noexcept;
  void (*sparse_softmax_crossentropy_backward)(Index rows, Index cols, Index ignored, const T* p, const std::int32_t* t,
                                               const T* dv, T* dz) noexcept;

  // --- metrics, per row; cut: rows ---------------------------------------------------------------
  void (*accuracy)(Index rows, Index cols, const T* p, const T* t, T* v) noexcept;  // mean of [p == t]
  void (*binary_accuracy)(Index rows, Index cols, T threshold, const T* p, const T* t, T* v) noexcept;
  void (*categorical_accuracy)(Index rows, Index cols, const T* p, const T* t, T* v) noexcept;  // first maxima compared
  void (*sparse_categorical_accuracy)(Index rows, Index cols, const T* p, const std::int32_t* t, T* v) noexcept;
  // Whether fewer than k of p are larger than p at the first maximum of t, or at the label; 0 for a label that is none.
  void (*top_k_categorical_accuracy)(Index rows, Index cols, Index k, const T* p, const T* t, T* v) noexcept;
  void (*sparse_top_k_categorical_accuracy)(Index rows, Index cols, Index k, const T* p, const std::int32_t* t,
                                            T* v) noexcept;

  // --- updates, in place over flat vectors; cut: any ---------------------------------------------
  // Denominators are at least the smallest normal number: a gradient of 0 moves nothing even where epsilon is 0.
  void (*sgd)(Index n, T rate, const T* g, T* w) noexcept;  // w -= rate g
  // v = momentum v - rate g; w += v, or with nesterov w += momentum v - rate g.
  void (*momentum)(Index n, T rate, T momentum, bool nesterov, const T* g, T* w, T* v) noexcept;
  // m += (g - m) (1 - beta_1); v += (g^2 - v) (1 - beta_2); w -= rate m / (sqrt(v) + epsilon); `rate` has the bias
  // correction in it.
  void (*adam)(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m,
               T* v) noexcept;
  // The bits of `steps` calls of adam with g = 0, of these rates one after another.
  void (*adam_rest)(Index n, Index steps, const T* rates, T one_minus_beta_1, T one_minus_beta_2, T epsilon, T* w, T* m,
                    T* v) noexcept;
  // As adam, with top = max(top, v) in place of v under the root.
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
  // a' = a + g^2; z += g + 2 shrinkage w - (a'^power - a^power) inverse_rate w; a = a';
  // w = (clip(z, -l1, l1) - z) / (a^power inverse_rate + 2 l2).
  void (*ftrl)(Index n, T inverse_rate, T power, T l1, T l2, T shrinkage, const T* g, T* w, T* a, T* z) noexcept;

  // --- the steps around a rule ----------------------------------------------------------------------
  // w -= share w.
  void (*decay)(Index n, T share, T* w) noexcept;
  // y = factor x. In place allowed.
  void (*scale)(Index n, T factor, const T* x, T* y) noexcept;
  // y = x, but no further from 0 than the limit. In place allowed; NaN remains.
  void (*clip)(Index n, T limit, const T* x, T* y) noexcept;
  // mean = old mean + fresh x.
  void (*average)(Index n, T old, T fresh, const T* x, T* mean) noexcept;
  // The sum of x^2, in double. No cut: the order of the sum hangs on n.
  double (*sum_of_squares)(Index n, const T* x) noexcept;

  // --- penalties and constraints ------------------------------------------------------------------
  // v[row] = sum of l1 |x| + l2 x^2 over the row, added up in double. Cut: rows.
  void (*penalty)(Index rows, Index cols, T l1, T l2, const T* x, double* v) noexcept;
  // y = g + l1 sign(x) + 2 l2 x, without g where that is null; y may be g. Cut: any.
  void (*penalty_gradient)(Index n, T l1, T l2, const T* x, const T* g, T* y) noexcept;
  // w *= factor of its norm: see NormBounds; in place.
  void (*bound_row_norm)(Index cols, const NormBounds<T>& bounds, T* w) noexcept;
  // The same for each column of w, element (i, j) at w[i * w_row + j]. Cut: columns.
  void (*bound_column_norms)(Index rows, Index cols, Index w_row, const NormBounds<T>& bounds, T* w) noexcept;

  // --- data --------------------------------------------------------------------------------------
  // y = (T)x for n contiguous elements of any source type, rounded to nearest.
  void (*convert)(Source source, Index n, const void* x, T* y) noexcept;
  // y = x scale + offset, a fused product and sum where the tier has one, of elements of `x_bytes` each. Cut: any.
  void (*convert_scaled)(Source source, Index n, const void* x, Index x_bytes, T scale, T offset, T* y) noexcept;
  // Whether all n elements are finite.
  bool (*all_finite)(Index n, const T* x) noexcept;

  // --- probes of the machine ---------------------------------------------------------------------
  // Runs `rounds` rounds of independent fused multiply-adds in registers; returns the number of floating-point
  // operations done.
  double (*fma_probe)(Index rounds, T* sink) noexcept;
  // The same with operands that are loaded in every round as for the tile of a product: two vectors, and from the same
  // address as many numbers as the tile has rows.
  double (*loaded_fma_probe)(Index rounds, const T* operands, T* sink) noexcept;
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
