// Vectors over the compiler's vector extensions, their width fixed by the tier: the one file with a branch per ISA.
#pragma once

#include "base/types.h"

#if defined(__x86_64__)
// GCC 12 warns of the undefined vectors that its own header starts from.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define FASTGD_INLINE inline __attribute__((always_inline))

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

#if defined(__AVX512F__)
constexpr Index kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr Index kVectorBytes = 32;
#else
constexpr Index kVectorBytes = 16;
#endif

// A vector of T and, of the same width, the signed and unsigned integers that masks and bit patterns need.
template <class T>
struct VecTypes;

template <>
struct VecTypes<float> {
  typedef float V __attribute__((vector_size(kVectorBytes)));
  typedef std::int32_t I __attribute__((vector_size(kVectorBytes)));
  typedef std::uint32_t U __attribute__((vector_size(kVectorBytes)));
  using Int = std::int32_t;
};

template <>
struct VecTypes<double> {
  typedef double V __attribute__((vector_size(kVectorBytes)));
  typedef std::int64_t I __attribute__((vector_size(kVectorBytes)));
  typedef std::uint64_t U __attribute__((vector_size(kVectorBytes)));
  using Int = std::int64_t;
};

template <class T>
using Vec = typename VecTypes<T>::V;
template <class T>
using IVec = typename VecTypes<T>::I;
template <class T>
using UVec = typename VecTypes<T>::U;

template <class T>
constexpr Index kLanes = kVectorBytes / static_cast<Index>(sizeof(T));

template <class T>
FASTGD_INLINE Vec<T> splat(T s) {
  return s - Vec<T>{};
}

template <class T>
FASTGD_INLINE Vec<T> load(const T* p) {
  Vec<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
FASTGD_INLINE void store(T* p, Vec<T> v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// v, held in a register: for a value of many uses, which the compiler would rather load again for each.
template <class T>
FASTGD_INLINE Vec<T> in_register(Vec<T> v) {
#if defined(__AVX512F__)
  __asm__("" : "+v"(v));
#elif defined(__x86_64__)
  __asm__("" : "+x"(v));
#elif defined(__aarch64__)
  __asm__("" : "+w"(v));
#endif
  return v;
}

// The numbers of the lanes: 0, 1, 2...
template <class T>
FASTGD_INLINE IVec<T> lane_numbers() {
  IVec<T> v{};
  for (int i = 0; i < kLanes<T>; ++i) v[i] = i;
  return v;
}

// --- the first `count` lanes only, 0 < count <= lanes; the other lanes load as zero and are not touched --------------

#if defined(__AVX512F__)

FASTGD_INLINE Vec<float> load_part(const float* p, Index count) {
  return (Vec<float>)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1u), p);
}
FASTGD_INLINE Vec<double> load_part(const double* p, Index count) {
  return (Vec<double>)_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1u), p);
}
FASTGD_INLINE void store_part(float* p, Vec<float> v, Index count) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1u), (__m512)v);
}
FASTGD_INLINE void store_part(double* p, Vec<double> v, Index count) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << count) - 1u), (__m512d)v);
}

#elif defined(__AVX2__)

FASTGD_INLINE __m256i part_mask(const float*, Index count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
FASTGD_INLINE __m256i part_mask(const double*, Index count) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}
FASTGD_INLINE Vec<float> load_part(const float* p, Index count) {
  return (Vec<float>)_mm256_maskload_ps(p, part_mask(p, count));
}
FASTGD_INLINE Vec<double> load_part(const double* p, Index count) {
  return (Vec<double>)_mm256_maskload_pd(p, part_mask(p, count));
}
// In halves, because a masked store of 32 bytes takes AMD's processors dozens of cycles.
FASTGD_INLINE void store_part(float* p, Vec<float> v, Index count) {
  __m128 four = _mm256_castps256_ps128((__m256)v);
  if (count >= 8) return store<float>(p, v);
  if (count & 4) {
    _mm_storeu_ps(p, four);
    four = _mm256_extractf128_ps((__m256)v, 1);
    p += 4;
  }
  if (count & 2) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), four);
    four = _mm_movehl_ps(four, four);
    p += 2;
  }
  if (count & 1) _mm_store_ss(p, four);
}
FASTGD_INLINE void store_part(double* p, Vec<double> v, Index count) {
  __m128d two = _mm256_castpd256_pd128((__m256d)v);
  if (count >= 4) return store<double>(p, v);
  if (count & 2) {
    _mm_storeu_pd(p, two);
    two = _mm256_extractf128_pd((__m256d)v, 1);
    p += 2;
  }
  if (count & 1) _mm_store_sd(p, two);
}

