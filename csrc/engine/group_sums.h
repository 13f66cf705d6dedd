// The sum of the gradients of the groups of a batch, along a tree that does not hang on the team.
#pragma once

#include <algorithm>

#include "base/buffer.h"
#include "engine/update.h"
#include "threads/team.h"

namespace fastgd {

// Groups, a power of two of them, are added in pairs, the pairs in pairs, and so on. Where one thread has made all
// groups of a branch, it adds them up on its own, while they are in its caches: what has to travel to other threads is
// a sum.
template <class T>
class GroupSums {
 public:
  static constexpr Index kMostGroups = 32;
  // Room that a sum of some elements needs.
  static constexpr Index kSpare = 5 * kUpdatePiece;

  // `first` and `others`: the gradient of group 0, and those of the others, one behind another.
  GroupSums(const Kernels<T>& kernels, Index groups, int team, T* first, T* others, Index size)
      : kernels_(kernels), groups_(groups), team_(team), first_(first), others_(others), size_(size) {}

  // Adds up the branches that this worker has made alone, each into its first group; before the team meets.
  void join(const Worker& who) const noexcept {
    // A team of one adds them up in the update, where each piece is in the first cache.
    if (team_ == 1) return;
    alignas(kAlignment) T spare[kSpare];
    const Range mine = who.share(groups_);
    for (Index group = mine.begin, span = 1; group < mine.end; group += span) {
      span = 1;
      while (group % (2 * span) == 0 && group + 2 * span <= mine.end) span *= 2;
      for (Index at = 0; at < size_ && span > 1; at += kUpdatePiece)
        add_up(group, span, false, at, std::min(kUpdatePiece, size_ - at), gradient(group) + at, spare);
    }
  }

  // The sums of the elements at .. at + n, at most kUpdatePiece, of all groups, after the team has met: in `to` or
  // where they stand already. `to` may be those of the first group.
  const T* sum(Index at, Index n, T* to, T* spare) const noexcept {
    return add_up(0, groups_, team_ > 1, at, n, to, spare);
  }

 private:
  T* gradient(Index group) const { return group == 0 ? first_ : others_ + (group - 1) * size_; }

  bool made_by_one(Index group, Index span) const {
    for (int rank = 0; rank < team_; ++rank) {
      const Range share = Worker{rank, team_, nullptr}.share(groups_);
      if (share.begin <= group && group < share.end) return group + span <= share.end;
    }
    return false;
  }

  const T* add_up(Index group, Index span, bool joined, Index at, Index n, T* to, T* spare) const noexcept {
    if (span == 1 || (joined && made_by_one(group, span))) return gradient(group) + at;
    const Index half = span / 2;
    const T* const left = add_up(group, half, joined, at, n, to, spare);
    const T* const right = add_up(group + half, half, joined, at, n, spare, spare + kUpdatePiece);
    kernels_.add(n, left, right, to);
    return to;
  }

  const Kernels<T>& kernels_;
  Index groups_;
  int team_;
  T* first_;
  T* others_;
  Index size_;
};

}  // namespace fastgd
