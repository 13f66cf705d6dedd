// Constraints, cut along whatever no norm runs over.
#include "engine/constraint.h"

#include "base/check.h"

namespace fastgd {

template <class T>
Constraint<T>::Constraint(const ConstraintSpec& spec, Index param, const Shape& shape) : param_(param) {
  if (spec.kind == "non_neg") {
    inner_ = count(shape);
    return;
  }
  check(spec.kind == "norm", "Unknown constraint. Received: kind='", spec.kind, "'");
  kind_ = Kind::norm;
  bounds_ = {static_cast<T>(spec.low), static_cast<T>(spec.high), static_cast<T>(spec.rate),
             static_cast<T>(spec.epsilon)};
  const auto rank = static_cast<Index>(shape.size()), axes = static_cast<Index>(spec.axes.size());
  const Index first = axes == 0 ? 0 : spec.axes[0];
  for (Index i = 0; i < axes; ++i)
    check(spec.axes[static_cast<std::size_t>(i)] == first + i && first >= 0 && first + i < rank,
          "The norm of a constraint runs over neighbouring axes. Received: axes ", to_string(spec.axes),
          " for a parameter of shape ", to_string(shape));
  std::tie(outer_, middle_, inner_) = cut_around(shape, first, axes);
}

template <class T>
void Constraint<T>::apply(const Kernels<T>& kernels, T* w, const Worker& who) const noexcept {
  if (kind_ == Kind::non_neg) {
    const Range part = who.share(inner_, kernels.lanes);
    T* const mine = w + part.begin;
    kernels.activation({Activation::relu}, part.size(), mine, mine);
  } else if (inner_ == 1) {
    const Range rows = who.share(outer_);
    for (Index i = rows.begin; i < rows.end; ++i) kernels.bound_row_norm(middle_, bounds_, w + i * middle_);
  } else {
    const Range cols = who.share(inner_, kernels.lanes);
    for (Index i = 0; i < outer_; ++i)
      kernels.bound_column_norms(middle_, cols.size(), inner_, bounds_, w + i * middle_ * inner_ + cols.begin);
  }
}

template class Constraint<float>;
template class Constraint<double>;

}  // namespace fastgd
