// Products of matrices by the whole team: what is packed, how the work is cut. The one op that other ops include.
#pragma once

#include <algorithm>
#include <numeric>

#include "base/buffer.h"
#include "ops/op.h"

namespace fastgd {

// Sizes and storage of C (m x n) = op(A) (m x k) op(B) (k x n), all row-major.
struct ProductShape {
  Index m = 0, n = 0, k = 0;
  bool a_transposed = false;  // A is stored k x m
  bool b_transposed = false;  // B is stored n x k
  // Elements from row to row as each is stored, 0 where it is dense; none is dense, or all are.
  Index a_stride = 0, b_stride = 0, c_stride = 0;
};

// One product, planned once and run many times. Cuts only along rows and columns of C and takes blocks of k in order,
// so that neither the plan nor the team changes a bit of the result.
template <class T>
class Product {
 public:
  Product() = default;
  Product(const Kernels<T>& kernels, const ProductShape& shape) : s_(shape) {
    const Index bytes = static_cast<Index>(sizeof(T));
    const Index depth = kPackedBlockBytes / (kernels.tile_cols * bytes);
    const Index row_tiles = (s_.m + kernels.tile_rows - 1) / kernels.tile_rows;
    const Index col_tiles = (s_.n + kernels.tile_cols - 1) / kernels.tile_cols;
    // A vector on either side: told by the shape alone, since these sum in an order of their own.
    const bool dense = s_.a_stride == 0;
    if (dense) s_.a_stride = s_.a_transposed ? s_.m : s_.k;
    if (dense) s_.b_stride = s_.b_transposed ? s_.k : s_.n, s_.c_stride = s_.n;
    if (dense && s_.n == 1) {
      form_ = s_.a_transposed ? Form::vector_times_rows : Form::rows_times_vector;
    } else if (dense && s_.m == 1) {
      form_ = s_.b_transposed ? Form::rows_times_vector : Form::vector_times_rows;
    }
    // A single row or column is stored the same way turned or not.
    if (dense && s_.k == 1) s_.b_transposed = false, s_.b_stride = s_.n;
    by_columns_ = col_tiles >= row_tiles;
    // Rows of B that lie far apart share few cache sets and need a page each. A copy pays from the second tile row on
    // if B finds no room in the second cache; else, and where the rows lie half as far apart, from the eighth.
    const Index a_row_bytes = s_.a_stride * bytes, b_row_bytes = s_.b_stride * bytes;
    const Index near = s_.k >= kManyRows ? kNearBytes : kFarApartBytes;
    const bool in_far_memory = b_row_bytes >= kFarApartBytes && s_.k * b_row_bytes > kRoomyBytes;
    // Sums of one term are made row by row, without tiles.
    const bool has_tiles = form_ == Form::matrix && s_.k > 1;
    pack_b_ = (form_ == Form::matrix && s_.b_transposed) ||
              (has_tiles && row_tiles >= (in_far_memory ? 2 : kTilesToPackNear) && b_row_bytes >= near &&
               s_.n > kernels.tile_cols);
    const bool finds_room = s_.a_transposed ? s_.k * a_row_bytes <= kRoomyBytes && fit(s_.k, a_row_bytes, kSecondPeriod)
                                            : fit(kernels.tile_rows, a_row_bytes, kFirstPeriod);
    pack_a_ = has_tiles && col_tiles >= (finds_room ? kPanelsToPackRoomy : kPanelsToPackA) &&
              (s_.a_transposed ? a_row_bytes >= near : a_row_bytes >= kFarApartBytes && rows_share_sets());
    block_depth_ = pack_b_ ? std::min(std::max<Index>(s_.k, 1), depth) : std::max<Index>(s_.k, 1);
    block_cols_ = (s_.b_transposed ? kTurnedPanels : kPackedPanels) * kernels.tile_cols;
    if (pack_a_) packed_a_ = multiply(round_to(s_.m, kernels.tile_rows), s_.k);
    if (pack_b_) packed_b_ = multiply(col_tiles, panel(kernels, block_depth_));
    if (pack_b_) whole_b_ = multiply(col_tiles, panel(kernels, s_.k));
  }

