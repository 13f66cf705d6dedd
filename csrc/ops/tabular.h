// What the ops share that give a metric its columns: for each sample a row of values, or of int32 numbers of columns.
#pragma once

#include "ops/op.h"

namespace fastgd {

// The base of the ops with inputs (prediction, target) and one output of a row per sample.
template <class T>
class Tabular : public Op<T> {
 protected:
  explicit Tabular(const OpSetup& s) {
    s.expect_inputs(2);
    s.expect_params(0, 0);
    const Shape& p = s.inputs[0].shape;
    check(!p.empty() && !s.inputs[0].integer, "the prediction needs a batch axis. Received: ", to_string(p));
    samples_ = p[0];
    elements_ = count(std::span(p).subspan(1));
    this->traits.differentiable = false;
    this->traits.gradient_inputs = 0;
  }

  static void expect_equal_shapes(const OpSetup& s) {
    check(!s.inputs[1].integer && s.inputs[0].shape == s.inputs[1].shape, "targets ", to_string(s.inputs[1].shape),
          " do not fit predictions ", to_string(s.inputs[0].shape));
  }

  void set_output(Index width, bool integer, double work_per_element) {
    width_ = width;
    this->traits.outputs = {{{samples_, width}, integer}};
    this->traits.forward_work = work_per_element * static_cast<double>(samples_ * elements_);
  }

  // Calls row(sample, first element of its output) for this worker's samples.
  template <class F>
  void each_row(const Call<T>& c, const Worker& who, F row) const noexcept {
    const Range part = who.share(samples_);
    for (Index i = part.begin; i < part.end; ++i) row(i, c.y[0] + i * width_);
  }
  template <class F>
  void each_numbered_row(const Call<T>& c, const Worker& who, F row) const noexcept {
    const Range part = who.share(samples_);
    for (Index i = part.begin; i < part.end; ++i) row(i, reinterpret_cast<std::int32_t*>(c.y[0]) + i * width_);
  }

  // The elements of one sample of the prediction, and of one row of the output.
  Index elements() const { return elements_; }
  Index width() const { return width_; }

  // The first of the largest of n values; 0 where none compares.
  static Index first_maximum(Index n, const T* x) noexcept {
    Index best = 0;
    for (Index j = 1; j < n; ++j)
      if (x[j] > x[best]) best = j;
    return best;
  }

 private:
  Index samples_ = 0, elements_ = 0, width_ = 0;
};

}  // namespace fastgd
