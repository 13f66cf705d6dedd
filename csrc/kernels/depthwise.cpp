// Depthwise convolutions: vectors over the channels, several outputs of a row in registers, so that a weight serves all
// of them and, with three neighbouring taps, a column of x all the outputs that it is part of.
//
// The sum of an output runs over the rows of the kernel and then over the taps, in whatever tile it is made.
#include "kernels/families.h"
#include "simd/math.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// --- which outputs make a tile ---------------------------------------------------------------------

// The taps of a tile: any number at any distance, or three neighbours, `kStep` columns from output to output. In
// checked tiles columns outside of x are left out; in the others there are none.
template <bool kChecked>
struct AnyTaps {
  using Any = AnyTaps;
};
template <bool kChecked, int kStep>
struct ThreeTaps {
  using Any = AnyTaps<kChecked>;
};

// What runs for 8, 4, 2 or 1 outputs of a line, from a number on.
template <class Job>
using Tile = void (*)(const Job& job, Index at) noexcept;

template <class Job>
struct Tiles {
  Tile<Job> eight, four, two, one;
};

template <template <class, int, class> class Run, class T, int kOutputs, class Taps, class Job>
[[gnu::noinline]] void run_rest(const Job& job, Index at, Index channel) noexcept {
  Run<T, kOutputs, Taps>::run(job, at, channel, Part{job.line.channels - channel});
}

// A last vector with fewer channels is rare: two outputs at once and one kind of taps are enough for it.
template <template <class, int, class> class Run, class T, int kOutputs, class Taps, class Job>
void run_tile(const Job& given, Index at) noexcept {
  const Job job = given;  // which no store can change
  Index c = 0;
  for (; c + kLanes<T> <= job.line.channels; c += kLanes<T>) Run<T, kOutputs, Taps>::run(job, at, c, Whole{});
  constexpr int kNarrow = kOutputs < 2 ? 1 : 2;
  if (c < job.line.channels)
    for (int j = 0; j < kOutputs; j += kNarrow) run_rest<Run, T, kNarrow, typename Taps::Any>(job, at + j, c);
}

template <template <class, int, class> class Run, class T, class Job, class Taps>
constexpr Tiles<Job> tiles_with(Taps) {
  return {&run_tile<Run, T, 8, Taps, Job>, &run_tile<Run, T, 4, Taps, Job>, &run_tile<Run, T, 2, Taps, Job>,
          &run_tile<Run, T, 1, Taps, Job>};
}

// The tiles of all outputs of a line; those of which some are before `begin` or behind `end` are checked.
template <class Job>
void run_tiles(const Tiles<Job>& inside, const Tiles<Job>& checked, const Job& job, Index begin, Index end) {
  const auto run = [&](Index at, Index count, Tile<Job> Tiles<Job>::* size) {
    (at >= begin && at + count <= end ? inside.*size : checked.*size)(job, at);
    return at + count;
  };
  const Index outputs = job.line.outputs;
  Index at = 0;
  while (at + 8 <= outputs) at = run(at, 8, &Tiles<Job>::eight);
  if (at + 4 <= outputs) at = run(at, 4, &Tiles<Job>::four);
  if (at + 2 <= outputs) at = run(at, 2, &Tiles<Job>::two);
  if (at < outputs) run(at, 1, &Tiles<Job>::one);
}

template <template <class, int, class> class Run, class T, class Job>
void run_line(const Job& job) noexcept {
  const DepthwiseLine& l = job.line;
  // The outputs that meet no column outside of x.
  const Index room = l.width - 1 - l.first - (l.taps > 0 ? l.taps - 1 : 0) * l.dilation;
  const Index begin = l.first >= 0 ? 0 : (l.step - 1 - l.first) / l.step;
  const Index end = room < 0 ? 0 : room / l.step + 1;
  const auto run = [&](auto inside, auto checked) {
    run_tiles(tiles_with<Run, T, Job>(inside), tiles_with<Run, T, Job>(checked), job, begin, end);
  };
  const bool three = l.taps == 3 && l.dilation == 1;
  if (three && l.step == 1) return run(ThreeTaps<false, 1>{}, ThreeTaps<true, 1>{});
  if (three && l.step == 2) return run(ThreeTaps<false, 2>{}, ThreeTaps<true, 2>{});
  run(AnyTaps<false>{}, AnyTaps<true>{});
}

