// Dropout: a mask from counted random words, so that it depends on the element's number and not on who computes it.
#include "kernels/families.h"
#include "kernels/words.h"
#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// x where keep, else 0, without a branch: the compiler makes vectors of this on every tier.
template <class T>
FASTGD_INLINE T kept(T x, bool keep) {
  using Int = typename VecTypes<T>::Int;
  return __builtin_bit_cast(T, __builtin_bit_cast(Int, x) & -static_cast<Int>(keep));
}

// The loops over elements below are plain: one multiplication has one rounding however the compiler makes vectors of
// them, and it widens and narrows between bytes and lanes better by itself.
FASTGD_INLINE bool drops_all(const MaskStream& stream) { return stream.threshold >> 32 != 0; }

template <class T>
void drop(const MaskStream& stream, std::uint64_t first, T scale, Index n, const T* x, T* y,
          std::uint8_t* __restrict mask) {
  if (drops_all(stream) || scale == T(0)) {
    for (Index i = 0; i < n; ++i) y[i] = T(0);
    for (Index i = 0; i < n; ++i) mask[i] = 0;
    return;
  }
  const std::uint32_t threshold = static_cast<std::uint32_t>(stream.threshold);
  for_words(stream, first, n, [=](Index begin, const std::uint32_t* own, Index count) {
    const T* from = x + begin;
    T* to = y + begin;
    std::uint8_t* __restrict keep = mask + begin;
    for (Index i = 0; i < count; ++i) keep[i] = own[i] >= threshold;
    for (Index i = 0; i < count; ++i) to[i] = kept(from[i] * scale, own[i] >= threshold);
  });
}

void draw_mask(const MaskStream& stream, std::uint64_t first, Index n, std::uint8_t* __restrict mask) {
  if (drops_all(stream)) {
    for (Index i = 0; i < n; ++i) mask[i] = 0;
    return;
  }
  const std::uint32_t threshold = static_cast<std::uint32_t>(stream.threshold);
  for_words(stream, first, n, [=](Index begin, const std::uint32_t* own, Index count) {
    for (Index i = 0; i < count; ++i) mask[begin + i] = own[i] >= threshold;
  });
}

template <class T>
void draw_line(T scale, T shift, T rest, Index n, const std::uint8_t* __restrict mask, const T* x, T* y) {
  for (Index i = 0; i < n; ++i) y[i] = mask[i] != 0 ? x[i] * scale + shift : rest;
}

template <class T>
void drop_backward(T scale, Index n, const std::uint8_t* __restrict mask, const T* dy, T* dx) {
  for (Index i = 0; i < n; ++i) dx[i] = kept(dy[i] * scale, mask[i] != 0);
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                             \
  void dropout(MaskStream stream, std::uint64_t first, T scale, Index n, const T* x, T* y,                   \
               std::uint8_t* mask) noexcept {                                                                \
    drop(stream, first, scale, n, x, y, mask);                                                               \
  }                                                                                                          \
  void dropout_backward(T scale, Index n, const std::uint8_t* mask, const T* dy, T* dx) noexcept {           \
    drop_backward(scale, n, mask, dy, dx);                                                                   \
  }                                                                                                          \
  void masked_line(T scale, T shift, T rest, Index n, const std::uint8_t* mask, const T* x, T* y) noexcept { \
    draw_line(scale, shift, rest, n, mask, x, y);                                                            \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

void keep_mask(MaskStream stream, std::uint64_t first, Index n, std::uint8_t* mask) noexcept {
  draw_mask(stream, first, n, mask);
}

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
