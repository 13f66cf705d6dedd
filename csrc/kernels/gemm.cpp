// Products of matrices that lie in memory as they are, or packed into panels.
#include "kernels/tile.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// A product that nobody has cut into blocks is taken in stretches of k, so that B stays in the second cache while all
// rows of tiles pass over it.
constexpr Index kBlockDepth = 1024;

// A product whose sum has one term is made row by row: the ends of a tile would be all of it.
template <class T>
bool is_outer(const Gemm<T>& g) {
  return g.k == 1 && g.a_panel == 0 && g.b_panel == 0 && g.epilogue.bias == nullptr &&
         g.epilogue.activation.function == Activation::linear;
}

// Some vectors of columns, all rows.
template <class T, int Vectors, class W>
FASTGD_INLINE void outer_columns(const Gemm<T>& g, Index j, W where) {
  constexpr Index lanes = kLanes<T>;
  Vec<T> b[Vectors];
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) b[v] = load(g.b + j + v * lanes, where);
  const T* a = g.a;
  T* c = g.c + j;
  for (Index i = 0; i < g.m; ++i, a += g.a_row, c += g.c_row) {
    const Vec<T> x = splat<T>(*a);
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      T* const at = c + v * lanes;
      store<T>(at, fma(x, b[v], g.accumulate ? load(at, where) : Vec<T>{}), where);
    }
  }
}

template <class T>
void outer_product(const Gemm<T>& g) {
  constexpr Index block = 4 * kLanes<T>;
  Index j = 0;
  for (; j + block <= g.n; j += block) outer_columns<T, 4>(g, j, Whole{});
  for_vectors<T>(g.n - j, [&](Index i, auto where) { outer_columns<T, 1>(g, j + i, where); });
}

// Where panels of B follow one another in memory, rows are outermost: those of A that a tile needs stay in the first
// cache while the panels pass. Else columns are: then the lines of B, far apart as they are, are wanted again at once.
template <class T>
void product(const Gemm<T>& g) noexcept {
  if (is_outer(g)) return outer_product(g);
  constexpr Index cols = kTileCols<T>;
  const Index height = tile_height(g);
  const Index a_panel = g.a_panel != 0 ? g.a_panel : height * g.a_row;
  const Index depth = g.k > 0 ? g.k : 1;  // an empty sum still has its epilogue
  for (Index p = 0; p < depth; p += kBlockDepth) {
    const Index k = g.k - p < kBlockDepth ? g.k - p : kBlockDepth;
    const bool finish = p + kBlockDepth >= depth;
    const Start start = p > 0 || g.accumulate ? Start::from_c : Start::zero;
    const T *a = g.a + p * g.a_col, *b = g.b + p * g.b_row;
    if (g.b_panel != 0) {
      for (Index i = 0; i < g.m; i += height, a += a_panel)
        tile_row(g, a, b, g.c + i * g.c_row, k, g.m - i < height ? g.m - i : height, start, finish);
    } else {
      for (Index j = 0; j < g.n; j += cols, b += cols)
        tile_column(g, a, b, g.c, k, height, start, finish, j, g.n - j < cols ? g.n - j : cols);
    }
  }
}

}  // namespace

void gemm(const Gemm<float>& g) noexcept { product(g); }
void gemm(const Gemm<double>& g) noexcept { product(g); }

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
