// Exponentials, logarithms, tanh, sigmoid and the normal distribution, written once over Vec<T> for all tiers.
//
// Largest errors in units in the last place, measured by tests/cpp/ulp.cpp, over all 2^32 inputs in float and over 2^22
// samples in double, first with a fused multiply-add and then without: exp 1.02 and 0.99, log 0.91 and 0.91, tanh 1.86
// and 1.95, sigmoid 1.24 and 1.47 in float; exp 0.99, log 0.83, tanh 1.89, sigmoid 1.26 in double.
// Over a sample of both types (tests/native/test_elementary.py), with and without: expm1 1.9 and 2.0, log1p 1.5,
// log2 1.9 and 2.4, log10 2.3.
// Over every 9973rd input in float and the same samples in double: expm1 below 0 0.82 and 0.81, softplus 1.46 and 1.42
// in float; expm1 1.15, softplus 1.70 in double.
#pragma once

#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// The constants come from tools/make_coefficients.py.
template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
  static constexpr int kFractionBits = 23;
  static constexpr float kRound = 0x1.8p+23f;  // Adding it leaves the nearest integer in the low bits.
  static constexpr float kExpLow = -104.0f, kExpHigh = 89.0f, kTanhHigh = 10.0f;
  static constexpr float kSmallestNormal = 0x1p-126f;
  static constexpr float kLog10E = 0x1.bcb7b2p-2f, kLog10Of2High = 0x1.3440000000000p-2f,
                         kLog10Of2Low = 0x1.3509f80000000p-18f;
  static constexpr float kLog2E = 0x1.715476p+0f, kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  // e^r = 1 + r + r^2 q(r) for |r| <= 0.3473, relative error 2^-28.2.
  static constexpr float kExp[] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558bcp-5f, 0x1.1239c6p-7f, 0x1.6a4154p-10f};
  // 2 atanh(s) = 2 s + s z l(z) for 0 <= z = s^2 <= 0.04, relative error 2^-35.2.
  static constexpr float kLog[] = {0x1.555554p-1f, 0x1.999c0cp-2f, 0x1.23e042p-2f, 0x1.ee9feep-3f};
  // (x + 4) e^(x^2 / 2) P(X > x) in t = (x - 4) / (x + 4) for 0 <= x <= kTailHigh, relative error 2^-25.7.
  static constexpr float kTailHigh = 14.5f;
  static constexpr float kTail[] = {0x1.82b4bcp-1f,  -0x1.373e3ap-1f,  0x1.8c6d8p-2f,  -0x1.7dffb8p-3f,
                                    0x1.eedeep-5f,   -0x1.ed3b46p-8f,  -0x1.cf25cp-9f, 0x1.99059p-10f,
                                    0x1.af8c18p-13f, -0x1.bfe8b2p-14f, 0x1.501e86p-18f};
};

