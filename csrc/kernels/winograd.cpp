// The transforms of Winograd's minimal filtering of 2x2 outputs by 3x3 weights, and their adjoints: S. Winograd,
// Arithmetic complexity of computations (1980); A. Lavin and S. Gray, arXiv:1509.09308. Nothing but sums and halves, so
// that whole numbers stay exact.
//
// With the 4x4 inputs d, the weights g and the 2x2 outputs y of a tile, y = A' ((G g G') * (B' d B)) A, where
//   B' = 1  0 -1  0   G = 1    0   0    A' = 1 1  1  0
//        0  1  1  0       1/2  1/2 1/2       0 1 -1 -1
//        0 -1  1  0       1/2 -1/2 1/2
//        0  1  0 -1       0    0   1
// and the gradients are those of this form: by d, B ((G g G') * (A dy A')) B', and by g, G' ((B' d B) * (A dy A')) G.
#include "kernels/families.h"
#include "simd/activation.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// A column of four vectors, and a row of four.
template <class T>
struct Four {
  Vec<T> v[4];
};

// B' along one axis.
template <class T>
FASTGD_INLINE Four<T> of_inputs(const Four<T>& d) {
  return {{d.v[0] - d.v[2], d.v[1] + d.v[2], d.v[2] - d.v[1], d.v[1] - d.v[3]}};
}

// B along one axis.
template <class T>
FASTGD_INLINE Four<T> to_inputs(const Four<T>& m) {
  const Vec<T> difference = m.v[1] - m.v[2], sum = m.v[1] + m.v[2];
  return {{m.v[0], difference + m.v[3], sum - m.v[0], -m.v[3]}};
}

// A along one axis.
template <class T>
FASTGD_INLINE Four<T> of_gradients(Vec<T> first, Vec<T> second) {
  return {{first, first + second, first - second, -second}};
}

template <class T>
FASTGD_INLINE T* element(const WinogradLine& line, T* image, Index row, Index col) {
  return image + ((line.row + row) * line.width + line.col + col) * line.channels;
}

FASTGD_INLINE bool row_exists(const WinogradLine& line, Index row) {
  return line.row + row >= 0 && line.row + row < line.height;
}
FASTGD_INLINE bool col_exists(const WinogradLine& line, Index col) {
  return line.col + col >= 0 && line.col + col < line.width;
}

// Which of the four rows of a tile exist; with kAll all of them do, and nothing is asked.
template <bool kAll>
struct Rows {
  explicit Rows(const WinogradLine& line) {
    for (Index r = 0; r < 4; ++r) exists[r] = row_exists(line, r);
  }
  // Calls f(row) for those that exist.
  template <class F>
  FASTGD_INLINE void each(F f) const {
#pragma GCC unroll 4
    for (Index r = 0; r < 4; ++r)
      if (kAll || exists[r]) f(r);
  }
  bool exists[4];
};

// v = B' d B for each tile. A column of the image is part of two tiles, and transformed once.
template <class T, bool kAllRows>
void transform_inputs(const WinogradLine& given, const T* x, T* v) {
  const WinogradLine line = given;
  const Rows<kAllRows> rows(line);
  for_vectors<T>(line.channels, [&](Index channel, auto where) {
    const auto column = [&](Index col) {
      Four<T> d{};
      if (!col_exists(line, col)) return d;
      rows.each([&](Index r) { d.v[r] = load<T>(element(line, x, r, col) + channel, where); });
      return of_inputs<T>(d);
    };
    Four<T> first = column(0), second = column(1);
    T* to = v + channel;
    for (Index tile = 0; tile < line.tiles; ++tile, to += line.channels) {
      const Four<T> third = column(2 * tile + 2), fourth = column(2 * tile + 3);
#pragma GCC unroll 4
      for (Index r = 0; r < 4; ++r) {
        const Four<T> row = of_inputs<T>({{first.v[r], second.v[r], third.v[r], fourth.v[r]}});
#pragma GCC unroll 4
        for (Index c = 0; c < 4; ++c) store<T>(to + (4 * r + c) * line.matrix, row.v[c], where);
      }
      first = third, second = fourth;
    }
  });
}

