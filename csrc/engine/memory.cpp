// The arena's layout by first fit over decreasing sizes.
#include "engine/memory.h"

#include <algorithm>
#include <numeric>

#include "base/buffer.h"

namespace fastgd {

ArenaLayout lay_out(const std::vector<Lifetime>& buffers) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  ArenaLayout layout;
  layout.offsets.assign(buffers.size(), 0);
  std::vector<std::size_t> placed;  // sorted by offset
  for (std::size_t i : order) {
    const Lifetime& b = buffers[i];
    const Index bytes = round_up(b.bytes, kAlignment);
    Index offset = 0;
    for (std::size_t j : placed) {
      const Lifetime& other = buffers[j];
      if (other.last < b.first || b.last < other.first) continue;
      if (layout.offsets[j] >= offset + bytes) break;
      offset = std::max(offset, layout.offsets[j] + round_up(other.bytes, kAlignment));
    }
    layout.offsets[i] = offset;
    layout.bytes = std::max(layout.bytes, offset + bytes);
    const auto at = std::upper_bound(placed.begin(), placed.end(), i, [&](std::size_t a, std::size_t c) {
      return layout.offsets[a] < layout.offsets[c];
    });
    placed.insert(at, i);
  }
  return layout;
}

}  // namespace fastgd
