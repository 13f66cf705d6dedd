// Measuring what the machine can do, and looking over data before a run.
#include "engine/probe.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "base/buffer.h"
#include "base/check.h"
#include "dispatch/dispatch.h"

namespace fastgd {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The best of repeated runs of `work(worker)`, in units of what it returns per second, within about `seconds`.
template <class F>
double best_rate(int threads, double seconds, F work) {
  check(threads >= 1, "`threads` must be at least 1. Received: threads=", threads);
  check(seconds > 0 && seconds <= 60, "`seconds` must be above 0 and at most 60. Received: seconds=", seconds);
  double best = 0;
  const auto start = Clock::now();
  do {
    std::vector<double> done(static_cast<std::size_t>(threads));
    const auto begun = Clock::now();
    run_team(threads, [&](const Worker& who) { done[static_cast<std::size_t>(who.rank)] = work(who); });
    double total = 0;
    for (double d : done) total += d;
    best = std::max(best, total / since(begun));
  } while (since(start) < seconds);
  return best;
}

}  // namespace

template <class T>
double peak_flops(const KernelTable& table, int threads, double seconds, bool loads) {
  constexpr Index kRounds = 200000;
  const Kernels<T>& k = table.of<T>();
  return best_rate(threads, seconds, [&](const Worker&) {
    alignas(kAlignment) T operands[64];
    for (int i = 0; i < 64; ++i) operands[i] = T(1) / static_cast<T>(i + 1);
    T sink[64] = {};
    return loads ? k.loaded_fma_probe(kRounds, operands, sink) : k.fma_probe(kRounds, sink);
  });
}

template double peak_flops<float>(const KernelTable&, int, double, bool);
template double peak_flops<double>(const KernelTable&, int, double, bool);

double bandwidth(int threads, double seconds) {
  // Four times a large last-level cache in all, so that nothing is found there again.
  constexpr Index kElements = Index{1} << 25;
  const Kernels<float>& k = kernel_table().f32;
  const Buffer a(kElements * 4), b(kElements * 4), c(kElements * 4);
  const auto floats = [](const Buffer& buffer) { return reinterpret_cast<float*>(buffer.data()); };
  return best_rate(threads, seconds, [&](const Worker& who) {
    const Range part = who.share(kElements, 1024);
    k.triad(part.size(), 3.0f, floats(b) + part.begin, floats(c) + part.begin, floats(a) + part.begin);
    return 12.0 * static_cast<double>(part.size());
  });
}

namespace {

template <class T>
bool finite(const Kernels<T>& kernels, const Feed& feed) {
  const Index size = feed.row_size;
  const bool same = feed.source == kSourceOf<T>;
  if (same && feed.contiguous && feed.row_stride == size * static_cast<Index>(sizeof(T)))
    return kernels.all_finite(feed.rows * size, reinterpret_cast<const T*>(feed.data));
  // A row at a time through a small buffer, so that no strided set is ever copied whole.
  std::vector<T> row(static_cast<std::size_t>(size));
  for (Index i = 0; i < feed.rows; ++i) {
    gather(kernels, feed, nullptr, i, 1, row.data(), Worker{});
    if (!kernels.all_finite(size, row.data())) return false;
  }
  return true;
}

}  // namespace

bool feed_is_finite(const Feed& feed) {
  const KernelTable& table = kernel_table();
  if (feed.source == Source::float16 || feed.source == Source::float32) return finite(table.f32, feed);
  if (feed.source == Source::float64) return finite(table.f64, feed);
  return true;
}

}  // namespace fastgd
