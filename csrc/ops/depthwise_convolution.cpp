// depthwise_convolution: each channel by kernels of its own, y = f(sum x kernel + bias), along one or two spatial axes.
//
// Both passes go through the batch once. A unit is what is worked on at a time: a row of outputs, or a stretch of them
// where there is one spatial axis, with the inputs that no later unit needs. Backward does to a unit all there is to do
// while it is in the cache: the derivative of f in place on dy, the sums for kernel and bias, the gradient of x.
#include <cstring>

#include "base/buffer.h"
#include "base/fetch.h"
#include "ops/register.h"
#include "ops/taps.h"

namespace fastgd {
namespace {

// Samples, or parts of samples, that have partial sums of their own: as many as there may be threads.
constexpr Index kBlocks = 32;
// Fewer samples are cut into parts, for the threads.
constexpr Index kManySamples = 16;
// Elements of a stretch: with its input it fits the first cache.
constexpr Index kStretch = 4096;
// Bytes of x from which on it is read in order first: half of that lies in a third cache and is slower with it, three
// times as much takes half to three quarters of the time (kernels.convolution, 14x14x256 and 56x56x64, batch 32).
constexpr Index kFar = 8 * 1024 * 1024;
// Outputs that are spread or gathered at once where a channel has several kernels.
constexpr Index kRun = 16;

template <class T>
class DepthwiseConvolution final : public Op<T> {
 public:
  explicit DepthwiseConvolution(const OpSetup& s) : activation_(parse_fused_activation<T>(s.attrs)) {
    s.expect_inputs(1);
    s.expect_params(1, 2);
    const Shape& x = s.inputs[0].shape;
    const Shape& w = s.params[0];
    check(w.size() == 3 || w.size() == 4, "the kernel has one or two spatial axes. Received: ", to_string(w));
    const std::size_t axes = w.size() - 2;
    check(x.size() == w.size(), "input ", to_string(x), " does not fit the kernel ", to_string(w));
    const Windows windows = parse_windows(s.attrs, std::span(x).subspan(1, axes), std::span(w).first(axes), true);
    channels_ = w[w.size() - 2];
    many_ = w.back();
    check(channels_ == x.back() && many_ >= 1, "input ", to_string(x), " does not fit the kernel ", to_string(w));
    biased_ = s.params.size() == 2;
    if (biased_)
      check(s.params[1] == Shape{channels_ * many_}, "bias ", to_string(s.params[1]), " does not fit the kernel ",
            to_string(w));
    rows_ = windows[1], cols_ = windows[2];
    samples_ = x[0];
    above_ = windows_of_first_elements(rows_);
    beside_ = windows_of_first_elements(cols_);
    stretch_ = axes == 2 ? cols_.out : std::max<Index>(kRun, kStretch / std::max<Index>(1, width()));
    units_ = axes == 2 ? rows_.out : (cols_.out + stretch_ - 1) / stretch_;
    far_ = axes == 2 && count(x) * static_cast<Index>(sizeof(T)) > kFar;
    parts_ =
        samples_ >= kManySamples ? 1 : std::min(units_, (kManySamples + samples_ - 1) / std::max<Index>(1, samples_));
    describe(with_sizes(x, output_sizes(windows, axes), width()));
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Weights weights = arrange(c, who);
    const Index all = samples_ * units_, blocks = std::min(kBlocks, all);
    const Range mine = who.share(blocks);
    for (Index b = mine.begin; b < mine.end; ++b)
      for (Index i = all * b / blocks; i < all * (b + 1) / blocks; ++i) {
        const Index sample = i / units_, unit = i % units_;
        fetch_inputs(c, sample, unit);
        outputs(c, weights, sample, unit, run_space(c, b));
      }
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Weights weights = arrange(c, who);
    const bool sums = c.dw[0] != nullptr || (biased_ && c.dw[1] != nullptr);
    const Index all = samples_ * parts_, blocks = sums_blocks();
    const Range mine = who.share(blocks);
    // What two threads have in common, the neighbourhood of a cut through a sample, must be ready before.
    const bool early = parts_ > 1 && (many_ > 1 || activation_.function != Activation::linear);
    if (early) {
      for (Index b = mine.begin; b < mine.end; ++b)
        each_unit(all * b / blocks, all * (b + 1) / blocks,
                  [&](Index sample, Index unit) { differentiate(c, sample, unit, run_space(c, b)); });
      who.sync();
    }
    for (Index b = mine.begin; b < mine.end; ++b) {
      T* const sum = partial(c, b);
      if (sums) std::fill_n(sum, partial_size(), T{0});
      each_unit(all * b / blocks, all * (b + 1) / blocks, [&](Index sample, Index unit) {
        if (sums) fetch_inputs(c, sample, unit);
        if (far_) read_through(c.dy[0] + y_at(sample, unit_at(unit)), cols_.out * width());
        if (!early) differentiate(c, sample, unit, run_space(c, b));
        if (sums) add_sums(c, sample, unit, sum);
        if (c.dx[0] != nullptr) input_gradient(c, weights, sample, unit);
      });
    }
    if (!sums) return;
    who.sync();
    join(c, blocks, who);
  }