// Calls f(output, x) for the outputs of a tile that tap t meets in a row, `first` being the column of tap 0.
template <class T, int kOutputs, bool kChecked, class W, class F>
FASTGD_INLINE void each_meeting(const DepthwiseLine& l, const T* row, Index column, W where, F f) {
#pragma GCC unroll 8
  for (int j = 0; j < kOutputs; ++j, column += l.step)
    if (!kChecked || (column >= 0 && column < l.width)) f(j, load<T>(row + column * l.x_col, where));
}

// Calls f(output, tap, x) for three neighbouring taps, the first at column `first` for output 0; each column of x is
// loaded once.
template <class T, int kOutputs, int kStep, bool kChecked, class W, class F>
FASTGD_INLINE void each_meeting_of_three(const DepthwiseLine& l, const T* row, Index first, W where, F f) {
  constexpr int kColumns = (kOutputs - 1) * kStep + 3;
  // Bit i: whether column first + i exists.
  const Index skip = first < 0 ? (first < -kColumns ? kColumns : -first) : 0;
  const Index room = l.width - first, end = room < 0 ? 0 : room < kColumns ? room : kColumns;
  const std::uint32_t exists = ((std::uint32_t{1} << end) - 1u) & ~((std::uint32_t{1} << skip) - 1u);
#pragma GCC unroll 32
  for (int i = 0; i < kColumns; ++i) {
    if (kChecked && (exists >> i & 1u) == 0) continue;
    const Vec<T> v = in_register<T>(load<T>(row + (first + i) * l.x_col, where));
#pragma GCC unroll 3
    for (int t = 0; t < 3; ++t)
      if (i >= t && (i - t) % kStep == 0 && (i - t) / kStep < kOutputs) f((i - t) / kStep, t, v);
  }
}

// --- outputs -----------------------------------------------------------------------------------------

template <class T>
struct OutputJob {
  DepthwiseLine line;
  const T* x;
  const T* w;
  T* y;
  // Where the sums start: element (j, c) at start[j * start_output + c * start_channel]; and what they end at least as.
  // No branches, because the compiler would make copies of the tiles for each way through them.
  const T* start;
  Index start_output, start_channel;
  T least;
};

template <class T, int kOutputs, bool kChecked, class W>
FASTGD_INLINE void add_row(const DepthwiseLine& l, AnyTaps<kChecked>, const T* x, const T* w, Index first, W where,
                           Vec<T>* sum) {
  for (Index t = 0; t < l.taps; ++t) {
    const Vec<T> weight = load<T>(w + t * l.w_tap, where);
    each_meeting<T, kOutputs, kChecked>(l, x, first + t * l.dilation, where,
                                        [&](int j, Vec<T> v) { sum[j] = fma(v, weight, sum[j]); });
  }
}

template <class T, int kOutputs, bool kChecked, int kStep, class W>
FASTGD_INLINE void add_row(const DepthwiseLine& l, ThreeTaps<kChecked, kStep>, const T* x, const T* w, Index first,
                           W where, Vec<T>* sum) {
  const Vec<T> weight[3] = {load<T>(w, where), load<T>(w + l.w_tap, where), load<T>(w + 2 * l.w_tap, where)};
  each_meeting_of_three<T, kOutputs, kStep, kChecked>(
      l, x, first, where, [&](int j, int t, Vec<T> v) { sum[j] = fma(v, weight[t], sum[j]); });
}

template <class T, int kOutputs, class Taps>
struct OutputTile {
  template <class W>
  static FASTGD_INLINE void run(const OutputJob<T>& job, Index at, Index c, W where) {
    const DepthwiseLine& l = job.line;
    const Index first = l.first + at * l.step;
    T* const y = job.y + at * l.y_col;
    Vec<T> sum[kOutputs];
    const T* const start = job.start + at * job.start_output + c * job.start_channel;
#pragma GCC unroll 8
    for (int j = 0; j < kOutputs; ++j) sum[j] = load<T>(start + j * job.start_output, where);
    const T* x = job.x + c;
    const T* w = job.w + c;
    for (Index r = 0; r < l.rows; ++r, x += l.x_row, w += l.w_row)
      add_row<T, kOutputs>(l, Taps{}, x, w, first, where, sum);
#pragma GCC unroll 8
    for (int j = 0; j < kOutputs; ++j)
      // The second argument where it is NaN.
      store<T>(y + j * l.y_col + c, max(splat<T>(job.least), sum[j]), where);
  }
};

template <class T>
constexpr T kZeros[kLanes<T>] = {};

