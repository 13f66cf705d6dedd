// What `convolution` and `transposed_convolution` share: parameters, activation, the pooling of what they make, and a
// backward pass that takes a few samples at a time through all its sums while they are in the cache.
#pragma once

#include <bit>

#include "ops/correlation.h"
#include "ops/max_pooling.h"

namespace fastgd {

// The size of the kernel's axis `from_back` from its end, after a look at the number of operands and axes.
inline Index checked_units(const OpSetup& s, std::size_t from_back) {
  s.expect_inputs(1);
  s.expect_params(1, 2);
  const Shape& x = s.inputs[0].shape;
  const Shape& w = s.params[0];
  check(x.size() >= 3 && x.size() <= kSpatialAxes + 2 && w.size() == x.size(), "input ", to_string(x),
        " does not fit the kernel ", to_string(w));
  return w[w.size() - from_back];
}

inline Shape output_shape(const OpSetup& s, const CorrelationShape& shape) {
  const Shape& x = s.inputs[0].shape;
  return with_sizes(x, output_sizes(shape.windows, x.size() - 2), shape.filters);
}

template <class T>
class ConvolutionOp : public Op<T> {
 public:
  void forward(const Call<T>& c, const Worker& who) const noexcept final {
    const Kernels<T>& k = *c.kernels;
    T* const packed = c.scratch_values();
    T* const rooms = packed + round_up(forward_weights_, 16);
    T* const room = rooms + who.rank * (forward_room_ + forward_made());
    if (forward_weights_ > 0) {
      pack_forward(k, c.w[0], packed, who);
      who.sync();
    }
    const T* const bias = biased_ ? c.w[1] : nullptr;
    if (!pooling_) {
      sums(k, {c.x[0], samples_, share(who, units(samples_)), c.w[0], packed, {bias, activation_}, c.y[0], room});
      return;
    }
    const auto numbers = [&](Index sample) {
      return c.run->differentiates ? pooling_->numbers(c.saved, sample) : WindowNumbers{};
    };
    if (!pools_at_once_) {
      T* const made = rooms + most_threads(units(samples_)) * forward_room_;  // of all samples
      sums(k, {c.x[0], samples_, share(who, units(samples_)), c.w[0], packed, {bias, {}}, made, room});
      who.sync();
      pooling_->forward(k, samples_, made, activation_, c.y[0], numbers(0), who);
      return;
    }
    const Range groups = share(who, (samples_ + at_once_ - 1) / at_once_);
    T* const made = room + forward_room_;
    for (Index sample = groups.begin * at_once_; sample < groups.end * at_once_ && sample < samples_;
         sample += at_once_) {
      const Index n = std::min(at_once_, samples_ - sample);
      sums(k, {c.x[0] + sample * inputs_, n, {0, units(n)}, c.w[0], packed, {bias, {}}, made, room});
      pooling_->forward(k, n, made, activation_, c.y[0] + sample * results_, numbers(sample), Worker{});
    }
  }

  // Each block of samples sums its own gradients of the parameters; in the end the sums are added up in order.
  void backward(const Call<T>& c, const Worker& who) const noexcept final {
    const Kernels<T>& k = *c.kernels;
    T* const block_sums = c.scratch_values();
    T* const packed = block_sums + blocks_ * block_size();
    T* const rooms = packed + round_up(backward_weights_, 16);
    if (c.dx[0] != nullptr) {
      pack_backward(k, c.w[0], packed, who);
      who.sync();
    }
    const Range blocks = share(who, blocks_);
    T* const room = rooms + who.rank * (backward_room_ + made_);
    T* const spread = room + backward_room_;
    for (Index block = blocks.begin; block < blocks.end; ++block) {
      T* const sum = block_sums + block * block_size();
      const Index first = samples_ * block / blocks_, end = samples_ * (block + 1) / blocks_;
      for (Index sample = first; sample < end; sample += at_once_) {
        const Index n = std::min(at_once_, end - sample);
        T* const dy = c.dy[0] + sample * results_;
        if (activation_.function != Activation::linear)
          k.activation_backward(activation_, n * results_, c.y[0] + sample * results_, dy, dy);
        // What pooling passes on is as much in sum.
        if (biased_ && c.dw[1] != nullptr)
          k.column_sum(n * results_ / units_, units_, dy, units_, sum + gradient_, sample > first);
        if (pooling_) pooling_->backward(k, n, dy, pooling_->numbers(c.saved, sample), spread, Worker{});
        back(k, {c.x[0] + sample * inputs_, pooling_ ? spread : dy, n, c.dw[0] == nullptr ? nullptr : sum,
                 sample > first, c.w[0], packed, c.dx[0] == nullptr ? nullptr : c.dx[0] + sample * inputs_, room});
      }
    }
    if (c.dw[0] == nullptr && !(biased_ && c.dw[1] != nullptr)) return;
    who.sync();
    if (c.dw[0] != nullptr) join_weights(k, block_sums, packed, c.dw[0], c.dw_accumulate[0], who);
    if (biased_ && c.dw[1] != nullptr) join(k, units_, block_sums + gradient_, c.dw[1], c.dw_accumulate[1], who);
  }