#else

// Lanes by constant numbers, so that the vector stays in its register.
template <class T>
FASTGD_INLINE Vec<T> load_part(const T* p, Index count) {
  Vec<T> v{};
  v[0] = p[0];
  if (count > 1) v[1] = p[1];
  if constexpr (kLanes<T> == 4) {
    if (count > 2) v[2] = p[2];
    if (count > 3) v[3] = p[3];
  }
  return v;
}
template <class T>
FASTGD_INLINE void store_part(T* p, Vec<T> v, Index count) {
  p[0] = v[0];
  if (count > 1) p[1] = v[1];
  if constexpr (kLanes<T> == 4) {
    if (count > 2) p[2] = v[2];
    if (count > 3) p[3] = v[3];
  }
}

#endif

// --- a * b + c rounded once where the ISA can, always the same way for the whole vector and for tails;
//     max and min give b where either is NaN
//     ---------------------------------------------------------------------------

#if defined(__AVX512F__)
#define FASTGD_X86(name) _mm512_##name
FASTGD_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return (Vec<float>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
FASTGD_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return (Vec<double>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
#elif defined(__AVX2__)
#define FASTGD_X86(name) _mm256_##name
FASTGD_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return (Vec<float>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
FASTGD_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return (Vec<double>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#elif defined(__aarch64__)
FASTGD_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return (Vec<float>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
FASTGD_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return (Vec<double>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
#else
#define FASTGD_X86(name) _mm_##name
FASTGD_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return a * b + c; }
FASTGD_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return a * b + c; }
#endif

#if defined(__x86_64__)
FASTGD_INLINE Vec<float> max(Vec<float> a, Vec<float> b) { return (Vec<float>)FASTGD_X86(max_ps)(a, b); }
FASTGD_INLINE Vec<double> max(Vec<double> a, Vec<double> b) { return (Vec<double>)FASTGD_X86(max_pd)(a, b); }
FASTGD_INLINE Vec<float> min(Vec<float> a, Vec<float> b) { return (Vec<float>)FASTGD_X86(min_ps)(a, b); }
FASTGD_INLINE Vec<double> min(Vec<double> a, Vec<double> b) { return (Vec<double>)FASTGD_X86(min_pd)(a, b); }
FASTGD_INLINE Vec<float> sqrt(Vec<float> a) { return (Vec<float>)FASTGD_X86(sqrt_ps)(a); }
FASTGD_INLINE Vec<double> sqrt(Vec<double> a) { return (Vec<double>)FASTGD_X86(sqrt_pd)(a); }
#undef FASTGD_X86
#else
FASTGD_INLINE Vec<float> max(Vec<float> a, Vec<float> b) { return a > b ? a : b; }
FASTGD_INLINE Vec<double> max(Vec<double> a, Vec<double> b) { return a > b ? a : b; }
FASTGD_INLINE Vec<float> min(Vec<float> a, Vec<float> b) { return a < b ? a : b; }
FASTGD_INLINE Vec<double> min(Vec<double> a, Vec<double> b) { return a < b ? a : b; }
#if defined(__aarch64__)
FASTGD_INLINE Vec<float> sqrt(Vec<float> a) { return (Vec<float>)vsqrtq_f32((float32x4_t)a); }
FASTGD_INLINE Vec<double> sqrt(Vec<double> a) { return (Vec<double>)vsqrtq_f64((float64x2_t)a); }
#else
template <class V>
FASTGD_INLINE V sqrt_lanes(V a) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) a[i] = __builtin_sqrt(a[i]);
  return a;
}
FASTGD_INLINE Vec<float> sqrt(Vec<float> a) { return sqrt_lanes(a); }
FASTGD_INLINE Vec<double> sqrt(Vec<double> a) { return sqrt_lanes(a); }
#endif
#endif

// About 1 / a, to 14 bits, where that is much quicker than a division; kHasEstimates says where.
#if defined(__AVX512F__)
template <class T>
constexpr bool kHasEstimates = sizeof(T) == 4;
FASTGD_INLINE Vec<float> estimate_reciprocal(Vec<float> a) { return (Vec<float>)_mm512_rcp14_ps((__m512)a); }
FASTGD_INLINE Vec<float> estimate_reciprocal_root(Vec<float> a) { return (Vec<float>)_mm512_rsqrt14_ps((__m512)a); }
#else
template <class T>
constexpr bool kHasEstimates = false;
#endif

// Lanes from a where the mask (a comparison's result) is set, else from b.
template <class M, class V>
FASTGD_INLINE V select(M mask, V a, V b) {
  return mask ? a : b;
}

// Hides from the compiler where an integer or a pointer comes from, so that it keeps it in a register.
#define FASTGD_OPAQUE(value) asm("" : "+r"(value))

// --- whole vectors and tails by one name: kernels write their arithmetic once, for a `where` of either type
// ------------

struct Whole {};
struct Part {
  Index count;
};

template <class T>
FASTGD_INLINE Vec<T> load(const T* p, Whole) {
  return load(p);
}
template <class T>
FASTGD_INLINE Vec<T> load(const T* p, Part part) {
  if (part.count > 1) return load_part(p, part.count);
  Vec<T> one{};
  one[0] = *p;
  return one;
}
template <class T>
FASTGD_INLINE void store(T* p, Vec<T> v, Whole) {
  store<T>(p, v);
}
template <class T>
FASTGD_INLINE void store(T* p, Vec<T> v, Part part) {
  if (part.count > 1) return store_part(p, v, part.count);
  *p = v[0];
}

// v, with `other` in the lanes beyond the part.
template <class T>
FASTGD_INLINE Vec<T> within(Whole, Vec<T> v, Vec<T>) {
  return v;
}
template <class T>
FASTGD_INLINE Vec<T> within(Part part, Vec<T> v, Vec<T> other) {
  using Int = typename VecTypes<T>::Int;
  return select(lane_numbers<T>() < static_cast<Int>(part.count), v, other);
}

// Calls f(i, where) for all vectors of n elements, the tail last.
template <class T, class F>
FASTGD_INLINE void for_vectors(Index n, F f) {
  Index i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) f(i, Whole{});
  if (i < n) f(i, Part{n - i});
}

// --- whole numbers in memory, one per lane; bytes are quick where the ISA widens and narrows them -------------

#if defined(__AVX512F__)
FASTGD_INLINE void load_numbers(const std::uint8_t* p, IVec<float>& v) {
  v = (IVec<float>)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
FASTGD_INLINE void load_numbers(const std::uint8_t* p, IVec<double>& v) {
  v = (IVec<double>)_mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
FASTGD_INLINE void store_numbers(std::uint8_t* p, IVec<float> v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8((__m512i)v));
}
FASTGD_INLINE void store_numbers(std::uint8_t* p, IVec<double> v) {
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm512_cvtepi64_epi8((__m512i)v));
}
#elif defined(__AVX2__)
FASTGD_INLINE void load_numbers(const std::uint8_t* p, IVec<float>& v) {
  v = (IVec<float>)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
FASTGD_INLINE void load_numbers(const std::uint8_t* p, IVec<double>& v) {
  std::int32_t four;
  __builtin_memcpy(&four, p, sizeof four);
  v = (IVec<double>)_mm256_cvtepu8_epi64(_mm_cvtsi32_si128(four));
}
FASTGD_INLINE __m128i narrow_words(__m128i low, __m128i high) {
  const __m128i halves = _mm_packs_epi32(low, high);
  return _mm_packus_epi16(halves, halves);
}
FASTGD_INLINE void store_numbers(std::uint8_t* p, IVec<float> v) {
  const __m128i low = _mm256_castsi256_si128((__m256i)v), high = _mm256_extracti128_si256((__m256i)v, 1);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), narrow_words(low, high));
}
FASTGD_INLINE void store_numbers(std::uint8_t* p, IVec<double> v) {
  const __m256i lower = _mm256_permutevar8x32_epi32((__m256i)v, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
  const __m128i words = _mm256_castsi256_si128(lower);
  const std::int32_t four = _mm_cvtsi128_si32(narrow_words(words, words));
  __builtin_memcpy(p, &four, sizeof four);
}
#endif

template <class Number, class V>
FASTGD_INLINE void load_numbers(const Number* p, V& v) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(v[0]); ++i) v[i] = p[i];
}
template <class Number, class V>
FASTGD_INLINE void store_numbers(Number* p, V v) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(v[0]); ++i) p[i] = static_cast<Number>(v[i]);
}
template <class Number, class V>
FASTGD_INLINE void store_numbers(Number* p, V v, Whole) {
  store_numbers(p, v);
}
template <class Number, class V>
FASTGD_INLINE void store_numbers(Number* p, V v, Part part) {
  for (Index i = 0; i < part.count; ++i) p[i] = static_cast<Number>(v[i]);
}

