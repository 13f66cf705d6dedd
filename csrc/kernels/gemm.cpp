// Products of matrices that lie in memory as they are, or packed into panels.
#include "kernels/tile.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// A product that nobody has cut into blocks is taken in stretches of k, so that a panel of B stays in the second cache
// while all tiles of a column of C pass over it.
constexpr Index kBlockDepth = 1024;

template <class T>
void product(const Gemm<T>& g) noexcept {
  constexpr Index cols = kTileCols<T>;
  const Index height = tile_height(g);
  const Index b_panel = g.b_panel != 0 ? g.b_panel : cols;
  const Index depth = g.k > 0 ? g.k : 1;  // an empty sum still has its epilogue
  for (Index p = 0; p < depth; p += kBlockDepth) {
    const Index k = g.k - p < kBlockDepth ? g.k - p : kBlockDepth;
    const bool finish = p + kBlockDepth >= depth;
    const Start start = p > 0 || g.accumulate ? Start::from_c : Start::zero;
    const T* b = g.b + p * g.b_row;
    for (Index j = 0; j < g.n; j += cols, b += b_panel)
      tile_column(g, g.a + p * g.a_col, b, g.c, k, height, start, finish, j, g.n - j < cols ? g.n - j : cols);
  }
}

}  // namespace

void gemm(const Gemm<float>& g) noexcept { product(g); }
void gemm(const Gemm<double>& g) noexcept { product(g); }

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
