// The random words of consecutive elements, made in pieces that stay in the first-level cache.
#pragma once

#include "simd/philox.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Words made at a time: enough to hide the ends, and small beside the first-level cache.
constexpr Index kChunkWords = 512;
static_assert(kChunkWords % kPhiloxWords == 0);

// Calls f(begin, words, count) for the words of all n elements, in pieces.
template <class F>
FASTGD_INLINE void for_words(const MaskStream& stream, std::uint64_t first, Index n, F f) {
  const PhiloxKeys keys = philox_keys(stream.seed);
  for (Index begin = 0; begin < n;) {
    const Index skip = static_cast<Index>(first % 4);
    const Index count = n - begin < kChunkWords - skip ? n - begin : kChunkWords - skip;
    alignas(64) std::uint32_t words[kChunkWords];
    for (Index made = 0; made < skip + count; made += kPhiloxWords)
      philox(keys, stream.iteration, first / 4 + static_cast<std::uint64_t>(made / 4), words + made);
    f(begin, words + skip, count);
    first += static_cast<std::uint64_t>(count);
    begin += count;
  }
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
