// Gathering samples: one conversion per sample, or per run of samples where neither order nor strides break it up.
#include "engine/feed.h"

#include <algorithm>
#include <type_traits>

#include "base/fetch.h"
#include "base/half.h"

namespace fastgd {
namespace {

// Took 2 to 7 % off steps that hardly do more than gather from far memory (64-16-10 with batch 200, 784-16-10 with 32).
constexpr Index kBytesAhead = 2048, kMostAhead = 16;

Index item_size(Source source) {
  switch (source) {
    case Source::int8:
    case Source::uint8:
      return 1;
    case Source::float16:
    case Source::int16:
    case Source::uint16:
      return 2;
    case Source::float32:
    case Source::int32:
    case Source::uint32:
      return 4;
    default:
      return 8;
  }
}

template <class From>
std::int32_t read_int(const std::byte* p) {
  From value;
  __builtin_memcpy(&value, p, sizeof value);
  if constexpr (std::is_same_v<From, Half>)
    return static_cast<std::int32_t>(widen(value));
  else
    return static_cast<std::int32_t>(value);
}

// Calls item(element number, address) for every element of a strided sample, in C order, the last axis innermost.
template <class F>
void walk(const Feed& feed, std::size_t axis, const std::byte* p, Index& at, F& item) {
  if (axis == feed.shape.size()) {
    item(at++, p);
    return;
  }
  for (Index i = 0; i < feed.shape[axis]; ++i, p += feed.strides[axis]) walk(feed, axis + 1, p, at, item);
}

const std::byte* row_of(const Feed& feed, const Index* order, Index i) {
  return feed.data + (order == nullptr ? i : order[i]) * feed.row_stride;
}

// How many samples in a random order are asked for before they are read: some lines of memory at a time.
Index rows_ahead(Index bytes) { return std::clamp<Index>(kBytesAhead / std::max<Index>(1, bytes), 1, kMostAhead); }

template <class From>
void gather_ints_of(const Feed& feed, const Index* order, Index first, Index n, std::int32_t* y,
                    const Worker& who) noexcept {
  const Index size = feed.row_size;
  const Range part = who.share(n);
  std::int32_t* to = y + part.begin * size;
  for (Index i = part.begin; i < part.end; ++i, to += size) {
    const std::byte* row = row_of(feed, order, first + i);
    if (feed.contiguous) {
      for (Index e = 0; e < size; ++e) to[e] = read_int<From>(row + e * static_cast<Index>(sizeof(From)));
    } else {
      Index at = 0;
      auto item = [&](Index e, const std::byte* p) { to[e] = read_int<From>(p); };
      walk(feed, 0, row, at, item);
    }
  }
}

}  // namespace

void Feed::settle() {
  row_size = count(shape);
  adjacent = contiguous && row_stride == row_size * item_size(source);
}

bool Feed::lies_ready(Source wanted) const {
  const Index item = item_size(source);
  return source == wanted && contiguous && row_stride % item == 0 &&
         reinterpret_cast<std::uintptr_t>(data) % static_cast<std::uintptr_t>(item) == 0;
}

template <class T>
void gather(const Kernels<T>& kernels, const Feed& feed, const Index* order, Index first, Index n, T* y,
            const Worker& who, const Scaling<T>* scaling) noexcept {
  const Index size = feed.row_size, bytes = item_size(feed.source);
  const auto convert = [&](Index count, const std::byte* from, T* to) {
    if (scaling == nullptr) {
      kernels.convert(feed.source, count, from, to);
    } else {
      kernels.convert_scaled(feed.source, count, from, bytes, scaling->scale, scaling->offset, to);
    }
  };
  const Range part = who.share(n);
  T* to = y + part.begin * size;
  if (order == nullptr && feed.adjacent) {
    if (part.size() > 0) convert(part.size() * size, row_of(feed, nullptr, first + part.begin), to);
    return;
  }
  const Index ahead = rows_ahead(size * bytes);
  for (Index i = part.begin; i < part.end; ++i, to += size) {
    const std::byte* row = row_of(feed, order, first + i);
    if (order != nullptr && i + ahead < part.end) fetch_soon(row_of(feed, order, first + i + ahead), size * bytes);
    if (feed.contiguous) {
      convert(size, row, to);
    } else {
      Index at = 0;
      auto item = [&](Index e, const std::byte* p) { convert(1, p, to + e); };
      walk(feed, 0, row, at, item);
    }
  }
}

template void gather(const Kernels<float>&, const Feed&, const Index*, Index, Index, float*, const Worker&,
                     const Scaling<float>*) noexcept;
template void gather(const Kernels<double>&, const Feed&, const Index*, Index, Index, double*, const Worker&,
                     const Scaling<double>*) noexcept;

void gather_ints(const Feed& feed, const Index* order, Index first, Index n, std::int32_t* y,
                 const Worker& who) noexcept {
  switch (feed.source) {
    case Source::float16:
      return gather_ints_of<Half>(feed, order, first, n, y, who);
    case Source::float32:
      return gather_ints_of<float>(feed, order, first, n, y, who);
    case Source::float64:
      return gather_ints_of<double>(feed, order, first, n, y, who);
    case Source::int8:
      return gather_ints_of<std::int8_t>(feed, order, first, n, y, who);
    case Source::int16:
      return gather_ints_of<std::int16_t>(feed, order, first, n, y, who);
    case Source::int32:
      return gather_ints_of<std::int32_t>(feed, order, first, n, y, who);
    case Source::int64:
      return gather_ints_of<std::int64_t>(feed, order, first, n, y, who);
    case Source::uint8:
      return gather_ints_of<std::uint8_t>(feed, order, first, n, y, who);
    case Source::uint16:
      return gather_ints_of<std::uint16_t>(feed, order, first, n, y, who);
    case Source::uint32:
      return gather_ints_of<std::uint32_t>(feed, order, first, n, y, who);
    default:
      return gather_ints_of<std::uint64_t>(feed, order, first, n, y, who);
  }
}

}  // namespace fastgd
