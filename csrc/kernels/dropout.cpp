// Dropout: a mask from counted random words, so that it depends on the element's number and not on who computes it.
#include "kernels/families.h"
#include "simd/philox.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Words made at a time: enough to hide the ends, and small beside the first-level cache.
constexpr Index kChunkWords = 512;
static_assert(kChunkWords % kPhiloxWords == 0);

template <class T>
using Bytes __attribute__((vector_size(kLanes<T>))) = std::uint8_t;

template <class T>
FASTGD_INLINE Index size_of(Whole) {
  return kLanes<T>;
}
template <class T>
FASTGD_INLINE Index size_of(Part part) {
  return part.count;
}

// The words of kLanes<T> elements as lanes of T's width.
FASTGD_INLINE UVec<float> widen(const std::uint32_t* words, float) {
  UVec<float> v;
  __builtin_memcpy(&v, words, sizeof v);
  return v;
}
FASTGD_INLINE UVec<double> widen(const std::uint32_t* words, double) {
  typedef std::uint32_t Half __attribute__((vector_size(kVectorBytes / 2)));
  Half v;
  __builtin_memcpy(&v, words, sizeof v);
  return __builtin_convertvector(v, UVec<double>);
}

template <class T>
void drop(const MaskStream& stream, std::uint64_t first, T scale, Index n, const T* x, T* y, std::uint8_t* mask) {
  if (stream.threshold >> 32 != 0 || scale == T(0)) {
    for_vectors<T>(n, [=](Index i, auto where) { store<T>(y + i, Vec<T>{}, where); });
    for (Index i = 0; i < n; ++i) mask[i] = 0;
    return;
  }
  const UVec<T> threshold = UVec<T>{} + static_cast<std::uint32_t>(stream.threshold);
  while (n > 0) {
    const Index skip = static_cast<Index>(first % 4);
    const Index count = n < kChunkWords - skip ? n : kChunkWords - skip;
    alignas(64) std::uint32_t words[kChunkWords + kLanes<float>];
    for (Index made = 0; made < skip + count; made += kPhiloxWords)
      philox(stream, first / 4 + static_cast<std::uint64_t>(made / 4), words + made);
    for_vectors<T>(count, [&](Index i, auto where) {
      const IVec<T> keep = widen(words + skip + i, T()) >= threshold;
      store<T>(y + i, select(keep, load(x + i, where) * scale, Vec<T>{}), where);
      const Bytes<T> bytes = __builtin_convertvector(keep & 1, Bytes<T>);
      __builtin_memcpy(mask + i, &bytes, static_cast<std::size_t>(size_of<T>(where)));
    });
    first += static_cast<std::uint64_t>(count);
    n -= count, x += count, y += count, mask += count;
  }
}

template <class T>
void drop_backward(T scale, Index n, const std::uint8_t* mask, const T* dy, T* dx) {
  for_vectors<T>(n, [=](Index i, auto where) {
    Bytes<T> bytes{};
    __builtin_memcpy(&bytes, mask + i, static_cast<std::size_t>(size_of<T>(where)));
    const IVec<T> keep = __builtin_convertvector(bytes, IVec<T>);
    store<T>(dx + i, select(keep != 0, load(dy + i, where) * scale, Vec<T>{}), where);
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                          \
  void dropout(MaskStream stream, std::uint64_t first, T scale, Index n, const T* x, T* y, std::uint8_t* mask) noexcept { \
    drop(stream, first, scale, n, x, y, mask);                                                                            \
  }                                                                                                                       \
  void dropout_backward(T scale, Index n, const std::uint8_t* mask, const T* dy, T* dx) noexcept {                        \
    drop_backward(scale, n, mask, dy, dx);                                                                                \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
