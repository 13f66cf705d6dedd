// The register tile of the products: some rows of C times one or two vectors of columns, summed over k in order, bias
// and activation applied before it is stored.
//
// Every element of C is one chain of fused multiply-adds over k = 0, 1, 2, ..., begun from zero or from C. Blocks and
// tiles only decide when a part of the chain runs, never its order, so the bits do not depend on them nor on how a team
// cuts C.
#pragma once

#include "kernels/families.h"
#include "kernels/tuning.h"
#include "simd/activation.h"
#include "simd/indices.h"
#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// From this many steps on a tile takes long enough for the next one's lines of C to come; in shorter ones asking for
// them would be a large part of the work.
constexpr Index kLongChain = 128;

// Rows of A that are addressed from one pointer: the others' distances from it, once, twice, three and four times the
// stride, take three registers, and three pointers are enough for a tile.
constexpr int kRowsFromOne = 5;

// Where a tile's chain begins and what happens at its end.
enum class Start { zero, from_c };

template <class Product>
constexpr bool kInRuns = false;
template <class T>
constexpr bool kInRuns<GemmRuns<T>> = true;

// Applies f to a tile of C where it lies, `columns` of Vectors registers R. Out of the tile's own code: a call there
// would push all of its sums out of the registers, and not only where the call is made.
template <class T, class R, int Vectors>
[[gnu::noinline]] void activate(const Spec<T>& f, T* c, Index c_row, Index rows, Index columns) noexcept {
  constexpr Index lanes = R::kCount, width = Vectors * lanes;
  if constexpr (lanes == kLanes<T>) {
    const bool done = with_common_activation<T>(f, [&](auto g) {
      Index r = 0;
      if constexpr (Vectors == 1 && kInPairs<decltype(g), T>)
        for (; columns == lanes && r + 2 <= rows; r += 2, c += 2 * c_row) apply_to_pair(g, c, c + c_row, c, c + c_row);
      for (; r < rows; ++r, c += c_row) apply(g, f, columns, c, c);
    });
    if (done) return;
  }
  // Side by side: the vectors of narrow tiles are full this way, and what is called is called once.
  constexpr Index most = (kTileRows<T> * width + kLanes<T> - 1) / kLanes<T>;
  Vec<T> values[most];
  const Index size = rows * width, whole = (size + kLanes<T> - 1) / kLanes<T>;
  values[whole - 1] = Vec<T>{};
  T* const block = reinterpret_cast<T*>(values);
  const auto each = [&](auto move) {
    for (Index r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        const Index left = columns - v * lanes;
        move(block + (r * Vectors + v) * lanes, c + r * c_row + v * lanes, left < lanes ? left : lanes);
      }
  };
  each([](T* to, const T* at, Index n) { R::store(to, n < lanes ? R::load_part(at, n) : R::load(at)); });
  const bool done = with_common_activation<T>(f, [&](auto g) { apply(g, f, whole * kLanes<T>, block, block); });
  if (!done) activation(f, size, block, block);
  each([](const T* from, T* at, Index n) {
    if (n < lanes) {
      R::store_part(at, R::load(from), n);
    } else {
      R::store(at, R::load(from));
    }
  });
}

// One tile of Rows x (Vectors * lanes) at c, in registers R; of the last vector only `last_lanes` columns exist where
// `part` is set. The sum over k is one chain, or one that goes on from run to run where the product is a GemmRuns.
template <bool part, class Product, class T, class R, int Rows, int Vectors>
FASTGD_INLINE void sum_tile(const Product& g, const T* a, const T* b, T* c, Index k, Start start, bool finish,
                            const T* bias, Index last_lanes) noexcept {
  using V = typename R::V;
  constexpr Index lanes = R::kCount;
  constexpr int groups = (Rows + kRowsFromOne - 1) / kRowsFromOne;
  V sum[Rows][Vectors];
  // Not to be known as 1, for which the compiler would make a loop of its own with more addresses than registers.
  Index a_row = g.a_row, a_col = g.a_col, b_row = g.b_row;
  FASTGD_OPAQUE(a_row);
  FASTGD_OPAQUE(a_col);
  FASTGD_OPAQUE(b_row);
  const auto load_c = [&](const T* p, int v) {
    return part && v == Vectors - 1 ? R::load_part(p + v * lanes, last_lanes) : R::load(p + v * lanes);
  };
  if (start == Start::zero) {
    // C is wanted at the end; its lines may come while the chain runs.
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) __builtin_prefetch(c + r * g.c_row, 1);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sum[r][v] = R::zero();
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sum[r][v] = load_c(c + r * g.c_row, v);
  }
  const auto chain = [&](const T* a_p, const T* b_p) {
    const T* at[groups];
#pragma GCC unroll 4
    for (int i = 0; i < groups; ++i) {
      at[i] = a_p + i * kRowsFromOne * a_row;
      FASTGD_OPAQUE(at[i]);
    }
    for (Index p = 0; p < k; ++p, b_p += b_row) {
      V row[Vectors];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) row[v] = load_c(b_p, v);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const V x = R::splat(at[r / kRowsFromOne][r % kRowsFromOne * a_row]);
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) sum[r][v] = R::fma(x, row[v], sum[r][v]);
      }
