// What the ops that run along one axis share: the tensor as (outer, size, inner).
#pragma once

#include "ops/op.h"

namespace fastgd {

template <class T>
class AlongAxis : public Op<T> {
 protected:
  explicit AlongAxis(const OpSetup& s) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    const Shape& x = s.inputs[0].shape;
    const Index axis = s.attrs.integer("axis");
    check(!s.inputs[0].integer, "takes floating tensors");
    std::tie(outer_, size_, inner_) = cut_around(x, axis);
    this->traits.couples_samples = axis == 0;
    this->traits.forward_work = this->traits.backward_work = static_cast<double>(count(x));
  }

  // Calls f(place of the first element in x, number of the line) for this thread's lines along the axis.
  template <class F>
  void each_line(const Worker& who, F f) const noexcept {
    const Range lines = who.share(outer_ * inner_, 16);
    for (Index i = lines.begin; i < lines.end; ++i) f(i / inner_ * size_ * inner_ + i % inner_, i);
  }

  Index outer_ = 1, size_ = 1, inner_ = 1;
};

}  // namespace fastgd
