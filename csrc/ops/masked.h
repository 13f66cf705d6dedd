// What the ops share that keep a random share of the elements: rate, seed, the shape in which masks are drawn.
#pragma once

#include <cmath>
#include <cstring>

#include "ops/op.h"

namespace fastgd {

// The base of ops of one input that draw a mask of bytes in training and keep it for backward.
template <class T>
class Masked : public Op<T> {
 protected:
  explicit Masked(const OpSetup& s) : seed_(static_cast<std::uint64_t>(s.attrs.integer("seed"))) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    rate_ = s.attrs.real("rate", -1.0);
    check(rate_ >= 0.0 && rate_ <= 1.0, "`rate` must be from 0 to 1. Received: rate=", rate_);
    threshold_ = static_cast<std::uint64_t>(std::floor(rate_ * 4294967296.0));
    x_ = s.inputs[0].shape;
    size_ = count(x_);
    noise_ = s.attrs.given("noise_shape") ? resolve(s.attrs.sizes("noise_shape"), s.batch) : x_;
    check(noise_.size() == x_.size(), "`noise_shape` must have one size per axis of ", to_string(x_),
          ". Received: ", to_string(noise_));
    for (std::size_t i = 0; i < x_.size(); ++i) {
      check(noise_[i] == x_[i] || noise_[i] == 1, "`noise_shape` must have sizes of 1 or of ", to_string(x_),
            ". Received: ", to_string(noise_));
    }
    narrow_ = noise_ != x_;
    // Of one sample: where every batch draws alike there is none.
    const bool per_sample = s.batch > 0 && !x_.empty() && (noise_[0] == x_[0]);
    sample_ = per_sample ? count(noise_) / s.batch : 0;
    auto& t = this->traits;
    t.outputs = {s.inputs[0]};
    t.saved_bytes = size_;
    t.forward_scratch = narrow_ ? count(noise_) : 0;
    t.forward_work = 10.0 * static_cast<double>(size_);
    t.backward_work = 2.0 * static_cast<double>(size_);
  }

  static std::uint8_t* mask(const Call<T>& c) { return reinterpret_cast<std::uint8_t*>(c.saved); }
  Range share(const Worker& who) const { return who.share(size_, 64); }
  MaskStream stream(const Call<T>& c) const { return {seed_, c.run->iteration, threshold_}; }
  // The number of the first element that this call sees, among those of the whole batch.
  std::uint64_t first(const Call<T>& c) const { return static_cast<std::uint64_t>(c.run->first_sample * sample_); }

  // Fills this worker's share of the mask.
  void draw(const Call<T>& c, const Worker& who) const noexcept {
    const Range part = share(who);
    if (!narrow_) {
      c.kernels->keep_mask(stream(c), first(c) + static_cast<std::uint64_t>(part.begin), part.size(),
                           mask(c) + part.begin);
      return;
    }
    auto* const drawn = reinterpret_cast<std::uint8_t*>(c.scratch);
    const Range own = who.share(count(noise_), 64);
    c.kernels->keep_mask(stream(c), first(c) + static_cast<std::uint64_t>(own.begin), own.size(), drawn + own.begin);
    who.sync();
    const Index row = x_.back();
    for (Index i = part.begin; i < part.end;) {
      const Index column = i % row, run = std::min(row - column, part.end - i);
      const Index place = drawn_row(i / row);
      if (noise_.back() == row) {
        std::memcpy(mask(c) + i, drawn + place + column, static_cast<std::size_t>(run));
      } else {
        std::memset(mask(c) + i, drawn[place], static_cast<std::size_t>(run));
      }
      i += run;
    }
  }

  // What a training step does to a share of the elements, or a copy outside training.
  template <class F>
  static void in_training(const Call<T>& c, const Range& part, const T* from, T* to, F f) noexcept {
    if (c.run->training) return f();
    std::memcpy(to + part.begin, from + part.begin, static_cast<std::size_t>(part.size()) * sizeof(T));
  }

  bool narrow() const { return narrow_; }
  double rate() const { return rate_; }

 private:
  // Where the row of the mask begins that belongs to a row of x.
  Index drawn_row(Index row) const noexcept {
    Index place = 0, step = noise_.back();
    for (std::size_t axis = x_.size() - 1; axis-- > 0;) {
      if (noise_[axis] != 1) place += row % x_[axis] * step;
      row /= x_[axis];
      step *= noise_[axis];
    }
    return place;
  }

  std::uint64_t seed_;
  std::uint64_t threshold_ = 0;
  double rate_ = 0;
  Shape x_, noise_;
  bool narrow_ = false;
  Index size_ = 0, sample_ = 0;
};

}  // namespace fastgd
