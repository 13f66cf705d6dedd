// Probes of the machine: the peak of fused multiply-adds in registers, and the bandwidth of a triad.
#include "kernels/families.h"
#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Chains of multiply-adds that hide its latency on every processor known, with room for two factors in 16 registers.
constexpr int kChains = 12;

template <class T>
double run_fma(Index rounds, T* sink) {
  // Values from memory, or the compiler would compute the result itself. A factor of 1/2 keeps them bounded.
  const Vec<T> factor = splat<T>(T(0.5)), term = splat<T>(sink[0]);
  Vec<T> chain[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) chain[i] = term + T(i);
  for (Index round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chain[i] = fma(chain[i], factor, term);
  }
  Vec<T> total{};
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) total += chain[i];
  sink[0] = sum<T>(total);
  return 2.0 * static_cast<double>(kChains * kLanes<T>) * static_cast<double>(rounds);
}

template <class T>
void run_triad(Index n, T s, const T* b, const T* c, T* a) {
  for_vectors<T>(n, [=](Index i, auto where) {
    store<T>(a + i, fma(splat<T>(s), load(c + i, where), load(b + i, where)), where);
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                     \
  double fma_probe(Index rounds, T* sink) noexcept { return run_fma(rounds, sink); } \
  void triad(Index n, T s, const T* b, const T* c, T* a) noexcept { run_triad(n, s, b, c, a); }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