// y = f(A' m A + bias) for each tile, where there is an output.
template <class T, class F>
FASTGD_INLINE void transform_outputs(const WinogradLine& given, const T* m, const T* bias, T* y, F f) {
  const WinogradLine line = given;
  const bool below = row_exists(line, 1);
  for_vectors<T>(line.channels, [&](Index channel, auto where) {
    const Vec<T> shift = bias == nullptr ? Vec<T>{} : load<T>(bias + channel, where);
    const T* from = m + channel;
    for (Index tile = 0; tile < line.tiles; ++tile, from += line.channels) {
      Four<T> upper, lower;
#pragma GCC unroll 4
      for (Index c = 0; c < 4; ++c) {
        Four<T> e;
#pragma GCC unroll 4
        for (Index r = 0; r < 4; ++r) e.v[r] = load<T>(from + (4 * r + c) * line.matrix, where);
        upper.v[c] = e.v[0] + e.v[1] + e.v[2];
        lower.v[c] = e.v[1] - e.v[2] - e.v[3];
      }
      const bool beside = col_exists(line, 2 * tile + 1);
      const auto put = [&](Index row, const Four<T>& s) {
        T* const to = element(line, y, row, 2 * tile) + channel;
        store<T>(to, f(s.v[0] + s.v[1] + s.v[2] + shift), where);
        if (beside) store<T>(to + line.channels, f(s.v[1] - s.v[2] - s.v[3] + shift), where);
      };
      put(0, upper);
      if (below) put(1, lower);
    }
  });
}

template <class T>
void outputs(const WinogradLine& line, const T* m, const Epilogue<T>& epilogue, T* y) {
  const auto run = [&](auto f) { transform_outputs<T>(line, m, epilogue.bias, y, f); };
  const ActivationSpec<T> spec = epilogue.activation;
  if (with_common_activation<T>(spec, [&](auto g) { run([=](Vec<T> v) { return g.value(v, spec); }); })) return;
  run([](Vec<T> v) { return v; });
  if (spec.function == Activation::linear) return;
  const Index left = line.width - line.col, cols = 2 * line.tiles < left ? 2 * line.tiles : left;
  for (Index row = 0; row < 2 && row_exists(line, row); ++row) {
    T* const at = element(line, y, row, 0);
    activation(spec, cols * line.channels, at, at);
  }
}

// z = A dy A' for each tile; what lies beyond the image is 0.
template <class T>
void transform_gradients(const WinogradLine& given, const T* dy, T* z) {
  const WinogradLine line = given;
  const bool below = row_exists(line, 1);
  for_vectors<T>(line.channels, [&](Index channel, auto where) {
    T* to = z + channel;
    for (Index tile = 0; tile < line.tiles; ++tile, to += line.channels) {
      const auto column = [&](Index col) {
        Vec<T> lower{};
        const T* const at = element(line, dy, 0, col) + channel;
        if (below) lower = load<T>(at + line.width * line.channels, where);
        return of_gradients<T>(load<T>(at, where), lower);
      };
      const Four<T> first = column(2 * tile);
      Four<T> second{};
      if (col_exists(line, 2 * tile + 1)) second = column(2 * tile + 1);
#pragma GCC unroll 4
      for (Index r = 0; r < 4; ++r) {
        const Four<T> row = of_gradients<T>(first.v[r], second.v[r]);
#pragma GCC unroll 4
        for (Index c = 0; c < 4; ++c) store<T>(to + (4 * r + c) * line.matrix, row.v[c], where);
      }
    }
  });
}

// dx += B v B' for each tile, where there is an input. What two tiles of the line give to a column is added up first.
template <class T, bool kAllRows>
void add_inputs(const WinogradLine& given, const T* v, T* dx) {
  const WinogradLine line = given;
  const Rows<kAllRows> rows(line);
  for_vectors<T>(line.channels, [&](Index channel, auto where) {
    const auto add_column = [&](Index col, const Four<T>& d) {
      if (!col_exists(line, col)) return;
      rows.each([&](Index r) {
        T* const to = element(line, dx, r, col) + channel;
        store<T>(to, load<T>(to, where) + d.v[r], where);
      });
    };
    Four<T> first{}, second{};
    const T* from = v + channel;
    for (Index tile = 0; tile < line.tiles; ++tile, from += line.channels) {
      Four<T> third, fourth;
#pragma GCC unroll 4
      for (Index r = 0; r < 4; ++r) {
        Four<T> row;
#pragma GCC unroll 4
        for (Index c = 0; c < 4; ++c) row.v[c] = load<T>(from + (4 * r + c) * line.matrix, where);
        row = to_inputs<T>(row);
        first.v[r] += row.v[0], second.v[r] += row.v[1];
        third.v[r] = row.v[2], fourth.v[r] = row.v[3];
      }
      add_column(2 * tile, to_inputs<T>(first));
      add_column(2 * tile + 1, to_inputs<T>(second));
      first = third, second = fourth;
    }
    add_column(2 * line.tiles, to_inputs<T>(first));
    add_column(2 * line.tiles + 1, to_inputs<T>(second));
  });
}

