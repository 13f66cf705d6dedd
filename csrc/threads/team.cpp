// The threads of one run; the only file that includes <omp.h>.
#include "threads/team.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>

#include "base/check.h"
#include "base/subnormals.h"
#include "threads/limits.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fastgd {
namespace {

std::atomic<int> chosen_threads{0};  // 0: not chosen
std::atomic<bool> forked{false};

void pause() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Some 50 us, the length of an uneven step; hardly any where threads outnumber cores.
constexpr int kSpins = 4000;
constexpr int kSpinsWithoutCores = 20;

const int kForkHandler = pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });

}  // namespace

Barrier::Barrier(int size) : size_(size), spins_(size <= available_threads() ? kSpins : kSpinsWithoutCores) {}

void Barrier::wait() noexcept {
  const int generation = generation_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    arrived_.store(0, std::memory_order_relaxed);
    // Sequentially consistent, as is the sleeper's side: either it is counted here or it sees the new generation.
    generation_.store(generation + 1);
    if (sleepers_.load() > 0) generation_.notify_all();
    return;
  }
  for (int spin = 0; spin < spins_; ++spin) {
    if (generation_.load(std::memory_order_acquire) != generation) return;
    pause();
  }
  sleepers_.fetch_add(1);
  generation_.wait(generation);
  sleepers_.fetch_sub(1);
}

bool is_forked_child() { return kForkHandler == 0 && forked.load(std::memory_order_relaxed); }

int available_threads() {
  static const int n = std::max(1, std::min({affinity_cores(), cgroup_cores(), physical_cores()}));
  return n;
}

int num_threads() {
  if (is_forked_child()) return 1;
  const int chosen = chosen_threads.load(std::memory_order_relaxed);
  if (chosen > 0) return chosen;
  static const int by_default = [] {
    const int asked = requested_threads();
    return asked > 0 ? asked : available_threads();
  }();
  return by_default;
}

void set_num_threads(int n) {
  check(n >= 1 && n <= 1024, "`num_threads` must be from 1 to 1024. Received: num_threads=", n);
  chosen_threads.store(n, std::memory_order_relaxed);
}

const char* openmp_runtime() {
#if defined(__clang__)
  return "libomp";
#else
  return "libgomp";
#endif
}

void run_team(int size, void (*work)(void* state, const Worker& who), void* state) noexcept {
  if (size <= 1 || is_forked_child()) {
    work(state, Worker{});
    return;
  }
  Barrier barrier(size);
  // A thread that begins here inherits the caller's mode and would keep it.
  const bool zero = SubnormalScope::are_zero();
  const SubnormalScope ordinary(false);
  // Decided in the region: the runtime may give fewer threads than asked (OMP_THREAD_LIMIT, nested regions).
  std::atomic<int> got{0};
#pragma omp parallel num_threads(size)
  {
    const SubnormalScope as_the_caller(zero);
    const int here = omp_get_num_threads();
    if (here == size) {
      work(state, Worker{omp_get_thread_num(), size, &barrier});
    } else if (omp_get_thread_num() == 0) {
      got.store(here, std::memory_order_relaxed);
    }
  }
  // One thread instead of the fewer that came: correct whatever the runtime decides, and results are the same.
  if (got.load(std::memory_order_relaxed) != 0) work(state, Worker{});
}

}  // namespace fastgd
