// The functions of the op `binary` and their derivatives over operands that repeat, the choice between two operands,
// and the sums that undo a repetition.
#include "kernels/families.h"
#include "kernels/map.h"
#include "kernels/rows.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class V>
FASTGD_INLINE V power(V a, V b) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i)
    if constexpr (sizeof(a[0]) == 4) {
      a[i] = __builtin_powf(a[i], b[i]);
    } else {
      a[i] = __builtin_pow(a[i], b[i]);
    }
  return a;
}

// One operand in one row of a walk: its elements, or its one value repeated.
template <class T>
struct Operand {
  const T* data;
  Index col;

  template <class Where>
  FASTGD_INLINE Vec<T> at(Index j, Where where) const {
    return col == 0 ? splat<T>(*data) : load(data + j, where);
  }
};

template <class T>
FASTGD_INLINE Operand<T> operand(const Walk& walk, int k, Index i, const T* data) {
  return {data + i * walk.row[k], walk.col[k]};
}

// y = f(a, b) for all rows of a walk.
template <class T, class F>
FASTGD_INLINE void each_pair(const Walk& walk, const T* a, const T* b, T* y, F f) {
  for (Index i = 0; i < walk.rows; ++i, y += walk.cols) {
    const auto u = operand(walk, 0, i, a), v = operand(walk, 1, i, b);
    for_vectors<T>(walk.cols, [=](Index j, auto where) { store<T>(y + j, f(u.at(j, where), v.at(j, where)), where); });
  }
}

template <class T>
void walk_binary(Binary f, const Walk& walk, const T* a, const T* b, T* y) {
  using V = Vec<T>;
  const auto run = [=](auto g) { each_pair(walk, a, b, y, g); };
  switch (f) {
    case Binary::add:
      return run([](V u, V v) { return u + v; });
    case Binary::divide:
      return run([](V u, V v) { return u / v; });
    case Binary::equal:
      return run([](V u, V v) { return truth<T>(u == v); });
    case Binary::greater:
      return run([](V u, V v) { return truth<T>(u > v); });
    case Binary::greater_equal:
      return run([](V u, V v) { return truth<T>(u >= v); });
    case Binary::less:
      return run([](V u, V v) { return truth<T>(u < v); });
    case Binary::less_equal:
      return run([](V u, V v) { return truth<T>(u <= v); });
    case Binary::logical_and:
      return run([](V u, V v) { return truth<T>((u != T(0)) & (v != T(0))); });
    case Binary::logical_or:
      return run([](V u, V v) { return truth<T>((u != T(0)) | (v != T(0))); });
    case Binary::logical_xor:
      return run([](V u, V v) { return truth<T>((u != T(0)) ^ (v != T(0))); });
    case Binary::maximum:
      // The vectors' max and min give v where either is NaN.
      return run([](V u, V v) { return select(u == u, max(u, v), u); });
    case Binary::minimum:
      return run([](V u, V v) { return select(u == u, min(u, v), u); });
    case Binary::multiply:
      return run([](V u, V v) { return u * v; });
    case Binary::not_equal:
      return run([](V u, V v) { return truth<T>(u != v); });
    case Binary::power:
      return run([](V u, V v) { return power(u, v); });
    case Binary::subtract:
      return run([](V u, V v) { return u - v; });
  }
}

// d = f(a, b, dy) for all rows of a walk.
template <class T, class F>
FASTGD_INLINE void each_slope(const Walk& walk, const T* a, const T* b, const T* dy, T* d, F f) {
  for (Index i = 0; i < walk.rows; ++i, dy += walk.cols, d += walk.cols) {
    const auto u = operand(walk, 0, i, a), v = operand(walk, 1, i, b);
    for_vectors<T>(walk.cols, [=](Index j, auto where) {
      store<T>(d + j, f(u.at(j, where), v.at(j, where), load(dy + j, where)), where);
    });
  }
}

// The share of dy that the operand u gets where u has won over v: half where they are equal.
template <class T, class M>
FASTGD_INLINE Vec<T> won(M wins, Vec<T> u, Vec<T> v, Vec<T> d) {
  return select(wins, d, select(u == v, T(0.5) * d, Vec<T>{}));
}

