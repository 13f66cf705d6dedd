// Gaussian noise from counted random words: each word becomes a normal deviate through the inverse distribution.
#include "kernels/families.h"
#include "kernels/words.h"
#include "simd/math.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Wichura, Algorithm AS 241 (Applied Statistics 37, 1988), PPND16: relative error about 1e-16. Numerators and
// denominators, the lowest power first. A word is never so small that the third of its ranges is needed.
template <class T>
constexpr T kCentralTop[] = {T(3.3871328727963666080e0),  T(1.3314166789178437745e+2), T(1.9715909503065514427e+3),
                             T(1.3731693765509461125e+4), T(4.5921953931549871457e+4), T(6.7265770927008700853e+4),
                             T(3.3430575583588128105e+4), T(2.5090809287301226727e+3)};
template <class T>
constexpr T kCentralBottom[] = {T(1),
                                T(4.2313330701600911252e+1),
                                T(6.8718700749205790830e+2),
                                T(5.3941960214247511077e+3),
                                T(2.1213794301586595867e+4),
                                T(3.9307895800092710610e+4),
                                T(2.8729085735721942674e+4),
                                T(5.2264952788528545610e+3)};
template <class T>
constexpr T kTailTop[] = {T(1.42343711074968357734e0),  T(4.63033784615654529590e0), T(5.76949722146069140550e0),
                          T(3.64784832476320460504e0),  T(1.27045825245236838258e0), T(2.41780725177450611770e-1),
                          T(2.27238449892691845833e-2), T(7.74545014278341407640e-4)};
template <class T>
constexpr T kTailBottom[] = {T(1),
                             T(2.05319162663775882187e0),
                             T(1.67638483018380384940e0),
                             T(6.89767334985100004550e-1),
                             T(1.48103976427480074590e-1),
                             T(1.51986665636164571966e-2),
                             T(5.47593808499534494600e-4),
                             T(1.05075007164441684324e-9)};

// The deviate of the probability 1/2 + q, whose distance from 0 or 1 is t = 1/2 - |q|: both are given, because neither
// follows from the other without losing digits.
template <class T>
FASTGD_INLINE Vec<T> deviate(Vec<T> q, Vec<T> t) {
  const auto central = t >= T(0.075);
  const Vec<T> r = T(0.180625) - q * q;
  const Vec<T> middle = q * polynomial<T>(kCentralTop<T>, r) / polynomial<T>(kCentralBottom<T>, r);
  const Vec<T> s = sqrt(-log<T>(t)) - T(1.6);
  const Vec<T> tail = polynomial<T>(kTailTop<T>, s) / polynomial<T>(kTailBottom<T>, s);
  return select(central, middle, with_sign<T>(tail, q));
}

template <class T>
void add_noise(const MaskStream& stream, std::uint64_t first, T stddev, bool multiply, Index n, const T* x, T* y) {
  for_words(stream, first, n, [=](Index begin, const std::uint32_t* own, Index count) {
    constexpr T kUnit = T(0x1p-32);
    alignas(64) T q[kChunkWords], t[kChunkWords];
    for (Index i = 0; i < count; ++i) {
      const std::uint32_t nearer = own[i] < ~own[i] ? own[i] : ~own[i];
      q[i] = (static_cast<T>(static_cast<std::int32_t>(own[i] ^ 0x80000000u)) + T(0.5)) * kUnit;
      t[i] = (static_cast<T>(static_cast<std::int32_t>(nearer)) + T(0.5)) * kUnit;
    }
    const T* from = x + begin;
    T* to = y + begin;
    const T* const qs = q;
    const T* const ts = t;
    for_vectors<T>(count, [=](Index i, auto where) {
      const Vec<T> half = splat<T>(T(0.5)), v = load(from + i, where);
      const Vec<T> noise = stddev * deviate<T>(load(qs + i, where), within<T>(where, load(ts + i, where), half));
      store<T>(to + i, multiply ? v * (T(1) + noise) : v + noise, where);
    });
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                            \
  void gaussian_noise(MaskStream stream, std::uint64_t first, T stddev, bool multiply, Index n, const T* x, \
                      T* y) noexcept {                                                                      \
    add_noise(stream, first, stddev, multiply, n, x, y);                                                    \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
