// Moving matrices into another order: packing into panels, transposing, strided copies; and sums of columns.
#include "kernels/families.h"
#include "kernels/tuning.h"
#include "simd/transpose.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
FASTGD_INLINE Vec<T> load_some(const T* p, Index count) {
  return count >= kLanes<T> ? load(p) : count > 0 ? load_part(p, count) : Vec<T>{};
}

template <class T>
FASTGD_INLINE void store_some(T* p, Vec<T> v, Index count) {
  if (count >= kLanes<T>) {
    store(p, v);
  } else if (count > 0) {
    store_part(p, v, count);
  }
}

// Panels whose elements lie together in the source: each step of k copies `width` neighbours to every panel, so that
// the rows of the source are read from end to end and the prefetcher can follow.
template <class T, Index width>
void pack_copied(Index k, Index n, const T* x, Index x_step, T* packed, Index panel) {
  constexpr Index lanes = kLanes<T>;
  for (Index p = 0; p < k; ++p, x += x_step) {
    T* to = packed + p * width;
    for (Index j = 0; j < n; j += width, to += panel)
      for (Index l = 0; l < width; l += lanes) store_some(to + l, load_some(x + j + l, n - j - l), width - l);
  }
}

// How many blocks ahead the rows of a panel are asked for: each is a stream of its own, more than the processor
// follows. Worth 1 to 1.5 % of the products of 1024 cubes on a Zen 4.
constexpr Index kStepsAhead = 8;

// Panels whose elements lie x_step apart in the source, each followed by its k neighbours: turned block by block.
template <class T, Index width>
void pack_turned(Index k, Index n, const T* x, Index x_step, T* packed, Index panel) {
  constexpr Index lanes = kLanes<T>;
  constexpr Index groups = (width + lanes - 1) / lanes;
  for (Index j = 0; j < n; j += width, x += width * x_step, packed += panel) {
    const Index here = n - j < width ? n - j : width;
    // From line to line of the source where its rows begin alike. Rows of a round length share the sets of the first
    // cache, so that a line that two blocks read would be fetched twice.
    const Index lead = x_step % lanes == 0
                           ? lanes - static_cast<Index>(reinterpret_cast<std::uintptr_t>(x) / sizeof(T)) % lanes
                           : lanes;
    for (Index p = 0, depth = lead < k ? lead : k; p < k; p += depth, depth = k - p < lanes ? k - p : lanes) {
      T* to = packed + p * width;
      for (Index g = 0; g < groups; ++g) {
        Vec<T> block[lanes];
#pragma GCC unroll 16
        for (Index i = 0; i < lanes; ++i) {
          const Index row = g * lanes + i;
          block[i] = row < here ? load_some(x + row * x_step + p, depth) : Vec<T>{};
          if (row < here) __builtin_prefetch(x + row * x_step + p + kStepsAhead * lanes, 0, 2);
        }
        transpose_block<T>(block);
        const Index count = width - g * lanes;
        for (Index i = 0; i < depth; ++i) store_some(to + i * width + g * lanes, block[i], count);
      }
    }
  }
}

template <class T, Index width>
void pack(Index n, Index k, const T* x, Index along, Index deep, T* packed, Index panel) {
  if (along == 1) {
    pack_copied<T, width>(k, n, x, deep, packed, panel);
  } else {
    pack_turned<T, width>(k, n, x, along, packed, panel);
  }
}

template <class T>
void turn(Index rows, Index cols, const T* x, Index x_row, T* y, Index y_row) {
  constexpr Index lanes = kLanes<T>;
  for (Index j = 0; j < cols; j += lanes) {
    const Index width = cols - j < lanes ? cols - j : lanes;
    for (Index i = 0; i < rows; i += lanes) {
      const Index height = rows - i < lanes ? rows - i : lanes;
      Vec<T> block[lanes];
#pragma GCC unroll 16
      for (Index r = 0; r < lanes; ++r) block[r] = r < height ? load_some(x + (i + r) * x_row + j, width) : Vec<T>{};
      transpose_block<T>(block);
      for (Index c = 0; c < width; ++c) store_some(y + (j + c) * y_row + i, block[c], height);
    }
  }
}

template <class T>
void copy_matrix(Index rows, Index cols, const T* x, Index x_row, Index x_col, T* y, Index y_row, Index y_col) {
  for (Index i = 0; i < rows; ++i, x += x_row, y += y_row) {
    const T* from = x;
    T* to = y;
    if (x_col == 1 && y_col == 1) {
      for_vectors<T>(cols, [=](Index j, auto where) { store<T>(to + j, load(from + j, where), where); });
    } else if (x_col == 0 && y_col == 1) {
      // Moved and not computed with, because the bits may be those of integers.
      const T value = *from;
      for (Index j = 0; j < cols; ++j) to[j] = value;
    } else {
      for (Index j = 0; j < cols; ++j) to[j * y_col] = from[j * x_col];
    }
  }
}

template <class T>
void sum_rows(Index rows, Index cols, const T* x, Index x_row, T* y, bool accumulate) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    // Four chains, so that an addition need not wait for the one before.
    Vec<T> sum[4] = {accumulate ? load(y + j, where) : Vec<T>{}};
    const T* p = x + j;
    Index i = 0;
    for (; i + 4 <= rows; i += 4)
      for (int chain = 0; chain < 4; ++chain, p += x_row) sum[chain] += load(p, where);
    for (; i < rows; ++i, p += x_row) sum[0] += load(p, where);
    store<T>(y + j, (sum[0] + sum[1]) + (sum[2] + sum[3]), where);
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                               \
  void pack_rows(Index rows, Index k, const T* a, Index a_row, Index a_col, T* packed) noexcept {              \
    pack<T, kTileRows<T>>(rows, k, a, a_row, a_col, packed, kTileRows<T> * k);                                 \
  }                                                                                                            \
  void pack_cols(Index k, Index cols, const T* b, Index b_row, Index b_col, T* packed, Index panel) noexcept { \
    pack<T, kTileCols<T>>(cols, k, b, b_col, b_row, packed, panel);                                            \
  }                                                                                                            \
  void transpose(Index rows, Index cols, const T* x, Index x_row, T* y, Index y_row) noexcept {                \
    turn(rows, cols, x, x_row, y, y_row);                                                                      \
  }                                                                                                            \
  void copy_strided(Index rows, Index cols, const T* x, Index x_row, Index x_col, T* y, Index y_row,           \
                    Index y_col) noexcept {                                                                    \
    copy_matrix(rows, cols, x, x_row, x_col, y, y_row, y_col);                                                 \
  }                                                                                                            \
  void column_sum(Index rows, Index cols, const T* x, Index x_row, T* y, bool accumulate) noexcept {           \
    sum_rows(rows, cols, x, x_row, y, accumulate);                                                             \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