  Index scratch_bytes() const { return multiply(packed_a_ + packed_b_ + kSlack, sizeof(T)); }
  double work() const {
    return 2.0 * static_cast<double>(s_.m) * static_cast<double>(s_.n) * static_cast<double>(s_.k);
  }

  // All of the team calls this together. The scratch is free again only after the caller's next sync.
  void run(const Kernels<T>& k, const T* a, const T* b, T* c, bool accumulate, const Epilogue<T>& epilogue, T* scratch,
           const Worker& who) const noexcept {
    if (form_ != Form::matrix) {
      const Range part = run_vector(k, a, b, c, accumulate, who);
      finish_vector(k, epilogue, c, part);
      return;
    }
    Gemm<T> g;
    g.m = s_.m, g.n = s_.n, g.k = s_.k;
    g.a = a, g.a_row = s_.a_transposed ? 1 : s_.a_stride, g.a_col = s_.a_transposed ? s_.a_stride : 1;
    g.b = b, g.b_row = s_.b_stride;
    g.c = c, g.c_row = s_.c_stride;
    g.accumulate = accumulate;
    g.epilogue = epilogue;
    if (pack_a_) pack_a(k, g, scratch, who);
    T* const packed_b = scratch + round_to(packed_a_, 16);
    if (by_columns_) {
      run_columns(k, g, b, packed_b, who.share(s_.n, k.tile_cols));
    } else {
      run_rows(k, g, b, packed_b, who);
    }
  }

  // The same, but C goes to take(first element, number of elements, values) in pieces, by the thread that has made
  // them.
  template <class F>
  void stream(const Kernels<T>& k, const T* a, const T* b, const F& take, T* scratch,
              const Worker& who) const noexcept {
    if (form_ != Form::matrix) {
      T* const c = scratch;
      const Range part = run_vector(k, a, b, c, false, who);
      if (part.size() > 0) take(part.begin, part.size(), c + part.begin);
      return;
    }
    Gemm<T> g;
    g.k = s_.k;
    g.a_row = s_.a_transposed ? 1 : s_.k, g.a_col = s_.a_transposed ? s_.m : 1;
    g.c_row = s_.n;
    T* const packed_b = scratch + round_to(packed_a_, 16);
    T* const c = packed_b + round_to(whole_b_, 16);
    if (pack_b_) {
      const Range cols = who.share(s_.n, k.tile_cols);
      T* const mine = packed_b + cols.begin / k.tile_cols * panel(k, s_.k);
      if (cols.size() > 0) pack_block(k, b, 0, s_.k, cols.begin, cols.size(), mine);
      who.sync();
      set_packed_b(k, g, packed_b, s_.k);
    } else {
      g.b = b, g.b_row = s_.n;
    }
    if (stream_by_columns_) {
      stream_columns(k, g, a, take, scratch, c, who);
    } else {
      stream_rows(k, g, a, take, scratch, c, who.share(s_.m, k.tile_rows));
    }
  }

  bool by_columns() const { return by_columns_; }

  // Makes `stream` give each thread columns of C, or rows. The thread that makes a part of a gradient should be the one
  // that reads that part of the parameter in the forward pass: then the part stays in its caches from step to step.
  void stream_by_columns(bool columns) { stream_by_columns_ = columns; }

  Index stream_scratch_bytes() const {
    return multiply(packed_a_ + whole_b_ + multiply(s_.m, s_.n) + 2 * kSlack, sizeof(T));
  }

