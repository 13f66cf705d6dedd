// Reductions over rows and over columns, and the elementwise functions that their gradients are made of.
#include "kernels/families.h"
#include "kernels/rows.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// An accumulator takes so many terms and is then added to the total: the error of a long sum grows with this number and
// with that of the blocks, and not with their product.
constexpr Index kBlockTerms = 64;

struct Product {
  template <class V>
  FASTGD_INLINE V operator()(V a, V b) const {
    return a * b;
  }
};
// A NaN that has come in once stays.
struct Largest {
  template <class V>
  FASTGD_INLINE V operator()(V a, V b) const {
    return ((b > a) | (b != b)) ? b : a;
  }
};
struct Smallest {
  template <class V>
  FASTGD_INLINE V operator()(V a, V b) const {
    return ((b < a) | (b != b)) ? b : a;
  }
};

// f over value(j, where) for the elements j of a row; `start` changes nothing.
template <class T, class F, class Value>
FASTGD_INLINE T fold_row(Index cols, F f, T start, Value value) {
  constexpr Index lanes = kLanes<T>;
  Vec<T> total = splat<T>(start);
  for (Index begin = 0; begin < cols; begin += 4 * kBlockTerms * lanes) {
    const Index n = cols - begin < 4 * kBlockTerms * lanes ? cols - begin : 4 * kBlockTerms * lanes;
    // Four accumulators hide the latency of one addition.
    Vec<T> part[4] = {splat<T>(start), splat<T>(start), splat<T>(start), splat<T>(start)};
    Index j = begin;
    for (; j + 4 * lanes <= begin + n; j += 4 * lanes)
      for (int k = 0; k < 4; ++k) part[k] = f(part[k], value(j + k * lanes, Whole{}));
    const Index rest = j;
    for_vectors<T>(begin + n - rest, [&](Index i, auto where) {
      part[0] = f(part[0], within<T>(where, value(rest + i, where), splat<T>(start)));
    });
    total = f(total, f(f(part[0], part[1]), f(part[2], part[3])));
  }
  return fold(f, total);
}

// f over value(i) for the rows i of a vector of columns.
template <class T, class F, class Value>
FASTGD_INLINE Vec<T> fold_down(Index rows, F f, T start, Value value) {
  Vec<T> total = splat<T>(start);
  for (Index begin = 0; begin < rows; begin += kBlockTerms) {
    const Index end = rows - begin < kBlockTerms ? rows : begin + kBlockTerms;
    Vec<T> part = splat<T>(start);
    for (Index i = begin; i < end; ++i) part = f(part, value(i));
    total = f(total, part);
  }
  return total;
}

// What is subtracted before exp, so that it cannot overflow: the maximum where that is finite.
template <class T>
FASTGD_INLINE Vec<T> finite_or_zero(Vec<T> most) {
  return select(abs<T>(most) < kInfinity<T>, most, Vec<T>{});
}

template <class T>
FASTGD_INLINE T log_sum_exp_row(Index cols, const T* x) {
  const Vec<T> most = finite_or_zero<T>(
      splat<T>(fold_row<T>(cols, Largest{}, -kInfinity<T>, [=](Index j, auto where) { return load(x + j, where); })));
  const T total =
      fold_row<T>(cols, Sum{}, T(0), [=](Index j, auto where) { return exp<T>(load(x + j, where) - most); });
  return (log<T>(splat<T>(total)) + most)[0];
}

template <class T, class F>
FASTGD_INLINE void fold_rows(Index rows, Index cols, const T* x, T* y, F f, T start) {
  for (Index row = 0; row < rows; ++row, x += cols)
    y[row] = fold_row<T>(cols, f, start, [=](Index j, auto where) { return load(x + j, where); });
}

template <class T, class F>
FASTGD_INLINE void fold_columns(Index rows, Index cols, const T* x, Index x_row, T* y, F f, T start) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    store<T>(y + j, fold_down<T>(rows, f, start, [=](Index i) { return load(x + i * x_row + j, where); }), where);
  });
}

