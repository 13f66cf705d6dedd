// The plain types that every level shares, the compiled tiers included: nothing here may emit code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastgd {

// Sizes and strides are signed, in elements unless a name says bytes.
using Index = std::int64_t;

// The activations that work element by element, and so can be an epilogue; softmax works on rows.
enum class Activation : int { linear, sigmoid, tanh, relu, leaky_relu };

// The element types that data may arrive in.
enum class Source : int { float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64 };

// What a product does to its result while that is still in registers: y = activation(c + bias).
template <class T>
struct Epilogue {
  const T* bias = nullptr;  // n values, or null
  Activation activation = Activation::linear;
  T slope = 0;  // the negative slope of leaky_relu
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

// Where in the random stream a dropout mask begins.
struct MaskStream {
  std::uint64_t seed = 0;
  std::uint64_t iteration = 0;
  std::uint64_t threshold = 0;  // an element is kept where its 32-bit word >= threshold (up to 2^32)
};

}  // namespace fastgd
