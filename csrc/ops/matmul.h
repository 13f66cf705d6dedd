// Products of matrices by the whole team: how the work is cut. The one op that other ops include.
#pragma once

#include "ops/op.h"

namespace fastgd {

// Runs one product with the team. Cuts only along rows and columns of C, so the bits do not depend on the cut.
template <class T>
void team_gemm(const Kernels<T>& kernels, const Gemm<T>& g, const Worker& who) noexcept {
  const Index row_tiles = (g.m + kernels.tile_rows - 1) / kernels.tile_rows;
  const Index col_tiles = (g.n + kernels.tile_cols - 1) / kernels.tile_cols;
  Gemm<T> part = g;
  // The axis with more tiles splits more evenly.
  if (row_tiles >= col_tiles) {
    const Range rows = who.share(g.m, kernels.tile_rows);
    part.m = rows.size();
    part.a += rows.begin * g.a_row;
    part.c += rows.begin * g.c_row;
  } else {
    const Range cols = who.share(g.n, kernels.tile_cols);
    part.n = cols.size();
    part.b += cols.begin;
    part.c += cols.begin;
    if (part.epilogue.bias != nullptr) part.epilogue.bias += cols.begin;
  }
  if (part.m > 0 && part.n > 0) kernels.gemm(part);
}

// y (cols x rows) = x (rows x cols) transposed, by the team; the caller syncs.
template <class T>
void team_transpose(const Kernels<T>& kernels, Index rows, Index cols, const T* x, T* y, const Worker& who) noexcept {
  const Range part = who.share(rows, kernels.lanes);
  if (part.size() > 0) kernels.transpose(part.size(), cols, x + part.begin * cols, cols, y + part.begin, rows);
}

}  // namespace fastgd