template <class T>
void walk_power_backward(bool second, const Walk& walk, const T* a, const T* b, const T* y, const T* dy, T* d) {
  using V = Vec<T>;
  if (!second) {
    return each_slope(walk, a, b, dy, d,
                      [](V u, V v, V g) { return select(v == T(0), V{}, g * v * power<V>(u, v - T(1))); });
  }
  for (Index i = 0; i < walk.rows; ++i, y += walk.cols, dy += walk.cols, d += walk.cols) {
    const auto base = operand(walk, 0, i, a), exponent = operand(walk, 1, i, b);
    for_vectors<T>(walk.cols, [=](Index j, auto where) {
      const V u = base.at(j, where), g = load(dy + j, where) * load(y + j, where) * log<T>(u);
      store<T>(d + j, select((u == T(0)) & (exponent.at(j, where) >= T(0)), V{}, g), where);
    });
  }
}

template <class T>
void walk_binary_backward(Binary f, bool second, const Walk& walk, const T* a, const T* b, const T* y, const T* dy,
                          T* d) {
  using V = Vec<T>;
  const auto run = [=](auto g) { each_slope(walk, a, b, dy, d, g); };
  const Index size = walk.rows * walk.cols;
  switch (f) {
    case Binary::add:
      return map(size, dy, d, [](V g) { return g; });
    case Binary::subtract:
      return second ? map(size, dy, d, [](V g) { return -g; }) : map(size, dy, d, [](V g) { return g; });
    case Binary::multiply:
      return second ? run([](V u, V, V g) { return g * u; }) : run([](V, V v, V g) { return g * v; });
    case Binary::divide:
      return second ? run([](V u, V v, V g) { return -g * (u / v) / v; }) : run([](V, V v, V g) { return g / v; });
    case Binary::maximum:
      return second ? run([](V u, V v, V g) { return won<T>(v > u, u, v, g); })
                    : run([](V u, V v, V g) { return won<T>(u > v, u, v, g); });
    case Binary::minimum:
      return second ? run([](V u, V v, V g) { return won<T>(v < u, u, v, g); })
                    : run([](V u, V v, V g) { return won<T>(u < v, u, v, g); });
    case Binary::power:
      return walk_power_backward(second, walk, a, b, y, dy, d);
    default:
      // No gradient flows through the others: the op says so, and never comes here.
      return;
  }
}

template <class T>
void walk_choose(const Walk& walk, const T* c, const T* a, const T* b, T* y) {
  for (Index i = 0; i < walk.rows; ++i, y += walk.cols) {
    const auto condition = operand(walk, 0, i, c), u = operand(walk, 1, i, a), v = operand(walk, 2, i, b);
    for_vectors<T>(walk.cols, [=](Index j, auto where) {
      store<T>(y + j, select(condition.at(j, where) != T(0), u.at(j, where), v.at(j, where)), where);
    });
  }
}

template <class T>
void sum_each_row(Index rows, Index cols, const T* x, T* y, bool accumulate) {
  for (Index i = 0; i < rows; ++i, x += cols) {
    const T total = row_sum<T>(cols, [=](Index j, auto where) { return load(x + j, where); });
    y[i] = accumulate ? y[i] + total : total;
  }
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                               \
  void binary(Binary f, Walk walk, const T* a, const T* b, T* y) noexcept { walk_binary(f, walk, a, b, y); }   \
  void binary_backward(Binary f, bool second, Walk walk, const T* a, const T* b, const T* y, const T* dy,      \
                       T* d) noexcept {                                                                        \
    walk_binary_backward(f, second, walk, a, b, y, dy, d);                                                     \
  }                                                                                                            \
  void choose(Walk walk, const T* c, const T* a, const T* b, T* y) noexcept { walk_choose(walk, c, a, b, y); } \
  void sum_rows(Index rows, Index cols, const T* x, T* y, bool accumulate) noexcept {                          \
    sum_each_row(rows, cols, x, y, accumulate);                                                                \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
