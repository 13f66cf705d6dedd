// The plain types that every level shares, the compiled tiers included: nothing here may emit code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastgd {

// Sizes and strides are signed, in elements unless a name says bytes.
using Index = std::int64_t;

// The functions that work element by element (docs/ops.md gives their formulas): the name, whether the derivative is
// taken from the output or from the input, and the names of up to three numbers. Softmax, which works on rows, is none.
#define FASTGD_ACTIVATIONS(X)                                            \
  X(linear, output)                                                      \
  X(sigmoid, output)                                                     \
  X(tanh, output)                                                        \
  X(relu, output)                                                        \
  X(leaky_relu, output, "negative_slope")                                \
  X(relu6, output)                                                       \
  X(elu, output, "alpha")                                                \
  X(selu, output)                                                        \
  X(celu, output, "alpha")                                               \
  X(exponential, output)                                                 \
  X(softplus, output)                                                    \
  X(log_sigmoid, output)                                                 \
  X(softsign, output)                                                    \
  X(squareplus, output, "b")                                             \
  X(sparse_plus, output)                                                 \
  X(sparse_sigmoid, output)                                              \
  X(hard_sigmoid, output)                                                \
  X(hard_tanh, output)                                                   \
  X(soft_shrink, output, "threshold")                                    \
  X(hard_shrink, output, "threshold")                                    \
  X(thresholded_relu, input, "negative_slope", "max_value", "threshold") \
  X(threshold, input, "threshold", "default_value")                      \
  X(tanh_shrink, input)                                                  \
  X(silu, input)                                                         \
  X(hard_silu, input)                                                    \
  X(mish, input)                                                         \
  X(gelu, input)                                                         \
  X(gelu_tanh, input)

#define FASTGD_ENUMERATOR(name, ...) name,
enum class Activation : int { FASTGD_ACTIVATIONS(FASTGD_ENUMERATOR) };
#undef FASTGD_ENUMERATOR

// An elementwise function with its numbers, in the order of the list.
template <class T>
struct ActivationSpec {
  Activation function = Activation::linear;
  T a = 0, b = 0, c = 0;
};

// The functions of the op `activation` that run along an axis.
enum class AxisFunction : int { softmax, log_softmax, sparsemax };

// How a reduction joins values.
enum class Fold : int { sum, product, max, min, log_sum_exp };

// Functions of an element x and of two values a and b that belong to its reduction: what gradients of reductions need.
enum class Spread : int {
  equal,             // [x == a]
  where_equal,       // x == a ? b : 0
  exp_times,         // e^(x - a) b
  zero,              // [x == 0]
  or_one,            // x == 0 ? 1 : x
  quotient,          // x == 0 ? b : a / x
  square,            // (x - a)^2
  difference_times,  // (x - a) b
};

// The functions of the op `unary`, and those of the op `binary`: docs/ops.md says what each computes.
enum class Unary : int {
  absolute,
  arctan,
  ceil,
  cos,
  cosh,
  erf,
  exp,
  expm1,
  floor,
  isfinite,
  isinf,
  isnan,
  log,
  log10,
  log1p,
  log2,
  logical_not,
  negative,
  reciprocal,
  round,
  rsqrt,
  sign,
  sin,
  sinh,
  sqrt,
  square,
  stop_gradient,
  tan
};
enum class Binary : int {
  add,
  arctan2,
  divide,
  equal,
  floor_divide,
  greater,
  greater_equal,
  less,
  less_equal,
  logical_and,
  logical_or,
  logical_xor,
  maximum,
  minimum,
  mod,
  multiply,
  not_equal,
  power,
  subtract
};

// How up to three operands are walked for a contiguous matrix of results: element (i, j) of operand k lies at
// i * row[k] + j * col[k], where col[k] is 1, or 0 for an operand whose row is one value repeated.
struct Walk {
  Index rows = 0, cols = 0;
  Index row[3] = {0, 0, 0};
  Index col[3] = {0, 0, 0};
};

// The element types that data may arrive in.
enum class Source : int { float16, float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64 };
// What float or double is as a source.
template <class T>
constexpr Source kSourceOf = sizeof(T) == sizeof(float) ? Source::float32 : Source::float64;

// What a product does to its result while that is still in registers: y = activation(c + bias).
template <class T>
struct Epilogue {
  const T* bias = nullptr;  // n values, or null
  ActivationSpec<T> activation;
};

// Rows of neighbouring units of a recurrent cell. The derivative of either function follows from its output. Strides
// are in elements.
template <class T>
struct CellRows {
  ActivationSpec<T> gates, state;  // the functions of the gates and of the state
  Index rows = 0, units = 0;
  Index z_row = 0, gate = 0;  // in z: from row to row, from gate to gate
  Index row = 0;              // from row to row of h, c and their gradients
  Index before_row = 0;       // from row to row of what was before
};

