// Trials of team sizes: a first round of all, then long stretches of the best with short looks at the others.
#include "engine/team_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fastgd {
namespace {

constexpr Index kForever = std::numeric_limits<Index>::max();
// Some 300 us on one core: long beside a meeting and a look at the clock.
constexpr double kTrialWork = 1.5e7;
constexpr Index kLeastTrial = 2, kMostTrial = 256;
// Trials that the best is kept for. It may have been chosen while another program was busy for some milliseconds, so
// that a first look at the others must come soon. A look at a team twice as slow costs 8 % at first and 0.1 % in the
// end.
constexpr Index kKept = 25, kMostKept = 2000;
// What another team must save to become the best.
constexpr double kWorthIt = 0.95;
// From this much work per batch on, every team of a machine gains: 0.5 ms on two cores.
constexpr double kSureWork = 1e8;

}  // namespace

TeamChoice::TeamChoice(int most, double work) : most_(most), left_(kForever) {
  if (most <= 1) return;
  if (work >= kSureWork) {
    *this = always(most);
    return;
  }
  teams_ = {most};
  for (int half = most / 2; half > 1; half /= 2) teams_.push_back(half);
  teams_.push_back(1);
  cost_.assign(teams_.size(), std::numeric_limits<double>::infinity());
  trial_ = std::clamp(static_cast<Index>(std::ceil(kTrialWork / std::max(work, 1.0))), kLeastTrial, kMostTrial);
  kept_ = kKept;
  phase_ = Phase::warm_up;
  try_team(0, trial_);
}

TeamChoice TeamChoice::always(int team) {
  TeamChoice choice(1, 0);
  choice.most_ = team;
  choice.teams_ = {team};
  return choice;
}

void TeamChoice::try_team(std::size_t which, Index batches) {
  trying_ = which;
  left_ = batches;
  done_ = 0;
  elapsed_ = 0;
}

void TeamChoice::ran(Index batches, double seconds) {
  if (phase_ == Phase::settled) return;
  left_ -= batches;
  done_ += batches;
  elapsed_ += seconds;
  if (left_ > 0) return;
  // The first batches of another team wake threads and fill their caches.
  if (phase_ == Phase::warm_up || phase_ == Phase::wake) {
    phase_ = phase_ == Phase::wake ? Phase::check : Phase::first_round;
    try_team(trying_, trial_);
    return;
  }
  cost_[trying_] = elapsed_ / static_cast<double>(done_);
  if (phase_ == Phase::first_round && trying_ + 1 < teams_.size()) {
    try_team(trying_ + 1, trial_);
    return;
  }
  if (phase_ == Phase::keep) {
    phase_ = Phase::wake;
    do next_ = (next_ + 1) % teams_.size();
    while (next_ == best_);
    try_team(next_, trial_);
    return;
  }
  if (phase_ == Phase::first_round) {
    best_ = static_cast<std::size_t>(std::min_element(cost_.begin(), cost_.end()) - cost_.begin());
  } else if (cost_[trying_] < kWorthIt * cost_[best_]) {
    best_ = trying_;
    kept_ = kKept;
  } else {
    kept_ = std::min(2 * kept_, kMostKept);
  }
  phase_ = Phase::keep;
  try_team(best_, kept_ * trial_);
}

}  // namespace fastgd
