// The steps around an update rule: weight decay, scaling and clipping of gradients, running averages, norms.
#include "kernels/families.h"
#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// y = f(x, y), where f may leave y out.
template <class T, class F>
FASTGD_INLINE void change(Index n, const T* x, T* y, F f) {
  for_vectors<T>(n, [=](Index i, auto where) { store<T>(y + i, f(load(x + i, where), y + i, where), where); });
}

template <class T>
void decay_weights(Index n, T share, T* w) {
  change(n, w, w, [=](Vec<T> v, const T*, auto) { return fma(splat<T>(-share), v, v); });
}

template <class T>
void scale_values(Index n, T factor, const T* x, T* y) {
  change(n, x, y, [=](Vec<T> v, const T*, auto) { return factor * v; });
}

template <class T>
void clip_values(Index n, T limit, const T* x, T* y) {
  change(n, x, y, [=](Vec<T> v, const T*, auto) { return min(splat<T>(limit), max(splat<T>(-limit), v)); });
}

template <class T>
void average_values(Index n, T old, T fresh, const T* x, T* mean) {
  change(n, x, mean, [=](Vec<T> v, const T* m, auto where) { return fma(splat<T>(old), load(m, where), fresh * v); });
}

// As many elements as a vector of doubles has.
template <class T>
FASTGD_INLINE Vec<double> load_as_double(const T* p) {
  typedef T Narrow __attribute__((vector_size(kLanes<double> * sizeof(T))));
  Narrow v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, Vec<double>);
}

template <class T>
double add_squares(Index n, const T* x) {
  // Several sums hide the latency of the additions.
  constexpr Index kSums = 4, kStep = kSums * kLanes<double>;
  Vec<double> sums[kSums] = {};
  Index i = 0;
  for (; i + kStep <= n; i += kStep) {
#pragma GCC unroll 4
    for (Index k = 0; k < kSums; ++k) {
      const Vec<double> v = load_as_double(x + i + k * kLanes<double>);
      sums[k] = fma(v, v, sums[k]);
    }
  }
  double total = sum<double>((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < n; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return total;
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                  \
  void decay(Index n, T share, T* w) noexcept { decay_weights(n, share, w); }                                     \
  void scale(Index n, T factor, const T* x, T* y) noexcept { scale_values(n, factor, x, y); }                     \
  void clip(Index n, T limit, const T* x, T* y) noexcept { clip_values(n, limit, x, y); }                         \
  void average(Index n, T old, T fresh, const T* x, T* mean) noexcept { average_values(n, old, fresh, x, mean); } \
  double sum_of_squares(Index n, const T* x) noexcept { return add_squares(n, x); }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