template <>
struct MathConstants<double> {
  static constexpr int kFractionBits = 52;
  static constexpr double kRound = 0x1.8p+52;
  static constexpr double kExpLow = -746.0, kExpHigh = 710.0, kTanhHigh = 20.0;
  static constexpr double kSmallestNormal = 0x1p-1022;
  static constexpr double kLog10E = 0x1.bcb7b1526e50ep-2, kLog10Of2High = 0x1.3441350800000p-2,
                          kLog10Of2Low = 0x1.f79fef311f12bp-34;
  static constexpr double kLog2E = 0x1.71547652b82fep+0, kLn2High = 0x1.62e42fee00000p-1,
                          kLn2Low = 0x1.a39ef35793c76p-33;
  // Relative error 2^-57.9.
  static constexpr double kExp[] = {0x1.000000000000ap-1,  0x1.55555555554fep-3,  0x1.555555555064dp-5,
                                    0x1.1111111126b53p-7,  0x1.6c16c1849d0b1p-10, 0x1.a01a01300c507p-13,
                                    0x1.a01998de81d87p-16, 0x1.71df1814877d1p-19, 0x1.28ae853ba3303p-22,
                                    0x1.ad9574a18ef93p-26};
  // Relative error 2^-62.7.
  static constexpr double kLog[] = {0x1.555555555554fp-1, 0x1.999999999c151p-2, 0x1.24924921e82b8p-2,
                                    0x1.c71c748b770d3p-3, 0x1.745c4bff5d00bp-3, 0x1.3b35986b78ab2p-3,
                                    0x1.0dce631165ffap-3, 0x1.1b6dd81331f9ep-3};
  // Relative error 2^-54.9.
  static constexpr double kTailHigh = 39.0;
  static constexpr double kTail[] = {
      0x1.82b4bb8c94dcep-1,  -0x1.373e3a893c28ap-1,  0x1.8c6dbf2cfc28dp-2,   -0x1.7dff2bff683b9p-3,
      0x1.eec4cc3e4cf55p-5,  -0x1.ee2761046b45bp-8,  -0x1.c81719d1a43ddp-9,  0x1.ab825fb9e5b9bp-10,
      0x1.17a4aa27bda3ap-13, -0x1.e4a4236297148p-13, -0x1.00160b1f4bd61p-19, 0x1.26d0777224c31p-15,
      0x1.80160adeba9b3p-21, -0x1.8d49d70b96dfdp-18, -0x1.501f378f5ec29p-21, 0x1.124c7b3271157p-20,
      0x1.1cbb226460e89p-22, -0x1.5001a31d149b4p-23, -0x1.4eb8d8baab14fp-24, 0x1.118d493944952p-26,
      0x1.ff0a30a74f10ap-27, -0x1.365f2736a3877p-32, -0x1.50069e04a0cep-30};
};

template <class T>
constexpr typename VecTypes<T>::Int kOneBits = __builtin_bit_cast(typename VecTypes<T>::Int, T(1));

template <class T, int kCount>
FASTGD_INLINE Vec<T> polynomial(const T (&c)[kCount], Vec<T> x) {
  Vec<T> y = splat<T>(c[kCount - 1]);
#pragma GCC unroll 16
  for (int i = kCount - 2; i >= 0; --i) y = fma(y, x, splat<T>(c[i]));
  return y;
}

template <class T>
FASTGD_INLINE Vec<T> abs(Vec<T> x) {
  return (Vec<T>)((IVec<T>)x & (IVec<T>)~(IVec<T>)(-Vec<T>{}));
}

// |x| with the sign of s.
template <class T>
FASTGD_INLINE Vec<T> with_sign(Vec<T> x, Vec<T> s) {
  const IVec<T> sign = (IVec<T>)(-Vec<T>{});
  return (Vec<T>)(((IVec<T>)x & ~sign) | ((IVec<T>)s & sign));
}

// --- powers of two
// ------------------------------------------------------------------------------------------------------

// 2^n for integers n in the range of normal numbers, from n + kRound: n moved into the exponent field, which cuts off
// the rest of kRound.
template <class T>
FASTGD_INLINE Vec<T> power_of_shifted(Vec<T> n) {
  return (Vec<T>)(((IVec<T>)n << MathConstants<T>::kFractionBits) + kOneBits<T>);
}

// p 2^n, rounded once also where it overflows or is subnormal; scale_down is for n <= 0. p is near 1.
#if defined(__AVX512F__)
FASTGD_INLINE Vec<float> scalef(Vec<float> p, Vec<float> n) {
  return (Vec<float>)_mm512_scalef_ps((__m512)p, (__m512)n);
}
FASTGD_INLINE Vec<double> scalef(Vec<double> p, Vec<double> n) {
  return (Vec<double>)_mm512_scalef_pd((__m512d)p, (__m512d)n);
}
template <class T>
FASTGD_INLINE Vec<T> scale(Vec<T> p, Vec<T> n) {
  return scalef(p, n);
}
template <class T>
FASTGD_INLINE Vec<T> scale_down(Vec<T> p, Vec<T> n) {
  return scalef(p, n);
}
template <class T>
FASTGD_INLINE Vec<T> power_of_two(Vec<T> n) {
  return scalef(splat<T>(1), n);
}
#else
template <class T>
FASTGD_INLINE Vec<T> power_of_two(Vec<T> n) {
  return power_of_shifted<T>(n + MathConstants<T>::kRound);
}

