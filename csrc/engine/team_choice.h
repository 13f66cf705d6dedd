// How many threads a batch runs on, found by trying: threads that share no cache can cost more than they bring.
#pragma once

#include <vector>

#include "base/types.h"

namespace fastgd {

// What a small batch gains from a second thread hangs on where the system has put the threads, and that changes while a
// program runs. Since results do not depend on the size of the team, each size is tried for some batches, the fastest
// is kept for a longer stretch, and then another gets its turn again.
class TeamChoice {
 public:
  TeamChoice() = default;
  // Chooses among teams of 1 to `most` threads for batches of `work` floating-point operations.
  TeamChoice(int most, double work);
  // A team that is never put to the question.
  static TeamChoice always(int team);

  int most() const { return most_; }
  // The team for the next batches, and for how many of them.
  int team() const { return teams_[trying_]; }
  Index batches() const { return left_; }
  // That many batches took so long, by team().
  void ran(Index batches, double seconds);

 private:
  void try_team(std::size_t which, Index batches);

  int most_ = 1;
  std::vector<int> teams_{1};
  std::vector<double> cost_{0.0};  // seconds per batch when last seen
  std::size_t trying_ = 0, best_ = 0, next_ = 0;
  enum class Phase { settled, warm_up, first_round, keep, wake, check } phase_ = Phase::settled;
  Index trial_ = 0, kept_ = 0;  // batches
  Index left_ = 0;
  Index done_ = 0;
  double elapsed_ = 0;
};

}  // namespace fastgd