 private:
  // Kernel and bias with the channels last: those of a channel's several kernels lie one set after the other.
  struct Weights {
    const T* kernel;
    const T* bias;
  };

  // Outputs of a unit in their row, and the inputs that go with them.
  struct Unit {
    Index row;                  // of outputs
    Index from, to;             // outputs
    Index first_row, last_row;  // of inputs, the last one excluded
    Index first_col, last_col;
  };

  Index width() const { return channels_ * many_; }
  Index kernel_size() const { return rows_.window * cols_.window * width(); }
  Index partial_size() const { return round_up(kernel_size() + width(), kAlignment / static_cast<Index>(sizeof(T))); }
  Index sums_blocks() const { return std::min(kBlocks, samples_ * parts_); }
  // Scratch, in elements: where they are needed, weights in another order and the run of each block, then the sums.
  Index arranged_size() const { return many_ > 1 ? partial_size() : 0; }
  Index run_size() const { return many_ > 1 ? kRun * width() : 0; }
  T* run_space(const Call<T>& c, Index block) const {
    return c.scratch_values() + arranged_size() + block * run_size();
  }
  T* partial(const Call<T>& c, Index block) const { return run_space(c, kBlocks) + block * partial_size(); }

  void describe(const Shape& y) {
    auto& t = this->traits;
    t.outputs = {{y}};
    t.backward_reads_inputs = 1;
    t.backward_reads_outputs = activation_.function == Activation::linear ? 0 : 1;
    t.forward_scratch = multiply(arranged_size() + kBlocks * run_size(), sizeof(T));
    t.backward_scratch = t.forward_scratch + multiply(multiply(sums_blocks() + 1, partial_size()), sizeof(T));
    t.forward_work = 2.0 * static_cast<double>(rows_.window * cols_.window) * static_cast<double>(count(y));
    t.backward_work = 2 * t.forward_work;
  }

  // Calls f for the units of some parts of samples, the parts being numbered through the batch.
  template <class F>
  void each_unit(Index from, Index to, F f) const {
    for (Index part = from; part < to; ++part) {
      const Index sample = part / parts_, own = part % parts_;
      for (Index unit = units_ * own / parts_; unit < units_ * (own + 1) / parts_; ++unit) f(sample, unit);
    }
  }

  // The inputs of a unit are those that its windows are the last to cover; the last unit has all that remain.
  Unit unit_at(Index unit) const {
    const auto inputs_before = [](const WindowAxis& axis, Index o) {
      return o == 0 ? 0 : o >= axis.out ? axis.in : std::clamp<Index>(o * axis.stride - axis.before, 0, axis.in);
    };
    const bool by_rows = units_ == rows_.out && stretch_ >= cols_.out;
    if (by_rows) return {unit, 0, cols_.out, inputs_before(rows_, unit), inputs_before(rows_, unit + 1), 0, cols_.in};
    const Index from = unit * stretch_, to = std::min(from + stretch_, cols_.out);
    return {0, from, to, 0, rows_.in, inputs_before(cols_, from), inputs_before(cols_, to)};
  }

  const T* x_of(const Call<T>& c, Index sample) const { return c.x[0] + sample * rows_.in * cols_.in * channels_; }
  Index y_at(Index sample, const Unit& u) const {
    return ((sample * rows_.out + u.row) * cols_.out + u.from) * width();
  }

