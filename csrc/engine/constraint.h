// Constraints: what a parameter is brought back to after each update.
#pragma once

#include "base/shape.h"
#include "kernels/kernels.h"
#include "threads/team.h"

#include <string>

namespace fastgd {

// python/fastgd/plan.py, ConstraintSpec.
struct ConstraintSpec {
  std::string kind;
  Shape axes;
  double low = 0, high = 0, rate = 1, epsilon = 0;
};

template <class T>
class Constraint {
 public:
  // For parameter number `param`. Throws for an unknown kind, and for axes that the shape has not or that are no
  // neighbours.
  Constraint(const ConstraintSpec& spec, Index param, const Shape& shape);

  Index param() const { return param_; }
  Index size() const { return outer_ * middle_ * inner_; }

  // By this worker's share of the norms.
  void apply(const Kernels<T>& kernels, T* w, const Worker& who) const noexcept;

 private:
  enum class Kind { non_neg, norm };

  Kind kind_ = Kind::non_neg;
  Index param_;
  // The norms run over the middle of three axes.
  Index outer_ = 1, middle_ = 1, inner_ = 1;
  NormBounds<T> bounds_;
};

}  // namespace fastgd
