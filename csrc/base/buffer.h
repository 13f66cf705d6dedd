// Owned memory that begins at a cache line and starts as zeros.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "base/shape.h"
#include "base/types.h"

namespace fastgd {

// Where every tensor, parameter and slot begins.
constexpr Index kAlignment = 64;

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(Index bytes) : size_(bytes) {
    if (bytes == 0) return;
    const auto rounded = static_cast<std::size_t>(round_up(bytes, kAlignment));
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded)));
    if (!data_) throw std::bad_alloc();
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