  // The line of a unit's outputs, and where its taps begin in a sample and in the kernel.
  struct Line {
    DepthwiseLine line;
    Index x, w;
  };
  Line line_of(const Unit& u) const {
    const Taps taps = elements_of(rows_, u.row).within(rows_.in);
    Line at;
    at.line = {.channels = channels_,
               .outputs = u.to - u.from,
               .rows = taps.count,
               .taps = cols_.window,
               .first = u.from * cols_.stride - cols_.before,
               .step = cols_.stride,
               .dilation = cols_.dilation,
               .width = cols_.in,
               .x_row = rows_.dilation * cols_.in * channels_,
               .x_col = channels_,
               .w_row = cols_.window * width(),
               .w_tap = width(),
               .y_col = width()};
    at.x = taps.place * cols_.in * channels_;
    at.w = taps.tap * at.line.w_row;
    return at;
  }

  // A tile reads all columns of a vector of channels before the next vector, an order in which the processor does not
  // guess what comes from far memory. So what a unit is the first to read is read in order before it: the new rows of
  // x.
  void fetch_inputs(const Call<T>& c, Index sample, Index unit) const noexcept {
    if (!far_) return;
    const Index end = std::min(rows_.in, unit * rows_.stride - rows_.before + (rows_.window - 1) * rows_.dilation + 1);
    const Index begin = std::max<Index>(0, end - rows_.stride), row = cols_.in * channels_;
    if (begin < end) read_through(x_of(c, sample) + begin * row, (end - begin) * row);
  }

  void outputs(const Call<T>& c, const Weights& weights, Index sample, Index unit, T* run) const noexcept {
    const Kernels<T>& k = *c.kernels;
    const Unit u = unit_at(unit);
    Line at = line_of(u);
    const T* const x = x_of(c, sample) + at.x;
    T* const y = c.y[0] + y_at(sample, u);
    if (many_ == 1) return k.depthwise(at.line, x, weights.kernel + at.w, y, false, {weights.bias, activation_});
    for (Index from = 0; from < u.to - u.from; from += kRun) {
      at.line.outputs = std::min(kRun, u.to - u.from - from);
      at.line.first = (u.from + from) * cols_.stride - cols_.before;
      for (Index j = 0; j < many_; ++j) {
        const Index own = j * channels_;
        k.depthwise(at.line, x, weights.kernel + at.w + own, run + own, false,
                    {weights.bias == nullptr ? nullptr : weights.bias + own, {}});
      }
      T* const to = y + from * width();
      for (Index o = 0; o < at.line.outputs; ++o) mix(k, run + o * width(), to + o * width());
      k.activation(activation_, at.line.outputs * width(), to, to);
    }
  }

  // The channels of one output from the order of the weights to that of y, and back.
  void mix(const Kernels<T>& k, const T* from, T* to) const {
    k.copy_strided(many_, channels_, from, channels_, 1, to, 1, many_);
  }
  void unmix(const Kernels<T>& k, const T* from, T* to) const {
    k.copy_strided(many_, channels_, from, 1, many_, to, channels_, 1);
  }

  Weights arrange(const Call<T>& c, const Worker& who) const noexcept {
    const T* const bias = biased_ ? c.w[1] : nullptr;
    if (many_ == 1) return {c.w[0], bias};
    T* const kernel = c.scratch_values();
    const Index taps = rows_.window * cols_.window;
    const Range part = who.share(taps + (biased_ ? 1 : 0));
    for (Index t = part.begin; t < part.end; ++t)
      unmix(*c.kernels, t == taps ? bias : c.w[0] + t * width(), kernel + t * width());
    who.sync();
    return {kernel, biased_ ? kernel + taps * width() : nullptr};
  }

  // dz = dy f'(y) in the place of dy, with the channels in the order of the weights.
  void differentiate(const Call<T>& c, Index sample, Index unit, T* run) const noexcept {
    const Kernels<T>& k = *c.kernels;
    const Unit u = unit_at(unit);
    T* const dz = c.dy[0] + y_at(sample, u);
    const Index size = (u.to - u.from) * width();
    if (activation_.function != Activation::linear)
      k.activation_backward(activation_, size, c.y[0] + y_at(sample, u), dz, dz);
    if (many_ == 1) return;
    for (Index o = 0; o < u.to - u.from; ++o) {
      std::memcpy(run, dz + o * width(), static_cast<std::size_t>(width()) * sizeof(T));
      unmix(k, run, dz + o * width());
    }
  }

