// Products whose sums come in runs, which is what convolutions are made of; and the sums of overlapping runs.
#include "kernels/tile.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Columns outermost: a panel of B stays in the caches while all blocks pass over it.
template <class T>
void product(const GemmRuns<T>& g) noexcept {
  constexpr Index cols = kTileCols<T>;
  const Index height = tile_height<T>(g);
  const Index b_panel = g.b_panel != 0 ? g.b_panel : cols;
  const Start start = g.accumulate ? Start::from_c : Start::zero;
  const T* b = g.b;
  for (Index j = 0; j < g.n; j += cols, b += b_panel) {
    const Index width = g.n - j < cols ? g.n - j : cols;
    for (Index i = 0; i < g.blocks; ++i)
      tile_column(g, g.a + i * g.a_step, b, g.c + i * g.c_step, g.k, height, start, true, j, width);
  }
}

// Neighbouring rows of a line overlap, and a load that meets a store in part waits until that is in the cache: so the
// lines come between.
template <class T>
void add_overlapping(Index rows, Index lines, Index cols, const T* x, Index x_row, Index x_line, T* y, Index y_row,
                     Index y_line) {
  for (Index i = 0; i < rows; ++i, x += x_row, y += y_row)
    for (Index l = 0; l < lines; ++l) {
      const T* const from = x + l * x_line;
      T* const to = y + l * y_line;
      for_vectors<T>(
          cols, [=](Index j, auto where) { store<T>(to + j, load(to + j, where) + load(from + j, where), where); });
    }
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                               \
  void gemm_runs(const GemmRuns<T>& g) noexcept { product(g); }                                                \
  void add_rows(Index rows, Index lines, Index cols, const T* x, Index x_row, Index x_line, T* y, Index y_row, \
                Index y_line) noexcept {                                                                       \
    add_overlapping(rows, lines, cols, x, x_row, x_line, y, y_row, y_line);                                    \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
