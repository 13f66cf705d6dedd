// Where the tensors of a program lie in one arena: buffers whose lifetimes do not meet share memory.
#pragma once

#include <vector>

#include "base/types.h"

namespace fastgd {

// A buffer that is alive from position `first` to position `last` of the program, both included.
struct Lifetime {
  Index bytes = 0;
  Index first = 0;
  Index last = 0;
};

struct ArenaLayout {
  std::vector<Index> offsets;  // in bytes, aligned
  Index bytes = 0;
};

// Places the largest buffers first, each at the lowest offset that no living buffer holds.
ArenaLayout lay_out(const std::vector<Lifetime>& buffers);

}  // namespace fastgd
