// What `convolution` and `transposed_convolution` share: parameters, activation, and a backward pass that takes one
// sample after the other through all its sums while it is in the cache.
#pragma once

#include <bit>

#include "ops/correlation.h"

namespace fastgd {

template <class T>
class ConvolutionOp : public Op<T> {
 public:
  // Each block of samples sums its own gradients of the parameters; in the end the sums are added up in order.
  void backward(const Call<T>& c, const Worker& who) const noexcept final {
    const Kernels<T>& k = *c.kernels;
    T* const sums = c.scratch_values();
    T* const packed = sums + blocks_ * block_size();
    T* const rooms = packed + round_up(backward_weights_, 16);
    if (c.dx[0] != nullptr) {
      pack_backward(k, c.w[0], packed, who);
      who.sync();
    }
    const Range blocks = share(who, blocks_);
    T* const room = rooms + who.rank * backward_room_;
    for (Index block = blocks.begin; block < blocks.end; ++block) {
      T* const sum = sums + block * block_size();
      const Index first = samples_ * block / blocks_, end = samples_ * (block + 1) / blocks_;
      for (Index sample = first; sample < end; sample += at_once_) {
        const Index n = std::min(at_once_, end - sample);
        T* const dz = c.dy[0] + sample * outputs_;
        if (activation_.function != Activation::linear)
          k.activation_backward(activation_, n * outputs_, c.y[0] + sample * outputs_, dz, dz);
        if (biased_ && c.dw[1] != nullptr)
          k.column_sum(n * outputs_ / units_, units_, dz, units_, sum + gradient_, sample > first);
        back(k, {c.x[0] + sample * inputs_, dz, n, c.dw[0] == nullptr ? nullptr : sum, sample > first, c.w[0], packed,
                 c.dx[0] == nullptr ? nullptr : c.dx[0] + sample * inputs_, room});
      }
    }
    if (c.dw[0] == nullptr && !(biased_ && c.dw[1] != nullptr)) return;
    who.sync();
    if (c.dw[0] != nullptr) join_weights(k, sums, packed, c.dw[0], c.dw_accumulate[0], who);
    if (biased_ && c.dw[1] != nullptr) join(k, units_, sums + gradient_, c.dw[1], c.dw_accumulate[1], who);
  }

 protected:
  // The most threads that work on `n` pieces at a time: each has room of its own.
  static Index most_threads(Index n) { return std::clamp<Index>(n, 1, 32); }

  ConvolutionOp(const OpSetup& s, Index units)
      : units_(units),
        samples_(s.inputs[0].shape[0]),
        inputs_(count(std::span(s.inputs[0].shape).subspan(1))),
        activation_(parse_fused_activation<T>(s.attrs)) {
    biased_ = s.params.size() == 2;
    if (biased_)
      check(s.params[1] == Shape{units}, "bias ", to_string(s.params[1]), " does not fit the kernel ",
            to_string(s.params[0]));
  }

  // The size of the kernel's axis `from_back` from its end, after a look at the number of operands and axes.
  static Index checked_units(const OpSetup& s, std::size_t from_back) {
    s.expect_inputs(1);
    s.expect_params(1, 2);
    const Shape& x = s.inputs[0].shape;
    const Shape& w = s.params[0];
    check(x.size() >= 3 && x.size() <= kSpatialAxes + 2 && w.size() == x.size(), "input ", to_string(x),
          " does not fit the kernel ", to_string(w));
    return w[w.size() - from_back];
  }

  // What a way of computing the sums asks for, in elements: each pass has its packed weights and, for each thread, room
  // of its own; the forward pass comes in `forward_units` pieces.
  struct Demands {
    double work = 0;     // of a sample, forward
    Index pixels = 1;    // of a sample's output
    Index gradient = 0;  // of the kernel, as a block of samples sums it up
    Index forward_weights = 0, forward_units = 1, forward_room = 0;
    Index backward_weights = 0, backward_room = 0;
    Index samples_at_once = 1;  // by `back`
  };

  // What the constructors end with.
  void plan(const Shape& y, const Demands& d) {
    outputs_ = count(std::span(y).subspan(1));
    gradient_ = d.gradient;
    backward_weights_ = d.backward_weights, backward_room_ = d.backward_room;
    at_once_ = d.samples_at_once;
    choose_blocks(d.pixels);
    auto& t = this->traits;
    t.outputs = {{y}};
    t.backward_reads_inputs = 1;
    t.backward_reads_outputs = activation_.function == Activation::linear ? 0 : 1;
    t.forward_scratch =
        multiply(round_up(d.forward_weights, 16) + multiply(most_threads(d.forward_units), d.forward_room), sizeof(T));
    t.backward_scratch = multiply(multiply(blocks_, block_size()) + round_up(backward_weights_, 16) +
                                      multiply(most_threads(blocks_), backward_room_),
                                  sizeof(T));
    t.forward_work = static_cast<double>(samples_) * d.work;
    t.backward_work = 2 * t.forward_work;
  }

  // The thread's part of `n` pieces of work, of as many threads as find room.
  static Range share(const Worker& who, Index n) {
    const int team = static_cast<int>(std::min<Index>(who.size, most_threads(n)));
    return who.rank < team ? Worker{who.rank, team, nullptr}.share(n) : Range{};
  }

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
  ActivationSpec<T> activation_;
  bool biased_ = false;

 private:
  // One sum over this many pixels pays for the addition of its weights to the others.
  static constexpr Index kBlockPixels = 80;
  static constexpr Index kMostBlocks = 16;
  // All blocks together; but where there are fewer than kLeastBlocks for it, threads would have nothing to do.
  static constexpr Index kBlockBytes = 32 * 1024 * 1024;
  static constexpr Index kLeastBlocks = 4;

  virtual void pack_backward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept = 0;
  virtual void back(const Kernels<T>& k, const Back& b) const noexcept = 0;
  // The gradient of the kernel from those of all blocks. `room` held the packed weights.
  virtual void join_weights(const Kernels<T>& k, const T* sums, T*, T* dw, bool accumulate,
                            const Worker& who) const noexcept {
    join(k, gradient_, sums, dw, accumulate, who);
  }

  Index block_size() const { return round_up(gradient_ + units_, 16); }

  void choose_blocks(Index pixels) {
    const Index by_pixels = multiply(samples_, pixels) / kBlockPixels;
    const Index by_bytes = std::max(kBlockBytes / multiply(block_size(), sizeof(T)), kLeastBlocks);
    const Index most = std::max<Index>(1, std::min({samples_, by_pixels, by_bytes, kMostBlocks}));
    // A power of two, which two and four threads can share evenly.
    blocks_ = static_cast<Index>(std::bit_floor(static_cast<std::size_t>(most)));
  }

  Index gradient_ = 0, blocks_ = 1, backward_weights_ = 0, backward_room_ = 0, at_once_ = 1;
};

}  // namespace fastgd