// --- all lanes to one value, the upper half folded onto the lower: one fixed order
// --------------------------------------

struct Sum {
  template <class V>
  FASTGD_INLINE V operator()(V low, V high) const {
    return low + high;
  }
};
struct Max {
  template <class V>
  FASTGD_INLINE V operator()(V low, V high) const {
    return low > high ? low : high;
  }
};

template <class F, class V>
FASTGD_INLINE auto fold(F f, V v) {
  constexpr int kCount = sizeof(V) / sizeof(v[0]);
  if constexpr (kCount == 16) {
    return fold(f, f(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
                     __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15)));
  } else if constexpr (kCount == 8) {
    return fold(f, f(__builtin_shufflevector(v, v, 0, 1, 2, 3), __builtin_shufflevector(v, v, 4, 5, 6, 7)));
  } else if constexpr (kCount == 4 && sizeof(V) > 16) {
    return fold(f, f(__builtin_shufflevector(v, v, 0, 1), __builtin_shufflevector(v, v, 2, 3)));
  } else if constexpr (kCount == 4) {
    // From here on within one 16-byte register, where only the first lanes of the result count.
    const V pairs = f(v, __builtin_shufflevector(v, v, 2, 3, 2, 3));
    return f(pairs, __builtin_shufflevector(pairs, pairs, 1, 1, 1, 1))[0];
  } else {
    return f(v, __builtin_shufflevector(v, v, 1, 1))[0];
  }
}

