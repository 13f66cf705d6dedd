// IEEE half precision as data may arrive in it: the bits, and the float of the same value.
#pragma once

#include <cstdint>

namespace fastgd {

// 16 bits: sign, 5 of an exponent with the bias 15, 10 of the fraction.
struct Half {
  std::uint16_t bits;
};

// Inlined everywhere, because the compiled tiers use it too and must not share code.
static inline __attribute__((always_inline)) float widen(Half half) {
  const std::uint32_t magnitude = (half.bits & 0x7fffu) << 13, sign = (half.bits & 0x8000u) << 16;
  const std::uint32_t exponent = magnitude >> 23;
  // The bias becomes 127. Numbers below the normal ones get an exponent by what is then taken away, exactly.
  const float tiny = __builtin_bit_cast(float, magnitude + (113u << 23)) - 0x1p-14f;
  const std::uint32_t normal = magnitude + ((exponent == 31 ? 224u : 112u) << 23);
  return __builtin_bit_cast(float, (exponent == 0 ? __builtin_bit_cast(std::uint32_t, tiny) : normal) | sign);
}

}  // namespace fastgd
