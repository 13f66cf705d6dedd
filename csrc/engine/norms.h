// Norms of gradients for clipping, summed in blocks that threads share: no bit hangs on the number of threads.
#pragma once

#include <vector>

#include "threads/team.h"

namespace fastgd {

class Norms {
 public:
  struct Block {
    Index begin = 0;  // in the flat gradient
    Index size = 0;
  };

  // For the norm of each parameter, or of all of them together. `params`: where each lies in the flat gradient.
  Norms(double limit, bool together, const std::vector<Range>& params);

  // Calls square(begin, size), which returns a sum of squares, for this worker's share of the blocks. The factors may
  // be asked for when the team has met.
  template <class F>
  void measure(const Worker& who, F&& square) noexcept {
    const Range mine = who.share(static_cast<Index>(blocks_.size()));
    for (auto i = static_cast<std::size_t>(mine.begin); i < static_cast<std::size_t>(mine.end); ++i)
      squares_[i] = square(blocks_[i].begin, blocks_[i].size);
  }

  bool together() const { return together_; }
  // What the gradient of all parameters, or of one of them, is multiplied by, so that its norm is at most the limit.
  double factor() const noexcept { return factor(0, squares_.size()); }
  double factor(std::size_t param) const noexcept { return factor(first_[param], first_[param + 1]); }

 private:
  double factor(std::size_t begin, std::size_t end) const noexcept;

  double limit_;
  bool together_;
  std::vector<Block> blocks_;
  std::vector<std::size_t> first_;  // the first block of each parameter, and the end
  std::vector<double> squares_;     // one per block
};

}  // namespace fastgd
