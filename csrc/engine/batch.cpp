// How a batch is cut into groups of samples, and where each group works.
#include "engine/batch.h"

#include <algorithm>

#include "engine/group_sums.h"

namespace fastgd {
namespace {

// A group costs a pass over the gradient, whose product wants rows to sum over. Few rows pay where all gradients
// together fit into half of a second cache, many rows also where they lie in the third one: then the tensors of a group
// find room in the second.
struct Bounds {
  Index least_rows, gradient_bytes;
};
constexpr Bounds kBounds[] = {{16, 512 * 1024}, {128, 4 * 1024 * 1024}};
// Times the work that pays for a thread, what a group has at least: 20-64-32-5 with batch 32 loses on one thread what
// it gains on two.
constexpr double kTeamsWork = 2;

template <class T>
Index count_groups(const Program<T>& whole, Index gradient_size, double team_work) {
  // Without a price for threads every instruction is shared out instead.
  if (whole.couples_samples() || team_work <= 0) return 1;
  const Index bytes = std::max<Index>(1, gradient_size * static_cast<Index>(sizeof(T)));
  const double by_work = whole.work() / (kTeamsWork * team_work);
  Index most = 1;
  for (const Bounds& b : kBounds)
    most = std::max(most, std::min(whole.slice().rows / b.least_rows, b.gradient_bytes / bytes));
  most = std::min({most, GroupSums<T>::kMostGroups, static_cast<Index>(std::min(by_work, 1e6))});
  // A power of two, so that teams get equal shares.
  Index groups = 1;
  while (2 * groups <= most) groups *= 2;
  return groups;
}

}  // namespace

template <class T>
Batch<T>::Batch(const Plan& plan, const Wiring& wiring, const std::vector<Index>& gradient_offsets, Index gradient_size,
                const KernelTable& table, Mode mode, Index rows, double team_work, bool streams)
    : rows_(rows), gradient_size_(gradient_size), team_work_(team_work) {
  const auto compile = [&](Slice slice) {
    return std::make_unique<Program<T>>(plan, wiring, gradient_offsets, table, mode, slice, team_work, streams);
  };
  auto whole = compile({0, rows, rows});
  work_ = whole->work();
  const Index groups = count_groups(*whole, gradient_size, team_work);
  if (groups == 1) {
    programs_.push_back(std::move(whole));
    return;
  }
  for (Index g = 0; g < groups; ++g) {
    const Index first = rows * g / groups;
    programs_.push_back(compile({first, rows * (g + 1) / groups - first, rows}));
  }
  if (mode == Mode::train) gradients_ = Buffer(multiply(multiply(gradient_size, groups - 1), sizeof(T)));
}

template <class T>
int Batch<T>::useful_threads() const {
  return grouped() ? static_cast<int>(groups()) : programs_[0]->useful_threads();
}

template <class T>
TeamChoice& Batch<T>::choice(int most) {
  most = std::min(most, useful_threads());
  // Without a price for threads, as tests want it, there is nothing to choose. What rows that are updated late cost
  // comes in other batches than what makes them late, so that trials would not show it; such tables are large.
  const std::vector<bool>& late = programs_[0]->late();
  const bool tries = team_work_ > 0 && std::find(late.begin(), late.end(), true) == late.end();
  if (choice_.most() != most || choice_.batches() == 0)
    choice_ = tries ? TeamChoice(most, work_) : TeamChoice::always(most);
  return choice_;
}

template <class T>
Index Batch<T>::slot_bytes() const {
  Index most = 0;
  for (const auto& p : programs_) most = std::max(most, p->arena_bytes());
  // Neighbouring lines are fetched in pairs: two threads must not share one.
  return round_up(most, 2 * kAlignment);
}

template <class T>
Index Batch<T>::arena_bytes(int team) const {
  return grouped() ? multiply(slot_bytes(), team) : programs_[0]->arena_bytes();
}

template <class T>
void Batch<T>::attach(int team, std::byte* arena, const std::vector<T*>& params, T* gradient,
                      const std::vector<GradientSink<T>>& sinks) {
  team_ = team;
  if (!grouped()) {
    program().attach(arena, params, gradient, sinks);
    return;
  }
  const Index bytes = slot_bytes();
  for (int rank = 0; rank < team; ++rank) {
    const Range mine = Worker{rank, team, nullptr}.share(groups());
    for (Index g = mine.begin; g < mine.end; ++g)
      program(g).attach(arena + rank * bytes, params, g == 0 || gradients_.size() == 0 ? gradient : this->gradient(g),
                        sinks);
  }
}

template class Batch<float>;
template class Batch<double>;

}  // namespace fastgd
