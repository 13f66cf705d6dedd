// What losses and metrics share: values per row of the last axis or of a whole sample, averaged to one value per
// sample.
#pragma once

#include "ops/op.h"

namespace fastgd {

// How a prediction and its target are cut into rows.
enum class Rows {
  samples,   // one row per sample: elementwise losses
  vectors,   // one row per last axis, the target of the same shape: categorical losses
  labelled,  // one row per last axis, one int32 label for each: sparse categorical losses
};

// The base of the ops with inputs (prediction, target) and a first output of one value per sample.
template <class T>
class PerSample : public Op<T> {
 protected:
  PerSample(const OpSetup& s, Rows rows, bool gives_probabilities, double work_per_element) {
    s.expect_inputs(2);
    s.expect_params(0, 0);
    const Shape& p = s.inputs[0].shape;
    const Shape& t = s.inputs[1].shape;
    check(!p.empty() && !s.inputs[0].integer, "the prediction needs a batch axis. Received: ", to_string(p));
    if (rows == Rows::labelled) {
      check(p.size() >= 2, "the prediction needs a class axis. Received: ", to_string(p));
      check(s.inputs[1].integer && Shape(p.begin(), p.end() - 1) == t, "labels ", to_string(t),
            " do not fit predictions ", to_string(p));
    } else {
      check(!s.inputs[1].integer && p == t, "targets ", to_string(t), " do not fit predictions ", to_string(p));
    }
    samples_ = p[0];
    const Index size = count(p);
    if (rows == Rows::samples) {
      group_ = 1;
      cols_ = count(std::span(p).subspan(1));
    } else {
      check(p.size() >= 2, "the prediction needs a class axis. Received: ", to_string(p));
      group_ = count(std::span(p).subspan(1, p.size() - 2));
      cols_ = p.back();
    }
    auto& told = this->traits;
    told.outputs = {{{samples_}}};
    if (gives_probabilities) told.outputs.push_back({p});
    told.gradient_inputs = 1;
    if (rows == Rows::labelled) told.integer_inputs = 2;
    told.forward_work = work_per_element * static_cast<double>(size);
    told.backward_work = told.forward_work / 2;
    // Rows of several vectors per sample need room for the value, or the gradient, of each.
    if (group_ != 1) {
      told.forward_scratch = multiply(multiply(samples_, group_), sizeof(T));
      told.backward_scratch = told.forward_scratch;
    }
  }

  // Calls value(first row, number of rows, where the rows' values go) for this worker's samples and averages each
  // sample.
  template <class F>
  void each_value(const Call<T>& c, const Worker& who, F value) const noexcept {
    const Range part = who.share(samples_);
    if (part.size() == 0) return;
    T* const v = c.y[0];
    if (group_ == 1) {
      value(part.begin, part.size(), v + part.begin);
      return;
    }
    T* const rows = c.scratch_values();
    value(part.begin * group_, part.size() * group_, rows + part.begin * group_);
    for (Index i = part.begin; i < part.end; ++i) {
      T sum = 0;
      for (Index j = 0; j < group_; ++j) sum += rows[i * group_ + j];
      v[i] = sum / static_cast<T>(group_);
    }
  }

  // Calls gradient(first row, number of rows, gradients of the rows' values) for this worker's samples.
  template <class F>
  void each_gradient(const Call<T>& c, const Worker& who, F gradient) const noexcept {
    const Range part = who.share(samples_);
    if (part.size() == 0) return;
    const T* const dv = c.dy[0];
    if (group_ == 1) {
      gradient(part.begin, part.size(), dv + part.begin);
      return;
    }
    T* const rows = c.scratch_values();
    for (Index i = part.begin; i < part.end; ++i)
      for (Index j = 0; j < group_; ++j) rows[i * group_ + j] = dv[i] / static_cast<T>(group_);
    gradient(part.begin * group_, part.size() * group_, rows + part.begin * group_);
  }

  Index cols() const { return cols_; }
  bool of_one_number() const { return samples_ * group_ * cols_ == 1; }

 private:
  Index samples_ = 0, group_ = 1, cols_ = 1;
};

}  // namespace fastgd