 protected:
  ConvolutionOp(const OpSetup& s, Index filters)
      : units_(filters),
        samples_(s.inputs[0].shape[0]),
        inputs_(count(std::span(s.inputs[0].shape).subspan(1))),
        activation_(parse_fused_activation<T>(s.attrs)) {
    biased_ = s.params.size() == 2;
    if (biased_)
      check(s.params[1] == Shape{filters}, "bias ", to_string(s.params[1]), " does not fit the kernel ",
            to_string(s.params[0]));
  }

  // What a way of computing the sums asks for, in elements: each pass has its packed weights and, for each thread, room
  // of its own.
  struct Demands {
    double work = 0;     // of a sample, forward
    Index pixels = 1;    // of a sample's output
    Index gradient = 0;  // of the kernel, as a block of samples sums it up
    Index forward_weights = 0, forward_room = 0;
    Index backward_weights = 0, backward_room = 0;
    Index samples_at_once = 1;  // by `back`
  };

  // What the constructors end with, for an output of shape y; the maxima of its windows are what is left of it where
  // the attributes pool_window, pool_strides, pool_before and pool_after are there, the attributes of a `max_pool`.
  void plan(const OpSetup& s, const Shape& y, const Demands& d) {
    outputs_ = results_ = count(std::span(y).subspan(1));
    gradient_ = d.gradient;
    forward_weights_ = d.forward_weights, forward_room_ = round_up(d.forward_room, 16);
    backward_weights_ = d.backward_weights, backward_room_ = round_up(d.backward_room, 16);
    at_once_ = d.samples_at_once;
    choose_blocks(d.pixels);
    auto& t = this->traits;
    t.outputs = {{y}};
    if (s.attrs.given("pool_window")) {
      set_pooling(s, y);
      t.outputs = {{pooling_->output()}};
      t.saved_bytes = pooling_->number_bytes(samples_);
      made_ = round_up(at_once_ * outputs_, 16);
    }
    t.backward_reads_inputs = 1;
    t.backward_reads_outputs = activation_.function == Activation::linear ? 0 : 1;
    const Index whole = pooling_ && !pools_at_once_ ? multiply(samples_, outputs_) : 0;
    t.forward_scratch = scratch(units(samples_), forward_weights_, forward_room_ + forward_made(), whole);
    t.backward_scratch = scratch(blocks_, backward_weights_, backward_room_ + made_, multiply(blocks_, block_size()));
    t.forward_work = static_cast<double>(samples_) * d.work;
    t.backward_work = 2 * t.forward_work;
  }

  // Some of the units of work that the outputs of some neighbouring samples come in.
  struct Part {
    const T* x;
    Index samples;
    Range units;
    const T* w;
    const T* packed;  // from pack_forward
    Epilogue<T> epilogue;
    T* y;
    T* room;
  };

  // What some neighbouring samples give back.
  struct Back {
    const T* x;
    const T* dz;
    Index samples;
    T* sum;  // the gradient of the kernel, overwritten or added to; null if nobody needs it
    bool accumulate;
    const T* w;
    const T* packed;  // from pack_backward
    T* dx;            // null if nobody needs it
    T* room;
  };

  // y (+)= the sum over the blocks of n elements of what they have summed up.
  void join(const Kernels<T>& k, Index n, const T* sums, T* y, bool accumulate, const Worker& who) const noexcept {
    const Range part = who.share(n, k.lanes);
    if (part.size() > 0)
      k.column_sum(blocks_, part.size(), sums + part.begin, block_size(), y + part.begin, accumulate);
  }

