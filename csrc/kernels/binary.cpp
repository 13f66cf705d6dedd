// The functions of the op `binary` and their derivatives over operands that repeat, and the choice between two
// operands.
#include "kernels/families.h"
#include "kernels/map.h"
#include "simd/math.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// f(a, b), one lane after the other.
template <class V, class F>
FASTGD_INLINE V by_lanes(V a, V b, F f) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) a[i] = f(a[i], b[i]);
  return a;
}

// What the C library computes, for either type.
struct Power {
  FASTGD_INLINE float operator()(float a, float b) const { return __builtin_powf(a, b); }
  FASTGD_INLINE double operator()(double a, double b) const { return __builtin_pow(a, b); }
};
struct Angle {
  FASTGD_INLINE float operator()(float a, float b) const { return __builtin_atan2f(a, b); }
  FASTGD_INLINE double operator()(double a, double b) const { return __builtin_atan2(a, b); }
};
struct TruncatedRemainder {
  FASTGD_INLINE float operator()(float a, float b) const { return __builtin_fmodf(a, b); }
  FASTGD_INLINE double operator()(double a, double b) const { return __builtin_fmod(a, b); }
};

// a - b floor(a / b), exactly rounded: it has the sign of b.
struct Remainder {
  template <class T>
  FASTGD_INLINE T operator()(T a, T b) const {
    const T r = TruncatedRemainder{}(a, b);
    if (r == T(0)) return b < T(0) ? T(-0.0) : T(0);
    return (r < T(0)) != (b < T(0)) ? r + b : r;
  }
};

// floor(a / b) of the exact quotient, which the rounded one may miss by one.
struct FloorQuotient {
  template <class T>
  FASTGD_INLINE T operator()(T a, T b) const {
    if (b == T(0)) return a / b;
    const T r = TruncatedRemainder{}(a, b);
    T quotient = (a - r) / b;
    if (r != T(0) && (r < T(0)) != (b < T(0))) quotient -= T(1);
    // The difference is nearly a multiple of b: the quotient is the nearest integer.
    const T below = static_cast<T>(__builtin_floor(static_cast<double>(quotient)));
    return quotient - below > T(0.5) ? below + T(1) : below;
  }
};

template <class V>
FASTGD_INLINE V power(V a, V b) {
  return by_lanes(a, b, Power{});
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
    case Binary::arctan2:
      return run([](V u, V v) { return by_lanes(u, v, Angle{}); });
    case Binary::divide:
      return run([](V u, V v) { return u / v; });
    case Binary::equal:
      return run([](V u, V v) { return truth<T>(u == v); });
    case Binary::floor_divide:
      return run([](V u, V v) { return by_lanes(u, v, FloorQuotient{}); });
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
    case Binary::mod:
      return run([](V u, V v) { return by_lanes(u, v, Remainder{}); });
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

// dy times the derivative of the angle by its sine side, or by its cosine side with `second`; 0 at the origin.
template <class V>
FASTGD_INLINE V angle_slope(bool second, V u, V v, V g) {
  const V squares = u * u + v * v;
  return select(squares == V{}, V{}, g * (second ? -u : v) / squares);
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
    case Binary::arctan2:
      return run([=](V u, V v, V g) { return angle_slope(second, u, v, g); });
    case Binary::mod:
      return second ? run([](V u, V v, V g) { return -g * by_lanes(u, v, FloorQuotient{}); })
                    : map(size, dy, d, [](V g) { return g; });
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

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                             \
  void binary(Binary f, Walk walk, const T* a, const T* b, T* y) noexcept { walk_binary(f, walk, a, b, y); } \
  void binary_backward(Binary f, bool second, Walk walk, const T* a, const T* b, const T* y, const T* dy,    \
                       T* d) noexcept {                                                                      \
    walk_binary_backward(f, second, walk, a, b, y, dy, d);                                                   \
  }                                                                                                          \
  void choose(Walk walk, const T* c, const T* a, const T* b, T* y) noexcept { walk_choose(walk, c, a, b, y); }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
