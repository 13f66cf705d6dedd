// Dropout: a mask from counted random words, so that it depends on the element's number and not on who computes it.
#include "kernels/families.h"
#include "simd/philox.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Words made at a time: enough to hide the ends, and small beside the first-level cache.
constexpr Index kChunkWords = 512;
static_assert(kChunkWords % kPhiloxWords == 0);

// x where keep, else 0, without a branch: the compiler makes vectors of this on every tier.
template <class T>
FASTGD_INLINE T kept(T x, bool keep) {
  using Int = typename VecTypes<T>::Int;
  return __builtin_bit_cast(T, __builtin_bit_cast(Int, x) & -static_cast<Int>(keep));
}

// The loops over elements below are plain: one multiplication has one rounding however the compiler makes vectors of
// them, and it widens and narrows between bytes and lanes better by itself.
template <class T>
void drop(const MaskStream& stream, std::uint64_t first, T scale, Index n, const T* x, T* y,
          std::uint8_t* __restrict mask) {
  if (stream.threshold >> 32 != 0 || scale == T(0)) {
    for (Index i = 0; i < n; ++i) y[i] = T(0);
    for (Index i = 0; i < n; ++i) mask[i] = 0;
    return;
  }
  const PhiloxKeys keys = philox_keys(stream.seed);
  const std::uint32_t threshold = static_cast<std::uint32_t>(stream.threshold);
  while (n > 0) {
    const Index skip = static_cast<Index>(first % 4);
    const Index count = n < kChunkWords - skip ? n : kChunkWords - skip;
    alignas(64) std::uint32_t words[kChunkWords];
    for (Index made = 0; made < skip + count; made += kPhiloxWords)
      philox(keys, stream.iteration, first / 4 + static_cast<std::uint64_t>(made / 4), words + made);
    const std::uint32_t* own = words + skip;
    for (Index i = 0; i < count; ++i) mask[i] = own[i] >= threshold;
    for (Index i = 0; i < count; ++i) y[i] = kept(x[i] * scale, own[i] >= threshold);
    first += static_cast<std::uint64_t>(count);
    n -= count, x += count, y += count, mask += count;
  }
}

template <class T>
void drop_backward(T scale, Index n, const std::uint8_t* __restrict mask, const T* dy, T* dx) {
  for (Index i = 0; i < n; ++i) dx[i] = kept(dy[i] * scale, mask[i] != 0);
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                   \
  void dropout(MaskStream stream, std::uint64_t first, T scale, Index n, const T* x, T* y,         \
               std::uint8_t* mask) noexcept {                                                      \
    drop(stream, first, scale, n, x, y, mask);                                                     \
  }                                                                                                \
  void dropout_backward(T scale, Index n, const std::uint8_t* mask, const T* dy, T* dx) noexcept { \
    drop_backward(scale, n, mask, dy, dx);                                                         \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