template <class T>
FASTGD_INLINE T sum(Vec<T> v) {
  return fold(Sum{}, v);
}

template <class T>
FASTGD_INLINE T max_of(Vec<T> v) {
  return fold(Max{}, v);
}

// The first lane where a == b, or kLanes<T> if there is none.
#if defined(__AVX512F__)
FASTGD_INLINE Index first_equal(Vec<float> a, Vec<float> b) {
  return __builtin_ctz(_mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_EQ_OQ) | 1u << 16);
}
FASTGD_INLINE Index first_equal(Vec<double> a, Vec<double> b) {
  return __builtin_ctz(_mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_EQ_OQ) | 1u << 8);
}
#elif defined(__AVX2__)
FASTGD_INLINE Index first_equal(Vec<float> a, Vec<float> b) {
  return __builtin_ctz(static_cast<unsigned>(_mm256_movemask_ps((__m256)(a == b))) | 1u << 8);
}
FASTGD_INLINE Index first_equal(Vec<double> a, Vec<double> b) {
  return __builtin_ctz(static_cast<unsigned>(_mm256_movemask_pd((__m256d)(a == b))) | 1u << 4);
}
#elif defined(__x86_64__)
FASTGD_INLINE Index first_equal(Vec<float> a, Vec<float> b) {
  return __builtin_ctz(static_cast<unsigned>(_mm_movemask_ps((__m128)(a == b))) | 1u << 4);
}
FASTGD_INLINE Index first_equal(Vec<double> a, Vec<double> b) {
  return __builtin_ctz(static_cast<unsigned>(_mm_movemask_pd((__m128d)(a == b))) | 1u << 2);
}
#else
template <class V>
FASTGD_INLINE Index first_equal(V a, V b) {
  constexpr Index kCount = sizeof(V) / sizeof(a[0]);
  Index i = 0;
  while (i < kCount && !(a[i] == b[i])) ++i;
  return i;
}
#endif

