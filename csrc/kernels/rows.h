// What the kernels that work on rows share: sums, maxima and the softmax of one row, in an order that only `cols`
// decides.
#pragma once

#include "simd/math.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
constexpr T kInfinity = static_cast<T>(__builtin_inf());
template <class T>
constexpr T kNaN = static_cast<T>(__builtin_nan(""));

// The sum over j of f(j, where), a vector for the elements from j on.
template <class T, class F>
FASTGD_INLINE T row_sum(Index cols, F f) {
  Vec<T> total{};
  for_vectors<T>(cols, [&](Index j, auto where) { total += within<T>(where, f(j, where), Vec<T>{}); });
  return sum<T>(total);
}

// The largest element that is not NaN, or -inf.
template <class T>
FASTGD_INLINE T row_max(Index cols, const T* x) {
  Vec<T> most = splat<T>(-kInfinity<T>);
  for_vectors<T>(cols, [&](Index j, auto where) {
    most = max(within<T>(where, load(x + j, where), splat<T>(-kInfinity<T>)), most);
  });
  return max_of<T>(most);
}

// 1 in the lane of the label among the elements from j on, else 0.
template <class T>
FASTGD_INLINE Vec<T> one_hot(Index j, std::int32_t label) {
  using Int = typename VecTypes<T>::Int;
  return select(lane_numbers<T>() == static_cast<Int>(label - j), splat<T>(1), Vec<T>{});
}

FASTGD_INLINE bool is_label(std::int32_t label, Index cols) { return label >= 0 && label < cols; }

// What the softmax of a row leaves for a loss: log sum exp x = most + log(total).
template <class T>
struct SoftmaxRow {
  T most, total;
};

// y = exp(x - max x) / sum of the same. In place allowed.
template <class T>
FASTGD_INLINE SoftmaxRow<T> softmax_row(Index cols, const T* x, T* y) {
  if (cols <= kLanes<T>) {
    // One register from load to store. The lanes beyond the row hold e^-inf = 0.
    const Part part{cols};
    const Vec<T> v = within<T>(part, load(x, part), splat<T>(-kInfinity<T>));
    const T most = max_of<T>(v);
    const Vec<T> e = exp_of_negative<T>(v - most);
    const T total = sum<T>(e);
    store<T>(y, e * (T(1) / total), part);
    return {most, total};
  }
  const T most = row_max(cols, x);
  const T total = row_sum<T>(cols, [=](Index j, auto where) {
    const Vec<T> e = exp_of_negative<T>(load(x + j, where) - most);
    store<T>(y + j, e, where);
    return e;
  });
  const T factor = T(1) / total;
  for_vectors<T>(cols, [=](Index j, auto where) { store<T>(y + j, load(y + j, where) * factor, where); });
  return {most, total};
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
