// Images sampled at other places, and the adjoint: what augmentation and resizing are made of.
#include "kernels/families.h"
#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Columns whose places are worked out at a time.
constexpr Index kTile = 64;

// Between which pixels along one axis a place lies, and their weights; -1 is a pixel of the fill value.
template <class T>
struct Neighbours {
  Index at[2];
  T weight[2];
};

FASTGD_INLINE Index floor_of(double x) {
  const Index whole = static_cast<Index>(x);
  return whole - (x < static_cast<double>(whole));
}

FASTGD_INLINE Index modulo(Index i, Index period) {
  const Index rest = i % period;
  return rest < 0 ? rest + period : rest;
}

// The pixel that stands at position i of an axis, wherever that is.
FASTGD_INLINE Index inside(Index i, Index size, FillMode fill) {
  if (i >= 0 && i < size) return i;
  switch (fill) {
    case FillMode::constant:
      return -1;
    case FillMode::nearest:
      return i < 0 ? 0 : size - 1;
    case FillMode::wrap:
      return modulo(i, size);
    case FillMode::reflect:
      break;
  }
  const Index folded = modulo(i, 2 * size);
  return folded < size ? folded : 2 * size - 1 - folded;
}

template <class T>
FASTGD_INLINE Neighbours<T> neighbours(double place, Index size, const Resampling<T>& how) {
  if (how.nearest) {
    const Index i = place < 0 ? -floor_of(0.5 - place) : floor_of(place + 0.5);
    return {{inside(i, size, how.fill), 0}, {T(1), T(0)}};
  }
  const Index lower = floor_of(place);
  const double share = place - static_cast<double>(lower);
  return {{inside(lower, size, how.fill), inside(lower + 1, size, how.fill)},
          {static_cast<T>(1 - share), static_cast<T>(share)}};
}

// Calls f(row, column, to) with the neighbours of each pixel of the result, whose elements begin at `to`.
template <class T, class F>
FASTGD_INLINE void each_pixel(const Resampling<T>& how, F f) {
  const double* const m = how.map;
  // Without turns rows do not hang on the column, nor columns on the row.
  const bool apart = m[1] == 0 && m[3] == 0;
  const auto row_at = [&](Index i, Index j) {
    return neighbours<T>(m[0] * static_cast<double>(i) + m[1] * static_cast<double>(j) + m[2], how.rows, how);
  };
  const auto column_at = [&](Index i, Index j) {
    return neighbours<T>(m[3] * static_cast<double>(i) + m[4] * static_cast<double>(j) + m[5], how.cols, how);
  };
  for (Index from = 0; from < how.out_cols; from += kTile) {
    const Index count = how.out_cols - from < kTile ? how.out_cols - from : kTile;
    Neighbours<T> columns[kTile];
    if (apart)
      for (Index j = 0; j < count; ++j) columns[j] = column_at(0, from + j);
    for (Index i = 0; i < how.out_rows; ++i) {
      Neighbours<T> row = row_at(i, from);
      Index to = (i * how.out_cols + from) * how.channels;
      for (Index j = 0; j < count; ++j, to += how.channels) {
        if (!apart) {
          row = row_at(i, from + j);
          columns[j] = column_at(i, from + j);
        }
        f(row, columns[j], to);
      }
    }
  }
}

// Calls f(from, weight) for the pixels that one is made of: from < 0 stands for the fill value.
template <class T, class F>
FASTGD_INLINE void each_source(const Resampling<T>& how, const Neighbours<T>& row, const Neighbours<T>& column, F f) {
  const int ends = how.nearest ? 1 : 2;
  for (int a = 0; a < ends; ++a)
    for (int b = 0; b < ends; ++b) {
      const bool outside = row.at[a] < 0 || column.at[b] < 0;
      f(outside ? -1 : (row.at[a] * how.pitch + column.at[b]) * how.channels, row.weight[a] * column.weight[b]);
    }
}

template <class T>
void sample(const Resampling<T>& how, const T* __restrict x, T* __restrict y) {
  each_pixel(how, [&](const Neighbours<T>& row, const Neighbours<T>& column, Index to) {
    for (Index c = 0; c < how.channels; ++c) y[to + c] = T(0);
    each_source(how, row, column, [&](Index from, T weight) {
      for (Index c = 0; c < how.channels; ++c) y[to + c] += weight * (from < 0 ? how.value : x[from + c]);
    });
  });
}

template <class T>
void spread_back(const Resampling<T>& how, const T* __restrict dy, T* __restrict dx) {
  each_pixel(how, [&](const Neighbours<T>& row, const Neighbours<T>& column, Index to) {
    each_source(how, row, column, [&](Index from, T weight) {
      if (from < 0) return;
      for (Index c = 0; c < how.channels; ++c) dx[from + c] += weight * dy[to + c];
    });
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                            \
  void resample(const Resampling<T>& how, const T* x, T* y) noexcept { sample(how, x, y); } \
  void resample_backward(const Resampling<T>& how, const T* dy, T* dx) noexcept { spread_back(how, dy, dx); }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
