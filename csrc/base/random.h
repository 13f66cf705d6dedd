// Counter-based random numbers: Philox 4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw, SC 2011).
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/types.h"

namespace fastgd {

__extension__ using Wide = unsigned __int128;
using Block = std::array<std::uint32_t, 4>;

// The block of four words at `counter` in the stream of `key`.
inline Block philox(std::uint64_t key, Block counter) {
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ k0, static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return counter;
}

// Word number `e` of a step with `seed` at an iteration, as the elements of a dropout count theirs.
inline std::uint32_t random_word(std::uint64_t seed, std::uint64_t iteration, std::uint64_t e) {
  const auto low = [](std::uint64_t word) { return static_cast<std::uint32_t>(word); };
  const std::uint64_t block = e / 4;
  return philox(seed, {low(block), low(block >> 32), low(iteration), low(iteration >> 32)})[e % 4];
}

// A shuffle of 0..n-1 that depends on nothing but the seed and the epoch (docs/ops.md, Random numbers).
inline std::vector<Index> permutation(Index n, std::uint64_t seed, std::uint32_t epoch) {
  std::vector<Index> order(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = i;
  for (Index i = n - 1; i > 0; --i) {
    const Block words =
        philox(seed, {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), epoch, 0x53485546});
    const std::uint64_t r = words[0] | std::uint64_t{words[1]} << 32;
    const auto j = static_cast<Index>((static_cast<Wide>(r) * static_cast<std::uint64_t>(i + 1)) >> 64);
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
  }
  return order;
}

}  // namespace fastgd