template <class T>
void outputs_of(const DepthwiseLine& l, const T* x, const T* w, T* y, bool accumulate, const Epilogue<T>& epilogue) {
  const Activation function = epilogue.activation.function;
  const bool rectify = function == Activation::relu;
  OutputJob<T> job{l, x, w, y, kZeros<T>, 0, 0, rectify ? T(0) : -static_cast<T>(__builtin_inf())};
  if (accumulate) {
    job.start = y;
    job.start_output = l.y_col;
    job.start_channel = 1;
  } else if (epilogue.bias != nullptr) {
    job.start = epilogue.bias;
    job.start_channel = 1;
  }
  run_line<OutputTile, T>(job);
  if (rectify || function == Activation::linear) return;
  // The others are called for what lies in the cache, so that the many kinds of tile do not each hold all of them.
  const bool together = l.y_col == l.channels;
  for (Index j = 0; j < (together ? 1 : l.outputs); ++j)
    activation(epilogue.activation, (together ? l.outputs : 1) * l.channels, y + j * l.y_col, y + j * l.y_col);
}

// --- the gradient by the kernel ----------------------------------------------------------------------

template <class T>
struct GradientJob {
  DepthwiseLine line;
  const T* x;
  const T* dy;
  T* dw;
  T* db;
};

template <class T, class W>
FASTGD_INLINE void add_to(T* p, Vec<T> v, W where) {
  store<T>(p, load<T>(p, where) + v, where);
}

// One tap after the other, in two chains, so that a multiply-add need not wait for the one before it.
template <class T, int kOutputs, bool kChecked, class W>
FASTGD_INLINE void add_gradients(const DepthwiseLine& l, AnyTaps<kChecked>, const T* x, Index first, W where,
                                 const Vec<T>* d, T* dw) {
  for (Index t = 0; t < l.taps; ++t) {
    Vec<T> sum[2] = {};
    each_meeting<T, kOutputs, kChecked>(l, x, first + t * l.dilation, where,
                                        [&](int j, Vec<T> v) { sum[j % 2] = fma(v, d[j], sum[j % 2]); });
    add_to<T>(dw + t * l.w_tap, sum[0] + sum[1], where);
  }
}

template <class T, int kOutputs, bool kChecked, int kStep, class W>
FASTGD_INLINE void add_gradients(const DepthwiseLine& l, ThreeTaps<kChecked, kStep>, const T* x, Index first, W where,
                                 const Vec<T>* d, T* dw) {
  Vec<T> sum[3][2] = {};
  each_meeting_of_three<T, kOutputs, kStep, kChecked>(
      l, x, first, where, [&](int j, int t, Vec<T> v) { sum[t][j % 2] = fma(v, d[j], sum[t][j % 2]); });
#pragma GCC unroll 3
  for (int t = 0; t < 3; ++t) add_to<T>(dw + t * l.w_tap, sum[t][0] + sum[t][1], where);
}

template <class T, int kOutputs, class Taps>
struct GradientTile {
  template <class W>
  static FASTGD_INLINE void run(const GradientJob<T>& job, Index at, Index c, W where) {
    const DepthwiseLine& l = job.line;
    const Index first = l.first + at * l.step;
    const T* const dy = job.dy + at * l.y_col;
    Vec<T> d[kOutputs];
#pragma GCC unroll 8
    for (int j = 0; j < kOutputs; ++j) d[j] = load<T>(dy + j * l.y_col + c, where);
    if (job.db != nullptr) {
      Vec<T> sum[2] = {};
#pragma GCC unroll 8
      for (int j = 0; j < kOutputs; ++j) sum[j % 2] += d[j];
      add_to<T>(job.db + c, sum[0] + sum[1], where);
    }
    const T* x = job.x + c;
    T* dw = job.dw + c;
    for (Index r = 0; r < l.rows; ++r, x += l.x_row, dw += l.w_row)
      add_gradients<T, kOutputs>(l, Taps{}, x, first, where, d, dw);
  }
};

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                       \
  void depthwise(const DepthwiseLine& line, const T* x, const T* w, T* y, bool accumulate,             \
                 const Epilogue<T>& epilogue) noexcept {                                               \
    outputs_of(line, x, w, y, accumulate, epilogue);                                                   \
  }                                                                                                    \
  void depthwise_gradient(const DepthwiseLine& line, const T* x, const T* dy, T* dw, T* db) noexcept { \
    run_line<GradientTile, T>(GradientJob<T>{line, x, dy, dw, db});                                    \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