// u = G g G', element by element of the nine matrices of w.
template <class T>
void transform_weights(Index n, Index step, const T* w, T* u) {
  const auto spread = [](Vec<T> a, Vec<T> b, Vec<T> c) {
    const Vec<T> outer = (a + c) * T(0.5), inner = b * T(0.5);
    return Four<T>{{a, outer + inner, outer - inner, c}};
  };
  for_vectors<T>(n, [=](Index i, auto where) {
    Four<T> cols[3];
#pragma GCC unroll 3
    for (Index c = 0; c < 3; ++c)
      cols[c] = spread(load<T>(w + c * step + i, where), load<T>(w + (3 + c) * step + i, where),
                       load<T>(w + (6 + c) * step + i, where));
#pragma GCC unroll 4
    for (Index r = 0; r < 4; ++r) {
      const Four<T> row = spread(cols[0].v[r], cols[1].v[r], cols[2].v[r]);
#pragma GCC unroll 4
      for (Index c = 0; c < 4; ++c) store<T>(u + (4 * r + c) * step + i, row.v[c], where);
    }
  });
}

// dw (+)= G' u G, element by element of the sixteen matrices of u.
template <class T>
void gather_weights(Index n, Index step, const T* u, T* dw, bool accumulate) {
  struct Three {
    Vec<T> v[3];
  };
  const auto gather = [](Vec<T> a, Vec<T> b, Vec<T> c, Vec<T> d) {
    const Vec<T> sum = (b + c) * T(0.5);
    return Three{{a + sum, (b - c) * T(0.5), sum + d}};
  };
  for_vectors<T>(n, [=](Index i, auto where) {
    Three cols[4];
#pragma GCC unroll 4
    for (Index c = 0; c < 4; ++c) {
      const T* const at = u + c * step + i;
      cols[c] = gather(load<T>(at, where), load<T>(at + 4 * step, where), load<T>(at + 8 * step, where),
                       load<T>(at + 12 * step, where));
    }
#pragma GCC unroll 3
    for (Index r = 0; r < 3; ++r) {
      const Three row = gather(cols[0].v[r], cols[1].v[r], cols[2].v[r], cols[3].v[r]);
#pragma GCC unroll 3
      for (Index c = 0; c < 3; ++c) {
        T* const to = dw + (3 * r + c) * step + i;
        store<T>(to, accumulate ? load<T>(to, where) + row.v[c] : row.v[c], where);
      }
    }
  });
}

FASTGD_INLINE bool all_rows(const WinogradLine& line) { return row_exists(line, 0) && row_exists(line, 3); }

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                      \
  void winograd_inputs(const WinogradLine& line, const T* x, T* v) noexcept {                                         \
    all_rows(line) ? transform_inputs<T, true>(line, x, v) : transform_inputs<T, false>(line, x, v);                  \
  }                                                                                                                   \
  void winograd_outputs(const WinogradLine& line, const T* m, const Epilogue<T>& epilogue, T* y) noexcept {           \
    outputs(line, m, epilogue, y);                                                                                    \
  }                                                                                                                   \
  void winograd_gradients(const WinogradLine& line, const T* dy, T* z) noexcept { transform_gradients(line, dy, z); } \
  void winograd_add_inputs(const WinogradLine& line, const T* v, T* dx) noexcept {                                    \
    all_rows(line) ? add_inputs<T, true>(line, v, dx) : add_inputs<T, false>(line, v, dx);                            \
  }                                                                                                                   \
  void winograd_weights(Index n, Index step, const T* w, T* u) noexcept { transform_weights(n, step, w, u); }         \
  void winograd_weights_gradient(Index n, Index step, const T* u, T* dw, bool accumulate) noexcept {                  \
    gather_weights(n, step, u, dw, accumulate);                                                                       \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
