// Data from any source type to the plan's, scaled on the way where that is wanted, and the check for values that are
// not finite.
#include "base/half.h"
#include "kernels/families.h"
#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// A conversion has one rounding, to nearest, in vectors and in scalars alike; so the compiler may make what it likes of
// it.
template <class S, class T>
void convert_from(Index n, const void* source, T* __restrict y) {
  // Data from a file or a record may begin anywhere.
  typedef S Loose __attribute__((aligned(1), may_alias));
  const Loose* __restrict x = static_cast<const Loose*>(source);
  for (Index i = 0; i < n; ++i) y[i] = static_cast<T>(x[i]);
}

template <class T>
void convert_halves(Index n, const void* source, T* __restrict y) {
  typedef std::uint16_t Loose __attribute__((aligned(1), may_alias));
  const Loose* __restrict x = static_cast<const Loose*>(source);
  for (Index i = 0; i < n; ++i) y[i] = static_cast<T>(widen({x[i]}));
}

template <class T>
void convert_any(Source source, Index n, const void* x, T* y) {
  switch (source) {
    case Source::float16:
      return convert_halves(n, x, y);
    case Source::float32:
      return convert_from<float>(n, x, y);
    case Source::float64:
      return convert_from<double>(n, x, y);
    case Source::int8:
      return convert_from<std::int8_t>(n, x, y);
    case Source::int16:
      return convert_from<std::int16_t>(n, x, y);
    case Source::int32:
      return convert_from<std::int32_t>(n, x, y);
    case Source::int64:
      return convert_from<std::int64_t>(n, x, y);
    case Source::uint8:
      return convert_from<std::uint8_t>(n, x, y);
    case Source::uint16:
      return convert_from<std::uint16_t>(n, x, y);
    case Source::uint32:
      return convert_from<std::uint32_t>(n, x, y);
    case Source::uint64:
      return convert_from<std::uint64_t>(n, x, y);
  }
}

// What is converted and scaled at a time: it stays in the first-level cache in between.
constexpr Index kPiece = 1024;

template <class T>
void convert_and_scale(Source source, Index n, const void* x, Index x_bytes, T scale, T offset, T* y) {
  const char* from = static_cast<const char*>(x);
  for (Index i = 0; i < n; i += kPiece) {
    const Index size = n - i < kPiece ? n - i : kPiece;
    T* const to = y + i;
    convert_any(source, size, from + i * x_bytes, to);
    for_vectors<T>(size, [=](Index j, auto where) {
      store<T>(to + j, fma(load(to + j, where), splat<T>(scale), splat<T>(offset)), where);
    });
  }
}

// x - x is 0 for finite x, and otherwise NaN, which stays in the sum.
template <class T>
bool check_finite(Index n, const T* x) {
  Vec<T> even{}, odd{};
  Index i = 0;
  for (; i + 2 * kLanes<T> <= n; i += 2 * kLanes<T>) {
    const Vec<T> a = load(x + i), b = load(x + i + kLanes<T>);
    even += a - a;
    odd += b - b;
  }
  for_vectors<T>(n - i, [&, x = x + i](Index j, auto where) {
    const Vec<T> a = load(x + j, where);
    even += a - a;
  });
  return sum<T>(even + odd) == T(0);
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                \
  void convert(Source source, Index n, const void* x, T* y) noexcept { convert_any(source, n, x, y); }          \
  void convert_scaled(Source source, Index n, const void* x, Index x_bytes, T scale, T offset, T* y) noexcept { \
    convert_and_scale(source, n, x, x_bytes, scale, offset, y);                                                 \
  }                                                                                                             \
  bool all_finite(Index n, const T* x) noexcept { return check_finite(n, x); }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