  void add_sums(const Call<T>& c, Index sample, Index unit, T* sum) const noexcept {
    const Unit u = unit_at(unit);
    const Line at = line_of(u);
    for (Index own = 0; own < width(); own += channels_)
      c.kernels->depthwise_gradient(at.line, x_of(c, sample) + at.x, c.dy[0] + y_at(sample, u) + own, sum + at.w + own,
                                    biased_ ? sum + kernel_size() + own : nullptr);
  }

  // Inputs that lie a stride apart meet the same taps: they are the outputs of a line whose inputs are those of dz.
  void input_gradient(const Call<T>& c, const Weights& weights, Index sample, Index unit) const noexcept {
    const Unit u = unit_at(unit);
    const T* const dz = c.dy[0] + sample * rows_.out * cols_.out * width();
    T* const dx = c.dx[0] + sample * rows_.in * cols_.in * channels_;
    for (Index row = u.first_row; row < u.last_row; ++row) {
      Taps above = above_[static_cast<std::size_t>(row % rows_.stride)];
      above.place += row / rows_.stride;
      above = above.within(rows_.out);
      for (Index i = 0; i < std::min(cols_.stride, cols_.in); ++i) {
        const Taps& beside = beside_[static_cast<std::size_t>(i)];
        // The first column of this kind in the unit, and how many there are.
        const Index skip = (std::max<Index>(0, u.first_col - i) + cols_.stride - 1) / cols_.stride;
        const Index first = i + skip * cols_.stride;
        if (first >= u.last_col) continue;
        const DepthwiseLine line{.channels = channels_,
                                 .outputs = (u.last_col - 1 - first) / cols_.stride + 1,
                                 .rows = above.count,
                                 .taps = beside.count,
                                 .first = beside.place + skip,
                                 .step = 1,
                                 .dilation = beside.place_step,
                                 .width = cols_.out,
                                 .x_row = above.place_step * cols_.out * width(),
                                 .x_col = width(),
                                 .w_row = above.tap_step * cols_.window * width(),
                                 .w_tap = beside.tap_step * width(),
                                 .y_col = cols_.stride * channels_};
        const T* const w = weights.kernel + (above.tap * cols_.window + beside.tap) * width();
        for (Index own = 0; own < width(); own += channels_)
          c.kernels->depthwise(line, dz + above.place * cols_.out * width() + own, w + own,
                               dx + (row * cols_.in + first) * channels_, own > 0, {});
      }
    }
  }

  // Adds up the sums of the blocks, in their order.
  void join(const Call<T>& c, Index blocks, const Worker& who) const noexcept {
    const Kernels<T>& k = *c.kernels;
    const Index size = partial_size();
    const auto add = [&](int param, Index begin, Index count) {
      if (c.dw[param] == nullptr) return;
      if (many_ == 1) {
        const Range part = who.share(count, k.lanes);
        if (part.size() > 0)
          k.column_sum(blocks, part.size(), partial(c, 0) + begin + part.begin, size, c.dw[param] + part.begin,
                       c.dw_accumulate[param]);
        return;
      }
      T* const total = partial(c, blocks);
      const Range sets = who.share(count / width());
      for (Index at = sets.begin * width(); at < sets.end * width(); at += width()) {
        T* const dw = c.dw[param] + at;
        k.column_sum(blocks, width(), partial(c, 0) + begin + at, size, total + begin + at, false);
        if (!c.dw_accumulate[param]) {
          mix(k, total + begin + at, dw);
          continue;
        }
        for (Index i = 0; i < width(); ++i) dw[i] += total[begin + at + i % many_ * channels_ + i / many_];
      }
    };
    add(0, 0, kernel_size());
    if (biased_) add(1, kernel_size(), width());
  }

  ActivationSpec<T> activation_;
  WindowAxis rows_, cols_;
  std::vector<Taps> above_, beside_;             // of dz, by the place of an input modulo the stride
  Index samples_ = 0, channels_ = 0, many_ = 1;  // many_: kernels per channel
  bool biased_ = false;
  bool far_ = false;                           // whether units are rows of tensors too large for the caches
  Index stretch_ = 0, units_ = 0, parts_ = 1;  // outputs of a unit; units, and parts, of a sample
};

}  // namespace

FASTGD_DEFINE_OP(depthwise_convolution, DepthwiseConvolution);

}  // namespace fastgd