 private:
  // Chosen by `fastgd bench kernels` on a Zen 4 with 32 KiB and 1 MiB of cache per core; docs/performance.md has the
  // figures. A panel of B of this many bytes, and so many panels, stay in the second cache while the tiles of A pass.
  static constexpr Index kPackedBlockBytes = 64 * 1024;
  static constexpr Index kPackedPanels = 16;
  // Of a transposed B, whose rows lie far apart, fewer: with 16 a Xeon takes 10 to 25 % longer for 256 x 2048 x 2048
  // and 32 x 1024 x 1024.
  static constexpr Index kTurnedPanels = 8;
  // From rows of this length on, the lines of a tile begin to share cache sets.
  static constexpr Index kFarApartBytes = 2048;
  // From half of it on where there are many of them and the copy serves many tiles. 256 x 1024 x 256 with the left side
  // transposed, whose two sides have rows of 1 KiB, ran at 50 % of a Xeon's peak, and at 66 % with both copied; 256
  // cubes at 73 and 77.
  static constexpr Index kNearBytes = 1024, kManyRows = 128, kTilesToPackNear = 8;
  // What finds room in the second cache, and the addresses of its pages in theirs. 16 and 32 x 512 x 512 run at 57 and
  // 64 % of a Xeon's peak without a copy of B, at 39 and 53 with one, but 32 x 1024 x 1024 at 36 and 46.
  static constexpr Index kRoomyBytes = 1024 * 1024;
  // Panels of B for which a copy of A pays; more where it finds room in the caches as it is, see `fit`. Plain rows are
  // copied only where processors are slow with rows that share sets.
  static constexpr Index kPanelsToPackA = 4, kPanelsToPackRoomy = 8;
  // Lines this far apart share a set of a cache of 32 KiB, and of one of 1 MiB, each of so many ways.
  static constexpr Index kFirstPeriod = 4 * 1024, kSecondPeriod = 128 * 1024, kWays = 8;

  // What is streamed at a time: small beside the second cache, long enough for the prefetcher. Sums of few terms cost
  // less than writing and reading them, and their pieces stay in the first cache: 784-128-10 on a Xeon takes 14 us
  // instead of 24 for single samples (plain descent, their sums made row by row), and 44 instead of 50 for four (Adam).
  static constexpr Index kPieceElements = 16384, kShortPieceElements = 2048, kShortChain = 8;
  static constexpr Index kSlack = 16;

  // Whether a line of each of so many rows finds room in half of a cache. Of a plain A these are the rows of a tile. Of
  // a transposed one they are all k rows, of which each panel of B meets a line or two, one step after the other: from
  // the second cache that costs a Zen 4 little, and it takes 784 x 128 x 32 (four panels) in 7 to 11 % less time
  // without a copy; a Xeon takes 5 % less with one there, and 15 % less for sixteen panels, where Zen 4 loses
  // 2 %.
  static bool fit(Index rows, Index stride, Index period) {
    return rows <= kWays / 2 * (period / std::max(kAlignment, std::gcd(stride, period)));
  }

  enum class Form { matrix, rows_times_vector, vector_times_rows };

  // C is a row or a column; returns this thread's part of it.
  Range run_vector(const Kernels<T>& k, const T* a, const T* b, T* c, bool accumulate,
                   const Worker& who) const noexcept {
    const Index n = s_.m * s_.n;
    const T* const matrix = s_.n == 1 ? a : b;
    const T* const vector = s_.n == 1 ? b : a;
    const Range part = who.share(n, k.lanes);
    if (part.size() == 0) return part;
    if (form_ == Form::rows_times_vector) {
      k.gemv(part.size(), s_.k, matrix + part.begin * s_.k, s_.k, vector, c + part.begin, accumulate);
    } else {
      k.gemv_transposed(s_.k, part.size(), matrix + part.begin, n, vector, c + part.begin, accumulate);
    }
    return part;
  }