// In two exact steps, the second of which rounds, since 2^n alone may not be a normal number.
template <class T>
FASTGD_INLINE Vec<T> scale_down(Vec<T> p, Vec<T> n) {
  return p * power_of_two<T>(n + T(64)) * T(0x1p-64);
}
template <class T>
FASTGD_INLINE Vec<T> scale(Vec<T> p, Vec<T> n) {
  const auto up = n > T(0);
  return p * power_of_two<T>(n + select(up, splat<T>(T(-2)), splat<T>(T(64)))) *
         select(up, splat<T>(T(4)), splat<T>(T(0x1p-64)));
}
#endif

// x = m 2^e with m in [0.75, 1.5); for +-0 e = -inf, for inf e = inf, both with m = 1; for NaN and x < 0 m is NaN.
#if defined(__AVX512F__)
FASTGD_INLINE Vec<float> split(Vec<float> x, Vec<float>& e) {
  const __m512 m = _mm512_getmant_ps((__m512)x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
  e = (Vec<float>)_mm512_sub_ps(_mm512_getexp_ps((__m512)x), _mm512_getexp_ps(m));
  return (Vec<float>)m;
}
FASTGD_INLINE Vec<double> split(Vec<double> x, Vec<double>& e) {
  const __m512d m = _mm512_getmant_pd((__m512d)x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
  e = (Vec<double>)_mm512_sub_pd(_mm512_getexp_pd((__m512d)x), _mm512_getexp_pd(m));
  return (Vec<double>)m;
}
#else
template <class T>
FASTGD_INLINE Vec<T> split_bits(Vec<T> x, Vec<T>& e) {
  using C = MathConstants<T>;
  using Int = typename VecTypes<T>::Int;
  constexpr T kInfinity = static_cast<T>(__builtin_inf());
  // A subnormal is first made normal. Then its bits less those of 0.75, plus those of 1, begin with the biased
  // exponent.
  const auto small = x < C::kSmallestNormal;
  constexpr T kUnit = C::kRound / T(1.5), kBias = T(kOneBits<T> >> C::kFractionBits);
  const Vec<T> normal = select(small, x * kUnit, x);
  constexpr Int kQuarterBits = Int(1) << (C::kFractionBits - 1);
  const UVec<T> biased = (UVec<T>)((IVec<T>)normal + kQuarterBits) >> C::kFractionBits;
  const Vec<T> m = (Vec<T>)((IVec<T>)normal - (IVec<T>)(biased << C::kFractionBits) + kOneBits<T>);
  // To a floating-point number without a conversion of 64-bit integers, which few ISAs have: as the low bits of 2^23 or
  // 2^52.
  e = (Vec<T>)((IVec<T>)biased | (IVec<T>)splat<T>(kUnit)) - (kUnit + kBias);
  e = e - select(small, splat<T>(T(C::kFractionBits)), Vec<T>{});
  e = select(x == T(0), splat<T>(-kInfinity), e);
  e = select(x == kInfinity, splat<T>(kInfinity), e);
  return select(x == T(0), splat<T>(1), select(x > T(0), m, splat<T>(static_cast<T>(__builtin_nan("")))));
}
FASTGD_INLINE Vec<float> split(Vec<float> x, Vec<float>& e) { return split_bits<float>(x, e); }
FASTGD_INLINE Vec<double> split(Vec<double> x, Vec<double>& e) { return split_bits<double>(x, e); }
#endif

// --- e^x
// ----------------------------------------------------------------------------------------------------------------

// x = n ln 2 + r with |r| <= 0.3473. x must be in the range of exp.
template <class T>
FASTGD_INLINE Vec<T> reduce(Vec<T> x, Vec<T>& n) {
  using C = MathConstants<T>;
  n = fma(x, splat<T>(C::kLog2E), splat<T>(C::kRound)) - C::kRound;
  // n kLn2High is exact for any n that occurs, so that the tiers without a fused multiply-add lose nothing.
  return fma(n, splat<T>(-C::kLn2Low), fma(n, splat<T>(-C::kLn2High), x));
}

// e^x = (1 + p) 2^n.
template <class T>
FASTGD_INLINE Vec<T> exp_parts(Vec<T> x, Vec<T>& n) {
  const Vec<T> r = reduce<T>(x, n);
  return fma(r * r, polynomial<T>(MathConstants<T>::kExp, r), r);
}

template <class T>
FASTGD_INLINE Vec<T> exp(Vec<T> x) {
  using C = MathConstants<T>;
  Vec<T> n;
  const Vec<T> p = exp_parts<T>(max(splat<T>(C::kExpLow), min(splat<T>(C::kExpHigh), x)), n);
  return scale<T>(T(1) + p, n);
}

// e^x - 1 = 2^n p + (2^n - 1) with e^x = (1 + p) 2^n. From 30 on the 1 is lost in the rounding, and 2^n would overflow.
template <class T>
FASTGD_INLINE Vec<T> expm1(Vec<T> x) {
  Vec<T> n;
  constexpr T kLarge = T(sizeof(T) == 4 ? 30 : 50);
  const Vec<T> p = exp_parts<T>(max(splat<T>(-kLarge), min(splat<T>(kLarge), x)), n);
  const Vec<T> power = power_of_two<T>(n);
  const Vec<T> small = with_sign<T>(fma(power, p, power - T(1)), x);
  return select(x > kLarge, exp<T>(x), select(x == x, small, x));
}

// For x <= 0 or NaN.
template <class T>
FASTGD_INLINE Vec<T> exp_of_negative(Vec<T> x) {
  Vec<T> n;
  const Vec<T> p = exp_parts<T>(max(splat<T>(MathConstants<T>::kExpLow), x), n);
  return scale_down<T>(T(1) + p, n);
}

// --- logarithms
// ---------------------------------------------------------------------------------------------------------

// e ln 2 + log(1 + f) for f in [-0.25, 0.5). With s = f / (2 + f) the logarithm is 2 atanh(s) = f - s (f - l(s^2) s^2),
// and s f = f^2 / 2 - s f^2 / 2: so f, which is exact, meets only small corrections.
template <class T>
FASTGD_INLINE Vec<T> log_of_parts(Vec<T> e, Vec<T> f) {
  using C = MathConstants<T>;
  const Vec<T> s = f / (T(2) + f);
  const Vec<T> z = s * s;
  const Vec<T> half_square = T(0.5) * f * f;
  const Vec<T> small = fma(s, fma(z, polynomial<T>(C::kLog, z), half_square), e * C::kLn2Low);
  return fma(e, splat<T>(C::kLn2High), f - (half_square - small));
}

template <class T>
FASTGD_INLINE Vec<T> log(Vec<T> x) {
  Vec<T> e;
  const Vec<T> m = split(x, e);
  return log_of_parts<T>(e, m - T(1));
}

// log2 x = e + log(m) / ln 2: exact for powers of two.
template <class T>
FASTGD_INLINE Vec<T> log2(Vec<T> x) {
  Vec<T> e;
  const Vec<T> m = split(x, e);
  return fma(log_of_parts<T>(Vec<T>{}, m - T(1)), splat<T>(MathConstants<T>::kLog2E), e);
}

// log10 x = e log10 2 + log(m) / ln 10.
template <class T>
FASTGD_INLINE Vec<T> log10(Vec<T> x) {
  using C = MathConstants<T>;
  Vec<T> e;
  const Vec<T> m = split(x, e);
  const Vec<T> rest = fma(log_of_parts<T>(Vec<T>{}, m - T(1)), splat<T>(C::kLog10E), e * C::kLog10Of2Low);
  return fma(e, splat<T>(C::kLog10Of2High), rest);
}

// log(1 + x) for any x: the logarithm of the rounded sum, and what the rounding took from x to the first order.
template <class T>
FASTGD_INLINE Vec<T> log1p(Vec<T> x) {
  constexpr T kInfinity = static_cast<T>(__builtin_inf());
  const Vec<T> sum = T(1) + x;
  const auto exact = (x == kInfinity) | (sum == T(0));
  const Vec<T> rest = select(exact, Vec<T>{}, (x - (sum - T(1))) / sum);
  return select(x == T(0), x, log<T>(sum) + rest);
}

// log(1 + u) for 0 <= u <= 1, relative to the result. 1 + u is halved where it is 1.5 or more.
template <class T>
FASTGD_INLINE Vec<T> log_of_one_plus(Vec<T> u) {
  const auto large = u >= T(0.5);
  return log_of_parts<T>(select(large, splat<T>(1), Vec<T>{}), select(large, T(0.5) * (u - T(1)), u));
}

// e^x - 1 for x <= 0 or NaN, relative to the result. Where e^x is far below one unit in the last place, x is cut.
template <class T>
FASTGD_INLINE Vec<T> expm1_of_negative(Vec<T> x) {
  Vec<T> n;
  const Vec<T> p = exp_parts<T>(max(splat<T>(T(-2) * MathConstants<T>::kTanhHigh), x), n);
  const Vec<T> power = power_of_two<T>(n);
  return fma(power, p, power - T(1));
}

// --- the normal distribution
// ---------------------------------------------------------------------------------------------

// P(X > x) / e^(-x^2 / 2) for a standard normal X and x >= 0, relative to the result.
template <class T>
FASTGD_INLINE Vec<T> normal_tail(Vec<T> x) {
  using C = MathConstants<T>;
  const Vec<T> cut = min(splat<T>(C::kTailHigh), x);
  const Vec<T> r = T(1) / (cut + T(4));
  return polynomial<T>(C::kTail, (cut - T(4)) * r) * r;
}

// --- activations
// --------------------------------------------------------------------------------------------------------

// With e^-|x| = (1 + p) 2^n = e: 1 / (1 + e) for x >= 0 and e / (1 + e) below, both as (1 + q) 2^m / (1 + e).
template <class T>
FASTGD_INLINE Vec<T> sigmoid_of_parts(Vec<T> x, Vec<T> p, Vec<T> n) {
  const Vec<T> e = scale_down<T>(T(1) + p, n);
  const Vec<T> sum = T(1) + e;
  Vec<T> r;
  if constexpr (kHasEstimates<T>) {
    r = estimate_reciprocal(sum);
  } else {
    r = T(1) / sum;
  }
  // 1 / (1 + e) = r (1 + rest), where the rest makes good what the rounding of the sum took, and an estimate's error.
  const Vec<T> rest = fma(-r, e, T(1) - r);
  const auto below = x < T(0);
  const Vec<T> q = select(below, p, Vec<T>{}), m = select(below, n, Vec<T>{});
  return scale_down<T>(fma(r, fma(rest, T(1) + q, q), r), m);
}

template <class T>
FASTGD_INLINE Vec<T> sigmoid(Vec<T> x) {
  Vec<T> n;
  const Vec<T> p = exp_parts<T>(max(splat<T>(MathConstants<T>::kExpLow), -abs<T>(x)), n);
  return sigmoid_of_parts<T>(x, p, n);
}

// The coefficients of kExp for 2 r in place of r, and 4 r^2 in place of r^2.
template <class T>
struct ExpOfTwice {
  static constexpr int kCount = sizeof(MathConstants<T>::kExp) / sizeof(T);
  T c[kCount];
};
template <class T>
constexpr ExpOfTwice<T> make_exp_of_twice() {
  ExpOfTwice<T> twice{};
  T power = T(4);
  for (int i = 0; i < ExpOfTwice<T>::kCount; ++i, power *= T(2)) twice.c[i] = power * MathConstants<T>::kExp[i];
  return twice;
}
template <class T>
constexpr ExpOfTwice<T> kExpOfTwice = make_exp_of_twice<T>();

// With u = e^-2|x| - 1 in (-1, 0]: tanh |x| = -u / (2 + u). K vectors side by side, step by step: the way through one
// is long, and a processor looks ahead over few of them.
template <class T, int K>
FASTGD_INLINE void tanh_of(Vec<T> (&x)[K]) {
  using C = MathConstants<T>;
  using V = Vec<T>;
  const auto each = [](auto step) {
#pragma GCC unroll 8
    for (int i = 0; i < K; ++i) step(i);
  };
  V size[K], shifted[K], n[K], half[K], p[K], power[K], less[K], u[K], v[K], u_rest[K], v_rest[K];
  // e^(-2 |x|) = (1 + p) 2^n, from half of its exponent: all of this is exp_parts with exact factors of 2, and one
  // multiplication less.
  each([&](int i) { size[i] = min(splat<T>(C::kTanhHigh), abs<T>(x[i])); });
  each([&](int i) { shifted[i] = fma(size[i], splat<T>(T(-2) * C::kLog2E), splat<T>(C::kRound)); });
  each([&](int i) { n[i] = shifted[i] - C::kRound; });
  each([&](int i) { half[i] = fma(n[i], splat<T>(T(-0.5) * C::kLn2High), -size[i]); });
  each([&](int i) { half[i] = fma(n[i], splat<T>(T(-0.5) * C::kLn2Low), half[i]); });
  constexpr auto& c = kExpOfTwice<T>.c;
  constexpr int last = ExpOfTwice<T>::kCount - 1;
  each([&](int i) { p[i] = splat<T>(c[last]); });
#pragma GCC unroll 16
  for (int term = last - 1; term >= 0; --term) each([&](int i) { p[i] = fma(p[i], half[i], splat<T>(c[term])); });
  each([&](int i) { p[i] = fma(half[i] * half[i], p[i], half[i] + half[i]); });
  each([&](int i) { power[i] = power_of_shifted<T>(shifted[i]); });
  each([&](int i) { less[i] = power[i] - T(1); });
  each([&](int i) { u[i] = fma(power[i], p[i], less[i]); });
  each([&](int i) { v[i] = T(2) + u[i]; });
  // Both sums are rounded, and the quotient can double their errors; so their exact rests correct it.
  each([&](int i) { u_rest[i] = fma(power[i], p[i], less[i] - u[i]); });
  each([&](int i) { v_rest[i] = (u[i] - (v[i] - T(2))) + u_rest[i]; });
  if constexpr (kHasEstimates<T>) {
    V inverse[K], quotient[K], rest[K];
    each([&](int i) { inverse[i] = estimate_reciprocal(v[i]); });
    each([&](int i) { quotient[i] = u[i] * inverse[i]; });
    each([&](int i) { rest[i] = fma(-quotient[i], v_rest[i], u_rest[i]) + fma(-quotient[i], v[i], u[i]); });
    each([&](int i) { x[i] = with_sign<T>(fma(rest[i], inverse[i], quotient[i]), x[i]); });
  } else {
    // The straight line is 1 / (2 + u) within 7 %, enough for a correction of about one unit in the last place.
    each([&](int i) {
      const V quotient = u[i] / v[i];
      x[i] = with_sign<T>(fma(u_rest[i] - v_rest[i] * quotient, T(0.47) - T(0.5) * u[i], quotient), x[i]);
    });
  }
}

template <class T>
FASTGD_INLINE Vec<T> tanh(Vec<T> x) {
  Vec<T> one[] = {x};
  tanh_of<T>(one);
  return one[0];
}

// NaN passes through: max gives its second argument then.
template <class T>
FASTGD_INLINE Vec<T> relu(Vec<T> x) {
  return max(Vec<T>{}, x);
}

template <class T>
FASTGD_INLINE Vec<T> leaky_relu(Vec<T> x, Vec<T> slope) {
  return select(x >= T(0), x, x * slope);
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
template <class T>
FASTGD_INLINE Vec<T> softplus(Vec<T> x) {
  return max(Vec<T>{}, x) + log_of_one_plus<T>(exp_of_negative<T>(-abs<T>(x)));
}

// x between two bounds. NaN passes through.
template <class T>
FASTGD_INLINE Vec<T> clip(T low, T high, Vec<T> x) {
  return max(splat<T>(low), min(splat<T>(high), x));
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