#pragma GCC unroll 4
      for (int i = 0; i < groups; ++i) at[i] += a_col;
    }
  };
  if constexpr (kInRuns<Product>) {
    for (Index r = 0; r < g.runs; ++r, b += g.b_run) chain(a + g.a_offsets[r], b);
  } else {
    chain(a, b);
  }
  if (finish) {
    if (bias != nullptr) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        const V add = load_c(bias, v);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) sum[r][v] += add;
      }
    }
    if (g.epilogue.activation.function == Activation::relu) {
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) sum[r][v] = R::relu(sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      T* p = c + r * g.c_row + v * lanes;
      if (part && v == Vectors - 1) {
        R::store_part(p, sum[r][v], last_lanes);
      } else {
        R::store(p, sum[r][v]);
      }
    }
}

template <class Product, class T, class R, int Rows, int Vectors>
void tile(const Product& g, const T* a, const T* b, T* c, Index k, Start start, bool finish, const T* bias,
          Index last_lanes) noexcept {
  constexpr Index lanes = R::kCount;
  if (last_lanes < lanes) {
    sum_tile<true, Product, T, R, Rows, Vectors>(g, a, b, c, k, start, finish, bias, last_lanes);
  } else {
    sum_tile<false, Product, T, R, Rows, Vectors>(g, a, b, c, k, start, finish, bias, last_lanes);
  }
  const auto function = g.epilogue.activation.function;
  if (finish && function != Activation::linear && function != Activation::relu)
    activate<T, R, Vectors>(g.epilogue.activation, c, g.c_row, Rows, (Vectors - 1) * lanes + last_lanes);
}

template <class Product, class T>
using Tile = void (*)(const Product&, const T*, const T*, T*, Index, Start, bool, const T*, Index) noexcept;

// tiles[rows - 1] for tiles of 1 .. kTileRows rows.
template <class Product, class T, class R, int Vectors, int... Rows>
struct TileTable {
  Tile<Product, T> of[sizeof...(Rows)] = {&tile<Product, T, R, Rows + 1, Vectors>...};
};

template <class Product, class T, class R, int Vectors, int... Rows>
constexpr TileTable<Product, T, R, Vectors, Rows...> tiles_of(Indices<Rows...>) {
  return {};
}

template <class Product, class T, class R, int Vectors>
constexpr auto kTiles = tiles_of<Product, T, R, Vectors>(Count<static_cast<int>(kTileRows<T>)>{});

// Packed panels fix the height of the tiles; else they are made even: 11, 11 and 10 rows run faster than 14, 14 and 4.
template <class T>
FASTGD_INLINE Index tile_height(const Gemm<T>& g) {
  const Index tiles = (g.m + kTileRows<T> - 1) / kTileRows<T>;
  return g.a_panel != 0 || tiles == 0 ? kTileRows<T> : (g.m + tiles - 1) / tiles;
}

// Asks for the lines of some rows and columns of C, which the next tile adds to, to come while this one is made.
template <class T>
FASTGD_INLINE void fetch_tile(const T* c, Index c_row, Index rows, Index width) {
  for (Index r = 0; r < rows; ++r) {
    __builtin_prefetch(c + r * c_row, 1);
    __builtin_prefetch(c + r * c_row + width - 1, 1);
  }
}

// The tile of some rows of C and of `width` columns from column j on, at most one panel of B; `c` is its place.
template <class T, class Product>
FASTGD_INLINE void run_tile(const Product& g, const T* a, const T* b, T* c, Index k, Index rows, Start start,
                            bool finish, Index j, Index width) {
  constexpr Index lanes = kLanes<T>;
  static_assert(kTileCols<T> == 2 * lanes);
  const bool half = kHasHalfRegisters && width <= HalfRegister<T>::kCount, narrow = width <= lanes;
  const Index last_lanes = narrow ? width : width - lanes;
  const T* bias = g.epilogue.bias == nullptr ? nullptr : g.epilogue.bias + j;
  const auto run = half     ? kTiles<Product, T, HalfRegister<T>, 1>.of[rows - 1]
                   : narrow ? kTiles<Product, T, WholeRegister<T>, 1>.of[rows - 1]
                            : kTiles<Product, T, WholeRegister<T>, 2>.of[rows - 1];
  run(g, a, b, c, k, start, finish, bias, last_lanes);
}

// The tiles of some columns of C, `width` of them from column j on: at most one panel of B.
template <class T, class Product>
FASTGD_INLINE void tile_column(const Product& g, const T* a, const T* b, T* c, Index k, Index height, Start start,
                               bool finish, Index j, Index width) {
  const Index a_panel = g.a_panel != 0 ? g.a_panel : height * g.a_row;
  c += j;
  for (Index i = 0; i < g.m; i += height, a += a_panel, c += height * g.c_row) {
    const Index left = g.m - i - height;
    if (k >= kLongChain && left > 0) fetch_tile(c + height * g.c_row, g.c_row, left < height ? left : height, width);
    run_tile(g, a, b, c, k, left < 0 ? left + height : height, start, finish, j, width);
  }
}

// The tiles of `rows` rows of C, at most one panel of A.
template <class T, class Product>
FASTGD_INLINE void tile_row(const Product& g, const T* a, const T* b, T* c, Index k, Index rows, Start start,
                            bool finish) {
  constexpr Index cols = kTileCols<T>;
  const Index b_panel = g.b_panel != 0 ? g.b_panel : cols;
  for (Index j = 0; j < g.n; j += cols, b += b_panel, c += cols) {
    const Index left = g.n - j - cols;
    if (k >= kLongChain && left > 0) fetch_tile(c + cols, g.c_row, rows, left < cols ? left : cols);
    run_tile(g, a, b, c, k, rows, start, finish, j, left < 0 ? left + cols : cols);
  }
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
