// Owned memory that begins at a cache line and starts as zeros. Large buffers ask for large pages: a matrix has so many
// small ones that looking up their places would cost as much as a tenth of a product.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "base/shape.h"
#include "base/types.h"

namespace fastgd {

// Where every tensor, parameter and slot begins.
constexpr Index kAlignment = 64;

// The size of a large page.
constexpr Index kLargePage = 2 * 1024 * 1024;

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(Index bytes) : size_(bytes) {
    if (bytes == 0) return;
    const Index alignment = bytes >= kLargePage ? kLargePage : kAlignment;
    const auto rounded = static_cast<std::size_t>(round_up(bytes, alignment));
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(static_cast<std::size_t>(alignment), rounded)));
    if (!data_) throw std::bad_alloc();
#if defined(__linux__)
    // Only advice: without large pages all works as well.
    if (bytes >= kLargePage) madvise(data_.get(), rounded, MADV_HUGEPAGE);
#endif
    std::memset(data_.get(), 0, rounded);
  }

  std::byte* data() const { return data_.get(); }
  Index size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  Index size_ = 0;
};

}  // namespace fastgd
