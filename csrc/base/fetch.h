// Asking for memory before it is needed, where the processor cannot guess which comes next.
#pragma once

#include <algorithm>

#include "base/buffer.h"
#include "base/types.h"

namespace fastgd {

// Brings the beginning of n values towards the first cache. What follows it is in order, which the processor sees.
template <class T>
inline void fetch_soon(const T* p, Index n) noexcept {
  constexpr Index kMost = 1024, kLine = kAlignment;  // bytes
  const char* const bytes = reinterpret_cast<const char*>(p);
  const Index size = std::min(n * static_cast<Index>(sizeof(T)), kMost);
  for (Index at = 0; at < size; at += kLine) __builtin_prefetch(bytes + at);
}

// Reads a byte of every line of n values, in order: the processor follows and runs ahead.
template <class T>
inline void read_through(const T* p, Index n) noexcept {
  const auto* const bytes = reinterpret_cast<const volatile char*>(p);
  for (Index at = 0; at < n * static_cast<Index>(sizeof(T)); at += kAlignment) static_cast<void>(bytes[at]);
}

}  // namespace fastgd