// C (m x n) = A (m x k) B (k x n), or C += A B, then the epilogue.
// A is read by two strides, so that A stored transposed is the same call with the strides swapped. Packed operands are
// the same call too: a_panel and b_panel say how far one tile's rows of A, or columns of B, lie from the next tile's.
template <class T>
struct Gemm {
  Index m = 0, n = 0, k = 0;
  const T* a = nullptr;
  Index a_row = 0, a_col = 0;  // A(i, p) = a[i * a_row + p * a_col] within a tile
  Index a_panel = 0;           // 0: tile_rows * a_row, as where A is not packed
  const T* b = nullptr;
  Index b_row = 0;    // B(p, j) = b[p * b_row + j] within a tile
  Index b_panel = 0;  // 0: tile_cols, as where B is not packed
  T* c = nullptr;
  Index c_row = 0;          // C(i, j) = c[i * c_row + j]
  bool accumulate = false;  // C += A B instead of C = A B; the epilogue sees the sum
  Epilogue<T> epilogue;
};

// Several products of one B whose sums over k come in pieces: for each block i of `blocks`, C_i = the sum over the runs
// r of A_ir (m x k) B_r (k x n). A_ir begins at a + i * a_step + a_offsets[r], B_r at b + r * b_run, C_i at
// c + i * c_step. A convolution is this without a copy: a block is a row of pixels, a run the neighbours that one row
// of the window sees.
template <class T>
struct GemmRuns : Gemm<T> {
  Index runs = 1;
  const Index* a_offsets = nullptr;
  Index b_run = 0;
  Index blocks = 1;
  Index a_step = 0, c_step = 0;
};

// Neighbouring outputs in one row of a depthwise convolution, or of its adjoint: which columns of x the taps of the
// kernel meet. Tap t in row r of the kernel meets for output j the column first + j * step + t * dilation of the r-th
// row of x; columns outside 0 ... width - 1 are zero. Strides are in elements, and may be negative for w.
struct DepthwiseLine {
  Index channels = 0;
  Index outputs = 0;
  Index rows = 0, taps = 0;
  Index first = 0, step = 1, dilation = 1, width = 0;
  Index x_row = 0, x_col = 0;  // from row to row of x, from column to column
  Index w_row = 0, w_tap = 0;  // from row to row of the kernel, from tap to tap
  Index y_col = 0;             // from output to output
};

// Neighbouring tiles in a row of a Winograd transform, and the image they lie in, channels last. Tile i begins at row
// `row` and column `col` + 2 i; rows and columns outside of the image do not exist. Of a transformed tile, element
// (r, c) of channel j is at (4 r + c) * matrix + i * channels + j.
struct WinogradLine {
  Index tiles = 0, channels = 0;
  Index row = 0, col = 0;
  Index height = 0, width = 0;
  Index matrix = 0;
};

// Where the channel of an element of a matrix is told: by its column (channels last) or by its row.
enum class Channels : int { columns, rows };

// The straight line of each channel: factor dy + slope (x - mean) + shift.
template <class T>
struct ChannelLine {
  const T* mean = nullptr;
  const T* factor = nullptr;  // null where there is no dy
  const T* slope = nullptr;   // null: 0, and neither x nor mean is read
  const T* shift = nullptr;
};

// How a row is normalised: (x - mean) min(1 / sqrt(share sum((x - mean)^2) + epsilon), limit), with mean 0 unless
// centered; a mean is share sum(x).
template <class T>
struct RowNorm {
  bool centered = false;
  T share = 1;
  T epsilon = 0;
  T limit = 0;
};

// What an image is beyond its edges, of the pixels a b c d: k k | a b c d | k k with k = value, a a | a b c d | d d,
// b a | a b c d | d c, and c d | a b c d | a b.
enum class FillMode : int { constant, nearest, reflect, wrap };

// How an image (rows, cols, channels) is sampled: pixel (i, j) of the result lies at the row map[0] i + map[1] j +
// map[2] and the column map[3] i + map[4] j + map[5], between pixels unless it is rounded to the nearest, halves away
// from 0.
template <class T>
struct Resampling {
  Index rows = 0, cols = 0, channels = 0;
  Index pitch = 0;  // pixels from one row of the image to the next
  Index out_rows = 0, out_cols = 0;
  double map[6] = {1, 0, 0, 0, 1, 0};
  bool nearest = false;
  FillMode fill = FillMode::constant;
  T value = 0;
};

// What a constraint does to a norm: w *= (rate clip(norm, low, high) + (1 - rate) norm) / (norm + epsilon).
template <class T>
struct NormBounds {
  T low = 0, high = 0, rate = 1, epsilon = 0;
};

// Where in the random stream a dropout mask begins.
struct MaskStream {
  std::uint64_t seed = 0;
  std::uint64_t iteration = 0;
  std::uint64_t threshold = 0;  // an element is kept where its 32-bit word >= threshold (up to 2^32)
};

}  // namespace fastgd