  void finish_vector(const Kernels<T>& k, const Epilogue<T>& epilogue, T* c, Range part) const noexcept {
    if (part.size() == 0) return;
    if (epilogue.bias != nullptr)
      for (Index i = part.begin; i < part.end; ++i) c[i] += epilogue.bias[s_.n == 1 ? 0 : i];
    T* const mine = c + part.begin;
    if (epilogue.activation.function != Activation::linear) k.activation(epilogue.activation, part.size(), mine, mine);
  }

  static Index round_to(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

  void pack_a(const Kernels<T>& k, Gemm<T>& g, T* packed, const Worker& who) const noexcept {
    const Range rows = who.share(s_.m, k.tile_rows);
    if (rows.size() > 0)
      k.pack_rows(rows.size(), s_.k, g.a + rows.begin * g.a_row, g.a_row, g.a_col, packed + rows.begin * s_.k);
    who.sync();
    set_packed_a(k, g, packed);
  }

  // From one packed panel of B to the next: a line more than it holds, or panels of a round depth would share cache
  // sets.
  static Index panel(const Kernels<T>& k, Index depth) { return k.tile_cols * depth + k.tile_cols; }

  // B(p, j) in memory, whichever way it is stored.
  const T* at_b(const T* b, Index p, Index j) const {
    return b + (s_.b_transposed ? j * s_.b_stride + p : p * s_.b_stride + j);
  }

  void pack_block(const Kernels<T>& k, const T* b, Index p, Index depth, Index j, Index cols,
                  T* packed) const noexcept {
    const Index row = s_.b_transposed ? 1 : s_.b_stride, col = s_.b_transposed ? s_.b_stride : 1;
    k.pack_cols(depth, cols, at_b(b, p, j), row, col, packed, panel(k, depth));
  }

  // The part of `g` that starts at step p of k and column j of C.
  Gemm<T> block(const Gemm<T>& g, Index p, Index depth, Index j, Index cols) const {
    Gemm<T> part = g;
    part.n = cols, part.k = depth;
    part.a += p * g.a_col;
    part.c += j;
    part.accumulate = p > 0 || g.accumulate;
    if (p + depth < s_.k) {
      part.epilogue = {};
    } else if (g.epilogue.bias != nullptr) {
      part.epilogue.bias += j;
    }
    return part;
  }

  void set_packed_b(const Kernels<T>& k, Gemm<T>& part, const T* packed, Index depth) const {
    part.b = packed, part.b_row = k.tile_cols, part.b_panel = panel(k, depth);
  }

  // Each thread has its own columns, and packs them for itself: nobody waits.
  void run_columns(const Kernels<T>& k, const Gemm<T>& g, const T* b, T* packed, Range cols) const noexcept {
    packed += cols.begin / k.tile_cols * panel(k, block_depth_);
    for (Index j = cols.begin; j < cols.end; j += block_cols_) {
      const Index width = std::min(block_cols_, cols.end - j);
      Index p = 0;
      do {
        const Index depth = std::min(block_depth_, s_.k - p);
        Gemm<T> part = block(g, p, depth, j, width);
        if (pack_b_) {
          pack_block(k, b, p, depth, j, width, packed);
          set_packed_b(k, part, packed, depth);
        } else {
          part.b = b + p * s_.b_stride + j;
        }
        k.gemm(part);
        p += depth;
      } while (p < s_.k);
    }
  }

  // Each thread has its own rows; the blocks of B are packed together.
  void run_rows(const Kernels<T>& k, const Gemm<T>& g, const T* b, T* packed, const Worker& who) const noexcept {
    const Range tiles = who.share((s_.m + k.tile_rows - 1) / k.tile_rows);
    const Index first = tiles.begin * k.tile_rows, rows = std::min(s_.m, tiles.end * k.tile_rows) - first;
    for (Index j = 0; j < s_.n; j += block_cols_) {
      const Index width = std::min(block_cols_, s_.n - j);
      Index p = 0;
      do {
        const Index depth = std::min(block_depth_, s_.k - p);
        Gemm<T> part = block(g, p, depth, j, width);
        if (pack_b_) {
          who.sync();  // the block before may still be in use
          const Range mine = who.share(width, k.tile_cols);
          if (mine.size() > 0)
            pack_block(k, b, p, depth, j + mine.begin, mine.size(),
                       packed + mine.begin / k.tile_cols * panel(k, depth));
          set_packed_b(k, part, packed, depth);
          who.sync();
        } else {
          part.b = b + p * s_.b_stride + j;
        }
        part.a += pack_a_ ? tiles.begin * g.a_panel : first * g.a_row;
        part.c += first * g.c_row;
        part.m = rows;
        k.gemm(part);
        p += depth;
      } while (p < s_.k);
    }
  }

  // `g` with its rows of A in panels, which are made at `packed`.
  Gemm<T> with_packed_rows(const Kernels<T>& k, Gemm<T> g, T* packed) const noexcept {
    k.pack_rows(g.m, s_.k, g.a, g.a_row, g.a_col, packed);
    set_packed_a(k, g, packed);
    return g;
  }

  void set_packed_a(const Kernels<T>& k, Gemm<T>& g, const T* packed) const {
    g.a = packed, g.a_row = 1, g.a_col = k.tile_rows, g.a_panel = k.tile_rows * s_.k;
  }

  // How many rows of so many columns make a piece.
  Index piece_rows(const Kernels<T>& k, Index width) const {
    const Index elements = s_.k <= kShortChain ? kShortPieceElements : kPieceElements;
    return k.tile_rows * std::max<Index>(1, elements / (k.tile_rows * std::max<Index>(width, 1)));
  }

  // Whole rows of C, a few tiles at a time: they lie together, and stay in the second cache until they are taken.
  template <class F>
  void stream_rows(const Kernels<T>& k, Gemm<T> g, const T* a, const F& take, T* packed_a, T* c,
                   Range rows) const noexcept {
    const Index step = piece_rows(k, s_.n);
    packed_a += rows.begin * s_.k;
    c += rows.begin * s_.n;
    g.n = s_.n, g.c = c;
    for (Index i = rows.begin; i < rows.end; i += step) {
      g.m = std::min(step, rows.end - i);
      g.a = a + i * g.a_row;
      k.gemm(pack_a_ ? with_packed_rows(k, g, packed_a) : g);
      take(i * s_.n, g.m * s_.n, c);
    }
  }

  // The same for some columns: pieces of rows, given away row by row. Each thread copies the rows of A for itself.
  template <class F>
  void stream_columns(const Kernels<T>& k, Gemm<T> g, const T* a, const F& take, T* packed_a, T* c,
                      const Worker& who) const noexcept {
    const Range cols = who.share(s_.n, k.tile_cols);
    if (cols.size() == 0) return;
    const Index width = cols.size();
    const Index step = piece_rows(k, width);
    const Index room = packed_a_ / who.size;
    const bool packs = pack_a_ && step * s_.k <= room;
    packed_a += who.rank * room;
    g.n = width;
    g.b += pack_b_ ? cols.begin / k.tile_cols * g.b_panel : cols.begin;
    // Threads begin at different places, each with room for its own piece.
    g.c = c + cols.begin * s_.m, g.c_row = width;
    for (Index i = 0; i < s_.m; i += step) {
      g.m = std::min(step, s_.m - i);
      g.a = a + i * g.a_row;
      k.gemm(packs ? with_packed_rows(k, g, packed_a) : g);
      for (Index r = 0; r < g.m; ++r) take((i + r) * s_.n + cols.begin, width, g.c + r * width);
    }
  }

  ProductShape s_;
  Form form_ = Form::matrix;
  bool by_columns_ = true, stream_by_columns_ = false, pack_a_ = false, pack_b_ = false;
  Index block_depth_ = 1, block_cols_ = 1;
  Index packed_a_ = 0, packed_b_ = 0, whole_b_ = 0;  // elements
};

}  // namespace fastgd
