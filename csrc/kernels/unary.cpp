// The functions of the op `unary` and their derivatives.
#include "kernels/families.h"
#include "kernels/map.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Functions that few networks need come from the C library, lane by lane: at most 1 ULP, and one result for all tiers.
#define FASTGD_LIBRARY_FUNCTION(Name, function)                                    \
  struct Name {                                                                    \
    float operator()(float x) const { return __builtin_##function##f(x); }         \
    double operator()(double x) const { return __builtin_##function(x); }          \
    template <class V>                                                             \
    FASTGD_INLINE static V of(V x) {                                               \
      for (unsigned i = 0; i < sizeof(V) / sizeof(x[0]); ++i) x[i] = Name{}(x[i]); \
      return x;                                                                    \
    }                                                                              \
  }
FASTGD_LIBRARY_FUNCTION(Sin, sin);
FASTGD_LIBRARY_FUNCTION(Cos, cos);
FASTGD_LIBRARY_FUNCTION(Tan, tan);
FASTGD_LIBRARY_FUNCTION(Arctan, atan);
FASTGD_LIBRARY_FUNCTION(Sinh, sinh);
FASTGD_LIBRARY_FUNCTION(Cosh, cosh);
FASTGD_LIBRARY_FUNCTION(Erf, erf);
#undef FASTGD_LIBRARY_FUNCTION

template <class T>
constexpr T kInfinite = static_cast<T>(__builtin_inf());

// To the nearest integer, halves to the even one: adding 2^23 or 2^52 leaves no room for a fraction. From there on
// every number is an integer.
template <class T>
FASTGD_INLINE Vec<T> round(Vec<T> x) {
  constexpr T kUnit = MathConstants<T>::kRound / T(1.5);
  const Vec<T> size = abs<T>(x);
  return select(size < kUnit, with_sign<T>((size + kUnit) - kUnit, x), x);
}

template <class T>
FASTGD_INLINE Vec<T> floor(Vec<T> x) {
  const Vec<T> near = round<T>(x);
  return with_sign<T>(select(near > x, near - T(1), near), x);
}

template <class T>
FASTGD_INLINE Vec<T> ceil(Vec<T> x) {
  const Vec<T> near = round<T>(x);
  return with_sign<T>(select(near < x, near + T(1), near), x);
}

// 1, -1, or x itself where it is 0 or NaN.
template <class T>
FASTGD_INLINE Vec<T> sign(Vec<T> x) {
  return select(x > T(0), splat<T>(1), select(x < T(0), splat<T>(-1), x));
}

template <class T>
void map_unary(Unary f, Index n, const T* x, T* y) {
  const auto run = [=](auto g) { map(n, x, y, g); };
  switch (f) {
    case Unary::absolute:
      return run([](Vec<T> v) { return abs<T>(v); });
    case Unary::arctan:
      return run([](Vec<T> v) { return Arctan::of(v); });
    case Unary::ceil:
      return run([](Vec<T> v) { return ceil<T>(v); });
    case Unary::cos:
      return run([](Vec<T> v) { return Cos::of(v); });
    case Unary::cosh:
      return run([](Vec<T> v) { return Cosh::of(v); });
    case Unary::erf:
      return run([](Vec<T> v) { return Erf::of(v); });
    case Unary::exp:
      return run([](Vec<T> v) { return exp<T>(v); });
    case Unary::expm1:
      return run([](Vec<T> v) { return expm1<T>(v); });
    case Unary::floor:
      return run([](Vec<T> v) { return floor<T>(v); });
    case Unary::isfinite:
      return run([](Vec<T> v) { return truth<T>(abs<T>(v) < kInfinite<T>); });
    case Unary::isinf:
      return run([](Vec<T> v) { return truth<T>(abs<T>(v) == kInfinite<T>); });
    case Unary::isnan:
      return run([](Vec<T> v) { return truth<T>(v != v); });
    case Unary::log:
      return run([](Vec<T> v) { return log<T>(v); });
    case Unary::log10:
      return run([](Vec<T> v) { return log10<T>(v); });
    case Unary::log1p:
      return run([](Vec<T> v) { return log1p<T>(v); });
    case Unary::log2:
      return run([](Vec<T> v) { return log2<T>(v); });
    case Unary::logical_not:
      return run([](Vec<T> v) { return truth<T>(v == T(0)); });
    case Unary::negative:
      return run([](Vec<T> v) { return -v; });
    case Unary::reciprocal:
      return run([](Vec<T> v) { return T(1) / v; });
    case Unary::round:
      return run([](Vec<T> v) { return round<T>(v); });
    case Unary::rsqrt:
      return run([](Vec<T> v) { return T(1) / sqrt(v); });
    case Unary::sign:
      return run([](Vec<T> v) { return sign<T>(v); });
    case Unary::sin:
      return run([](Vec<T> v) { return Sin::of(v); });
    case Unary::sinh:
      return run([](Vec<T> v) { return Sinh::of(v); });
    case Unary::sqrt:
      return run([](Vec<T> v) { return sqrt(v); });
    case Unary::square:
      return run([](Vec<T> v) { return v * v; });
    case Unary::stop_gradient:
      return run([](Vec<T> v) { return v; });
    case Unary::tan:
      return run([](Vec<T> v) { return Tan::of(v); });
  }
}

template <class T>
void map_unary_backward(Unary f, Index n, const T* x, const T* y, const T* dy, T* dx) {
  const auto from_x = [=](auto g) { map(n, x, dy, dx, g); };
  const auto from_y = [=](auto g) { map(n, y, dy, dx, g); };
  switch (f) {
    case Unary::absolute:
      return from_x([](Vec<T> v, Vec<T> d) { return d * sign<T>(v); });
    case Unary::arctan:
      return from_x([](Vec<T> v, Vec<T> d) { return d / (T(1) + v * v); });
    case Unary::cos:
      return from_x([](Vec<T> v, Vec<T> d) { return d * -Sin::of(v); });
    case Unary::cosh:
      return from_x([](Vec<T> v, Vec<T> d) { return d * Sinh::of(v); });
    case Unary::erf:
      return from_x([](Vec<T> v, Vec<T> d) { return d * (static_cast<T>(1.1283791670955126) * exp<T>(-v * v)); });
    case Unary::exp:
      return from_y([](Vec<T> v, Vec<T> d) { return d * v; });
    case Unary::expm1:
      return from_y([](Vec<T> v, Vec<T> d) { return d * (v + T(1)); });
    case Unary::log:
      return from_x([](Vec<T> v, Vec<T> d) { return d / v; });
    case Unary::log10:
      return from_x([](Vec<T> v, Vec<T> d) { return d / (v * static_cast<T>(2.302585092994046)); });
    case Unary::log1p:
      return from_x([](Vec<T> v, Vec<T> d) { return d / (T(1) + v); });
    case Unary::log2:
      return from_x([](Vec<T> v, Vec<T> d) { return d / (v * static_cast<T>(0.6931471805599453)); });
    case Unary::negative:
      return map(n, dy, dx, [](Vec<T> d) { return -d; });
    case Unary::reciprocal:
      return from_y([](Vec<T> v, Vec<T> d) { return -d * (v * v); });
    case Unary::rsqrt:
      return from_y([](Vec<T> v, Vec<T> d) { return d * (T(-0.5) * v * v * v); });
    case Unary::sin:
      return from_x([](Vec<T> v, Vec<T> d) { return d * Cos::of(v); });
    case Unary::sinh:
      return from_x([](Vec<T> v, Vec<T> d) { return d * Cosh::of(v); });
    case Unary::sqrt:
      return from_y([](Vec<T> v, Vec<T> d) { return d * (T(0.5) / v); });
    case Unary::square:
      return from_x([](Vec<T> v, Vec<T> d) { return d * (v + v); });
    case Unary::tan:
      return from_y([](Vec<T> v, Vec<T> d) { return d * (T(1) + v * v); });
    case Unary::ceil:
    case Unary::floor:
    case Unary::isfinite:
    case Unary::isinf:
    case Unary::isnan:
    case Unary::logical_not:
    case Unary::round:
    case Unary::sign:
    case Unary::stop_gradient:
      // No gradient flows through these: the op says so, and never comes here.
      return;
  }
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                               \
  void unary(Unary f, Index n, const T* x, T* y) noexcept { map_unary(f, n, x, y); }           \
  void unary_backward(Unary f, Index n, const T* x, const T* y, const T* dy, T* dx) noexcept { \
    map_unary_backward(f, n, x, y, dy, dx);                                                    \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
