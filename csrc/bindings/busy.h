// One run at a time per executor: a second thread waits, a forked child and a nested call get an error instead of a
// hang.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/check.h"

namespace fastgd {

class Busy {
 public:
  // Held for the length of one call. Waiting happens in `wait`, which the caller runs without the GIL.
  class Hold {
   public:
    explicit Hold(Busy& busy) : busy_(busy) {}
    ~Hold() { busy_.release(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Busy& busy_;
  };

  bool try_acquire() {
    int free = 0;
    if (!owner_.compare_exchange_strong(free, getpid(), std::memory_order_acquire)) return false;
    thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    return true;
  }

  void wait() {
    while (!try_acquire()) {
      if (owner_.load(std::memory_order_relaxed) != getpid() && owner_.load(std::memory_order_relaxed) != 0)
        misuse("The model was running in the parent process when this process was forked; build it anew here.");
      if (thread_.load(std::memory_order_relaxed) == std::this_thread::get_id())
        misuse("The model is already running in this thread.");
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }

 private:
  void release() {
    thread_.store(std::thread::id{}, std::memory_order_relaxed);
    owner_.store(0, std::memory_order_release);
  }

  std::atomic<int> owner_{0};
  std::atomic<std::thread::id> thread_{};
};

}  // namespace fastgd