  Index units_ = 1, samples_ = 1;
  Index inputs_ = 0, outputs_ = 0;  // elements of one sample

 private:
  // One sum over this many pixels pays for the addition of its weights to the others.
  static constexpr Index kBlockPixels = 80;
  static constexpr Index kMostBlocks = 16;
  // All blocks together; but where there are fewer than kLeastBlocks for it, threads would have nothing to do.
  static constexpr Index kBlockBytes = 32 * 1024 * 1024;
  static constexpr Index kLeastBlocks = 4;
  // With fewer samples threads share each of them, and pool when all is there.
  static constexpr Index kFewSamples = 8;

  // How many pieces of work the outputs of so many samples come in.
  virtual Index units(Index samples) const noexcept = 0;
  virtual void pack_forward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept = 0;
  virtual void sums(const Kernels<T>& k, const Part& part) const noexcept = 0;
  virtual void pack_backward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept = 0;
  virtual void back(const Kernels<T>& k, const Back& b) const noexcept = 0;
  // The gradient of the kernel from those of all blocks. `room` held the packed weights.
  virtual void join_weights(const Kernels<T>& k, const T* sums, T*, T* dw, bool accumulate,
                            const Worker& who) const noexcept {
    join(k, gradient_, sums, dw, accumulate, who);
  }

  // The most threads that work on `n` pieces at a time: each has room of its own.
  static Index most_threads(Index n) { return std::clamp<Index>(n, 1, 32); }

  // The thread's part of `n` pieces of work, of as many threads as find room.
  static Range share(const Worker& who, Index n) {
    const int team = static_cast<int>(std::min<Index>(who.size, most_threads(n)));
    return who.rank < team ? Worker{who.rank, team, nullptr}.share(n) : Range{};
  }

  // Bytes for packed weights, for a room of each thread that works on `n` pieces, and for `more` elements.
  static Index scratch(Index n, Index weights, Index room, Index more) {
    return multiply(round_up(weights, 16) + multiply(most_threads(n), room) + more, sizeof(T));
  }

  // Elements of a thread's room for what is pooled at once, on the way forward.
  Index forward_made() const { return pools_at_once_ ? made_ : 0; }

  Index block_size() const { return round_up(gradient_ + units_, 16); }

  void choose_blocks(Index pixels) {
    const Index by_pixels = multiply(samples_, pixels) / kBlockPixels;
    const Index by_bytes = std::max(kBlockBytes / multiply(block_size(), sizeof(T)), kLeastBlocks);
    const Index most = std::max<Index>(1, std::min({samples_, by_pixels, by_bytes, kMostBlocks}));
    // A power of two, which two and four threads can share evenly.
    blocks_ = static_cast<Index>(std::bit_floor(static_cast<std::size_t>(most)));
  }

  void set_pooling(const OpSetup& s, const Shape& y) {
    check(activation_.function == Activation::linear || activation_.function == Activation::relu,
          "only the maxima before a linear activation or relu are those behind it");
    const Attrs attrs({{"window", s.attrs.sizes("pool_window")},
                       {"strides", s.attrs.sizes("pool_strides")},
                       {"padding_before", s.attrs.sizes("pool_before")},
                       {"padding_after", s.attrs.sizes("pool_after")}});
    const TensorInfo info{y};
    pooling_ = MaxPooling<T>({attrs, {&info, 1}, {}, s.batch, s.table});
    results_ = pooling_->results();
    pools_at_once_ = samples_ >= kFewSamples;
  }

  ActivationSpec<T> activation_;
  bool biased_ = false;
  std::optional<MaxPooling<T>> pooling_;
  bool pools_at_once_ = false;  // each few samples as soon as they are made
  Index results_ = 0;           // elements of one sample after pooling
  Index gradient_ = 0, blocks_ = 1, at_once_ = 1;
  // In elements. A thread has a room for the sums and, where it pools, behind it one for outputs not yet pooled.
  Index forward_weights_ = 0, forward_room_ = 0;
  Index backward_weights_ = 0, backward_room_ = 0;
  Index made_ = 0;
};

}  // namespace fastgd
