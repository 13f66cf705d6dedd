// What `convolution` and `transposed_convolution` share: parameters, activation, and a backward pass that takes one
// sample after the other through all its sums while it is in the cache.
#pragma once

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
      for (Index sample = first; sample < end; ++sample) {
        const T* const x = c.x[0] + sample * inputs_;
        T* const dz = c.dy[0] + sample * outputs_;
        if (activation_.function != Activation::linear)
          k.activation_backward(activation_, outputs_, c.y[0] + sample * outputs_, dz, dz);
        if (c.dw[0] != nullptr) add_weights(k, x, dz, sum, sample > first, room);
        if (biased_ && c.dw[1] != nullptr)
          k.column_sum(outputs_ / units_, units_, dz, units_, sum + weights_, sample > first);
        if (c.dx[0] != nullptr) input_gradient(k, dz, c.w[0], packed, c.dx[0] + sample * inputs_, room);
      }
    }
    if (c.dw[0] == nullptr && !(biased_ && c.dw[1] != nullptr)) return;
    who.sync();
    join(k, weights_, sums, c.dw[0], c.dw_accumulate[0], who);
    if (biased_) join(k, units_, sums + weights_, c.dw[1], c.dw_accumulate[1], who);
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

  // What the constructors of both ops end with: each pass has its packed weights and, for each thread, room of its own,
  // all in elements; the forward pass comes in `forward_units` pieces.
  void plan(const Correlation<T>& sums, const Shape& y, Index forward_weights, Index forward_units, Index forward_room,
            Index backward_weights, Index backward_room) {
    outputs_ = count(std::span(y).subspan(1));
    weights_ = sums.weights();
    backward_weights_ = backward_weights, backward_room_ = backward_room;
    choose_blocks(sums);
    auto& t = this->traits;
    t.outputs = {{y}};
    t.backward_reads_inputs = 1;
    t.backward_reads_outputs = activation_.function == Activation::linear ? 0 : 1;
    t.forward_scratch =
        multiply(round_up(forward_weights, 16) + multiply(most_threads(forward_units), forward_room), sizeof(T));
    t.backward_scratch = multiply(multiply(blocks_, block_size()) + round_up(backward_weights, 16) +
                                      multiply(most_threads(blocks_), backward_room),
                                  sizeof(T));
    t.forward_work = static_cast<double>(samples_) * sums.work();
    t.backward_work = 2 * t.forward_work;
  }

  // The thread's part of `n` pieces of work, of as many threads as find room.
  static Range share(const Worker& who, Index n) {
    const int team = static_cast<int>(std::min<Index>(who.size, most_threads(n)));
    return who.rank < team ? Worker{who.rank, team, nullptr}.share(n) : Range{};
  }

  Index units_ = 1, samples_ = 1;
  Index inputs_ = 0, outputs_ = 0;  // elements of one sample
  ActivationSpec<T> activation_;
  bool biased_ = false;

 private:
  // One sum over this many pixels pays for the addition of its weights to the others.
  static constexpr Index kBlockPixels = 80;
  static constexpr Index kMostBlocks = 16;
  static constexpr Index kBlockBytes = 16 * 1024 * 1024;  // all blocks together

  virtual void pack_backward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept = 0;
  virtual void add_weights(const Kernels<T>& k, const T* x, const T* dz, T* dw, bool accumulate,
                           T* room) const noexcept = 0;
  virtual void input_gradient(const Kernels<T>& k, const T* dz, const T* w, const T* packed, T* dx,
                              T* room) const noexcept = 0;

  Index block_size() const { return round_up(weights_ + units_, 16); }

  void choose_blocks(const Correlation<T>& sums) {
    const Index by_pixels = multiply(samples_, sums.pixels()) / kBlockPixels;
    const Index by_bytes = kBlockBytes / multiply(block_size(), sizeof(T));
    blocks_ = std::max<Index>(1, std::min({samples_, by_pixels, by_bytes, kMostBlocks}));
  }

  void join(const Kernels<T>& k, Index n, const T* sums, T* dw, bool accumulate, const Worker& who) const noexcept {
    if (dw == nullptr) return;
    const Range part = who.share(n, k.lanes);
    if (part.size() > 0)
      k.column_sum(blocks_, part.size(), sums + part.begin, block_size(), dw + part.begin, accumulate);
  }

  Index weights_ = 0, blocks_ = 1, backward_weights_ = 0, backward_room_ = 0;
};

}  // namespace fastgd
