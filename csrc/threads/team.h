// The threads of one run: how many, how they meet, and how they share work so that results do not depend on their
// number.
#pragma once

#include <algorithm>
#include <atomic>
#include <type_traits>

#include "base/types.h"

namespace fastgd {

// All threads of a team wait here for one another. They spin for as long as an uneven step may last, then sleep: the
// thread that is missing may be waiting for this one's core.
class Barrier {
 public:
  explicit Barrier(int size);
  void wait() noexcept;

 private:
  const int size_;
  const int spins_;
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<int> generation_{0};
  alignas(64) std::atomic<int> sleepers_{0};
};

struct Range {
  Index begin = 0;
  Index end = 0;
  Index size() const { return end - begin; }
};

// One thread's place in its team.
struct Worker {
  int rank = 0;
  int size = 1;
  Barrier* barrier = nullptr;  // null for a team of one

  void sync() const noexcept {
    if (size > 1) barrier->wait();
  }

  // This thread's part of `total` items, cut at multiples of `grain`. The parts of all ranks tile the whole.
  Range share(Index total, Index grain = 1) const noexcept {
    // The common case of small networks, for which two divisions are a lot.
    if (size == 1) return {0, total};
    const Index grains = (total + grain - 1) / grain;
    return {std::min(total, grains * rank / size * grain), std::min(total, grains * (rank + 1) / size * grain)};
  }
};

// The threads this process may use by default: the least of the CPU affinity, the cgroup quota and the physical cores.
int available_threads();

// What the user chose, OMP_NUM_THREADS, or available_threads(). Always 1 in a forked child: libgomp's workers do not
// survive a fork.
int num_threads();
void set_num_threads(int n);

// Whether this process was forked from one that had loaded the core.
bool is_forked_child();

// The OpenMP runtime's name and version, for reports.
const char* openmp_runtime();

// Runs `work(worker)` on a team of `size` threads, or directly when size is 1. `work` must not throw. What counts as
// zero for the calling thread does so for the others (base/subnormals.h).
void run_team(int size, void (*work)(void* state, const Worker& who), void* state) noexcept;

template <class F>
void run_team(int size, F&& work) noexcept {
  run_team(
      size, [](void* state, const Worker& who) { (*static_cast<std::remove_reference_t<F>*>(state))(who); },
      const_cast<void*>(static_cast<const void*>(&work)));
}

}  // namespace fastgd
