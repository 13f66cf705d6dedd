// Probes of the machine: the peak of fused multiply-adds, in registers and with loads, and the bandwidth of a triad.
#include "kernels/families.h"
#include "kernels/tuning.h"
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

// The same with operands that are loaded in each step as for the tile of a product: two vectors, and a number for each
// of its rows.
template <class T>
double run_loaded_fma(Index rounds, const T* operands, T* sink) {
  constexpr int rows = kTileRows<T>;
  Vec<T> chain[rows][2] = {};
  for (Index round = 0; round < rounds; ++round) {
    // Or the loads would be made once.
    FASTGD_OPAQUE(operands);
    const Vec<T> column[2] = {load(operands), load(operands + kLanes<T>)};
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const Vec<T> x = splat<T>(operands[r]);
      chain[r][0] = fma(x, column[0], chain[r][0]);
      chain[r][1] = fma(x, column[1], chain[r][1]);
    }
  }
  Vec<T> total{};
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) total += chain[r][0] - chain[r][1];
  sink[0] = sum<T>(total);
  return 4.0 * static_cast<double>(rows * kLanes<T>) * static_cast<double>(rounds);
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
  double loaded_fma_probe(Index rounds, const T* operands, T* sink) noexcept {       \
    return run_loaded_fma(rounds, operands, sink);                                   \
  }                                                                                  \
  void triad(Index n, T s, const T* b, const T* c, T* a) noexcept { run_triad(n, s, b, c, a); }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