template <class T, class Run>
FASTGD_INLINE void with_fold(Fold f, Run run) {
  switch (f) {
    case Fold::sum:
      return run(Sum{}, T(0));
    case Fold::product:
      return run(Product{}, T(1));
    case Fold::max:
      return run(Largest{}, -kInfinity<T>);
    case Fold::min:
      return run(Smallest{}, kInfinity<T>);
    case Fold::log_sum_exp:
      return;
  }
}

template <class T>
void reduce_each_row(Fold f, Index rows, Index cols, const T* x, T* y) {
  if (f == Fold::log_sum_exp) {
    for (Index row = 0; row < rows; ++row, x += cols) y[row] = log_sum_exp_row(cols, x);
  } else {
    with_fold<T>(f, [=](auto g, T start) { fold_rows(rows, cols, x, y, g, start); });
  }
}

template <class T>
void reduce_each_column(Fold f, Index rows, Index cols, const T* x, Index x_row, T* y) {
  if (f == Fold::log_sum_exp) {
    for_vectors<T>(cols, [=](Index j, auto where) {
      const auto at = [=](Index i) { return load(x + i * x_row + j, where); };
      const Vec<T> most = finite_or_zero<T>(fold_down<T>(rows, Largest{}, -kInfinity<T>, at));
      const Vec<T> total = fold_down<T>(rows, Sum{}, T(0), [=](Index i) { return exp<T>(at(i) - most); });
      store<T>(y + j, log<T>(total) + most, where);
    });
  } else {
    with_fold<T>(f, [=](auto g, T start) { fold_columns(rows, cols, x, x_row, y, g, start); });
  }
}

template <class T, class F>
FASTGD_INLINE void spread_with(Index n, Index step, const T* x, const T* a, const T* b, T* y, F f) {
  if (step == 0) {
    const Vec<T> u = splat<T>(*a), v = splat<T>(*b);
    for_vectors<T>(n, [=](Index i, auto where) { store<T>(y + i, f(load(x + i, where), u, v), where); });
  } else {
    for_vectors<T>(n, [=](Index i, auto where) {
      store<T>(y + i, f(load(x + i, where), load(a + i, where), load(b + i, where)), where);
    });
  }
}

template <class T>
void spread_over(Spread f, Index n, Index step, const T* x, const T* a, const T* b, T* y) {
  using V = Vec<T>;
  if (n < 1) return;
  switch (f) {
    case Spread::equal:
      return spread_with(n, step, x, a, b, y, [](V u, V v, V) { return select(u == v, splat<T>(1), V{}); });
    case Spread::where_equal:
      return spread_with(n, step, x, a, b, y, [](V u, V v, V w) { return select(u == v, w, V{}); });
    case Spread::exp_times:
      return spread_with(n, step, x, a, b, y, [](V u, V v, V w) { return exp<T>(u - v) * w; });
    case Spread::zero:
      return spread_with(n, step, x, a, b, y, [](V u, V, V) { return select(u == T(0), splat<T>(1), V{}); });
    case Spread::or_one:
      return spread_with(n, step, x, a, b, y, [](V u, V, V) { return select(u == T(0), splat<T>(1), u); });
    case Spread::quotient:
      return spread_with(n, step, x, a, b, y, [](V u, V v, V w) { return select(u == T(0), w, v / u); });
    case Spread::square:
      return spread_with(n, step, x, a, b, y, [](V u, V v, V) { return (u - v) * (u - v); });
    case Spread::difference_times:
      return spread_with(n, step, x, a, b, y, [](V u, V v, V w) { return (u - v) * w; });
  }
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                  \
  void reduce_rows(Fold f, Index rows, Index cols, const T* x, T* y) noexcept {                   \
    reduce_each_row(f, rows, cols, x, y);                                                         \
  }                                                                                               \
  void reduce_columns(Fold f, Index rows, Index cols, const T* x, Index x_row, T* y) noexcept {   \
    reduce_each_column(f, rows, cols, x, x_row, y);                                               \
  }                                                                                               \
  void spread(Spread f, Index n, Index step, const T* x, const T* a, const T* b, T* y) noexcept { \
    spread_over(f, n, step, x, a, b, y);                                                          \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
