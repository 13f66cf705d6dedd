// The random words of docs/ops.md, Philox 4x32 with 10 rounds, for as many blocks at a time as a vector has 64-bit
// lanes.
#pragma once

#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

using Words = UVec<double>;

// Blocks of one round of the generator, and the 32-bit words that they give.
constexpr Index kPhiloxBlocks = kLanes<double>;
constexpr Index kPhiloxWords = 4 * kPhiloxBlocks;

// The lanes of a and b in turn: the first half of the pairs, and the second.
FASTGD_INLINE Words interleave_low(Words a, Words b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#else
  return __builtin_shufflevector(a, b, 0, 2);
#endif
}
FASTGD_INLINE Words interleave_high(Words a, Words b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#else
  return __builtin_shufflevector(a, b, 1, 3);
#endif
}

// The keys of the ten rounds, two for each.
struct PhiloxKeys {
  std::uint64_t key[10][2];
};

FASTGD_INLINE PhiloxKeys philox_keys(std::uint64_t seed) {
  PhiloxKeys keys;
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (auto& pair : keys.key) {
    pair[0] = k0, pair[1] = k1;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return keys;
}

// Writes the kPhiloxWords words of the blocks from `block` on.
// Each 64-bit lane holds one 32-bit word of one block, low; what is above it is never read.
FASTGD_INLINE void philox(const PhiloxKeys& keys, std::uint64_t iteration, std::uint64_t block, std::uint32_t* words) {
  constexpr std::uint64_t kLow = 0xffffffff;
  const Words zero{};
  Words c0 = (Words)lane_numbers<double>() + block;
  Words c1 = c0 >> 32;
  Words c2 = zero + iteration;
  Words c3 = c2 >> 32;
#pragma GCC unroll 10
  for (const auto& key : keys.key) {
    const Words p0 = multiply_low_halves(c0, zero + 0xD2511F53u);
    const Words p1 = multiply_low_halves(c2, zero + 0xCD9E8D57u);
    c0 = (p1 >> 32) ^ c1 ^ (zero + key[0]);
    c2 = (p0 >> 32) ^ c3 ^ (zero + key[1]);
    c1 = p1;
    c3 = p0;
  }
  const Words first = (c0 & kLow) | (c1 << 32);
  const Words second = (c2 & kLow) | (c3 << 32);
  const Words low = interleave_low(first, second), high = interleave_high(first, second);
  __builtin_memcpy(words, &low, sizeof low);
  __builtin_memcpy(words + kPhiloxWords / 2, &high, sizeof high);
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