// The products of the lower 32 bits of each 64-bit lane.
FASTGD_INLINE UVec<double> multiply_low_halves(UVec<double> a, UVec<double> b) {
#if defined(__AVX512F__)
  return (UVec<double>)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (UVec<double>)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
  return (UVec<double>)_mm_mul_epu32((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
  return (UVec<double>)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
#else
  constexpr std::uint64_t kLow = 0xffffffff;
  return (a & kLow) * (b & kLow);
#endif
}

// --- the registers that a tile of a product is made of: whole vectors, and half ones where they are twice as quick
// -------

template <class T>
struct WholeRegister {
  using V = Vec<T>;
  static constexpr Index kCount = kLanes<T>;
  static FASTGD_INLINE V zero() { return V{}; }
  static FASTGD_INLINE V splat(T s) { return fastgd::FASTGD_ISA_NAMESPACE::splat(s); }
  static FASTGD_INLINE V load(const T* p) { return fastgd::FASTGD_ISA_NAMESPACE::load(p); }
  static FASTGD_INLINE V load_part(const T* p, Index count) {
    return fastgd::FASTGD_ISA_NAMESPACE::load_part(p, count);
  }
  static FASTGD_INLINE void store(T* p, V v) { fastgd::FASTGD_ISA_NAMESPACE::store<T>(p, v); }
  static FASTGD_INLINE void store_part(T* p, V v, Index count) {
    fastgd::FASTGD_ISA_NAMESPACE::store_part(p, v, count);
  }
  static FASTGD_INLINE V fma(V a, V b, V c) { return fastgd::FASTGD_ISA_NAMESPACE::fma(a, b, c); }
  // max(v, 0); NaN stays NaN.
  static FASTGD_INLINE V relu(V v) { return fastgd::FASTGD_ISA_NAMESPACE::max(V{}, v); }
};

#if defined(__AVX512F__)
// Some processors take a 512-bit instruction in two halves: columns that fill one half cost half as much.
constexpr bool kHasHalfRegisters = true;

template <class T>
struct HalfRegister;

template <>
struct HalfRegister<float> {
  typedef float V __attribute__((vector_size(kVectorBytes / 2)));
  static constexpr Index kCount = kLanes<float> / 2;
  static FASTGD_INLINE __mmask8 first(Index count) { return static_cast<__mmask8>((1u << count) - 1u); }
  static FASTGD_INLINE V zero() { return V{}; }
  static FASTGD_INLINE V splat(float s) { return s - V{}; }
  static FASTGD_INLINE V load(const float* p) { return (V)_mm256_loadu_ps(p); }
  static FASTGD_INLINE V load_part(const float* p, Index count) { return (V)_mm256_maskz_loadu_ps(first(count), p); }
  static FASTGD_INLINE void store(float* p, V v) { _mm256_storeu_ps(p, (__m256)v); }
  static FASTGD_INLINE void store_part(float* p, V v, Index count) {
    _mm256_mask_storeu_ps(p, first(count), (__m256)v);
  }
  static FASTGD_INLINE V fma(V a, V b, V c) { return (V)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
  static FASTGD_INLINE V relu(V v) { return (V)_mm256_max_ps(_mm256_setzero_ps(), (__m256)v); }
};

template <>
struct HalfRegister<double> {
  typedef double V __attribute__((vector_size(kVectorBytes / 2)));
  static constexpr Index kCount = kLanes<double> / 2;
  static FASTGD_INLINE __mmask8 first(Index count) { return static_cast<__mmask8>((1u << count) - 1u); }
  static FASTGD_INLINE V zero() { return V{}; }
  static FASTGD_INLINE V splat(double s) { return s - V{}; }
  static FASTGD_INLINE V load(const double* p) { return (V)_mm256_loadu_pd(p); }
  static FASTGD_INLINE V load_part(const double* p, Index count) { return (V)_mm256_maskz_loadu_pd(first(count), p); }
  static FASTGD_INLINE void store(double* p, V v) { _mm256_storeu_pd(p, (__m256d)v); }
  static FASTGD_INLINE void store_part(double* p, V v, Index count) {
    _mm256_mask_storeu_pd(p, first(count), (__m256d)v);
  }
  static FASTGD_INLINE V fma(V a, V b, V c) { return (V)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c); }
  static FASTGD_INLINE V relu(V v) { return (V)_mm256_max_pd(_mm256_setzero_pd(), (__m256d)v); }
};
#else
constexpr bool kHasHalfRegisters = false;
template <class T>
using HalfRegister = WholeRegister<T>;
#endif

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
