// Softmax, its logarithm and sparsemax over rows and over columns, and their derivatives.
#include "kernels/families.h"
#include "kernels/rows.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
void softmax_rows(Index rows, Index cols, const T* x, T* y) {
  if (cols < 1) return;
  for (Index row = 0; row < rows; ++row, x += cols, y += cols) softmax_row(cols, x, y);
}

template <class T>
void softmax_rows_backward(Index rows, Index cols, const T* y, const T* dy, T* dx) {
  for (Index row = 0; row < rows; ++row, y += cols, dy += cols, dx += cols) {
    const T dot = row_sum<T>(cols, [=](Index j, auto where) { return load(y + j, where) * load(dy + j, where); });
    for_vectors<T>(
        cols, [=](Index j, auto where) { store<T>(dx + j, load(y + j, where) * (load(dy + j, where) - dot), where); });
  }
}

template <class T>
void log_softmax_rows(Index rows, Index cols, const T* x, T* y) {
  for (Index row = 0; row < rows; ++row, x += cols, y += cols) {
    const T most = row_max(cols, x);
    const T total =
        row_sum<T>(cols, [=](Index j, auto where) { return exp_of_negative<T>(load(x + j, where) - most); });
    const Vec<T> shift = log<T>(splat<T>(total));
    for_vectors<T>(cols, [=](Index j, auto where) { store<T>(y + j, (load(x + j, where) - most) - shift, where); });
  }
}

template <class T>
void log_softmax_rows_backward(Index rows, Index cols, const T* y, const T* dy, T* dx) {
  for (Index row = 0; row < rows; ++row, y += cols, dy += cols, dx += cols) {
    const T total = row_sum<T>(cols, [=](Index j, auto where) { return load(dy + j, where); });
    for_vectors<T>(cols, [=](Index j, auto where) {
      store<T>(dx + j, load(dy + j, where) - exp_of_negative<T>(load(y + j, where)) * total, where);
    });
  }
}

// What is left of z = x - max x, at most 0, above a threshold: it and how many they are. NaN is never left out.
template <class T>
struct Support {
  Vec<T> total{}, count{};

  FASTGD_INLINE void add(Vec<T> z, Vec<T> threshold) {
    const auto out = z <= threshold;
    total += select(out, Vec<T>{}, z);
    count += select(out, Vec<T>{}, splat<T>(1));
  }
};

// max(z - threshold, 0), where NaN stays.
template <class T>
FASTGD_INLINE Vec<T> beyond(Vec<T> z, Vec<T> threshold) {
  return select(z <= threshold, Vec<T>{}, z - threshold);
}

// The threshold t with sum(max(z - t, 0)) = 1 by Newton's method. That sum is convex in t, and at -1 it is at least 1,
// so each step goes up and leaves elements out; when none goes, t is found.
template <class T>
FASTGD_INLINE Vec<T> sparse_threshold(Index cols, const T* x, T most) {
  Vec<T> threshold = splat<T>(-1);
  for (T before = kInfinity<T>;;) {
    Support<T> left;
    for_vectors<T>(cols, [&](Index j, auto where) {
      left.add(within<T>(where, load(x + j, where) - most, splat<T>(-kInfinity<T>)), threshold);
    });
    const T count = sum<T>(left.count);
    threshold = splat<T>((sum<T>(left.total) - T(1)) / count);
    if (!(count < before)) return threshold;
    before = count;
  }
}

template <class T>
void sparsemax_rows(Index rows, Index cols, const T* x, T* y) {
  if (cols < 1) return;
  for (Index row = 0; row < rows; ++row, x += cols, y += cols) {
    const T most = row_max(cols, x);
    const Vec<T> threshold = sparse_threshold(cols, x, most);
    for_vectors<T>(
        cols, [=](Index j, auto where) { store<T>(y + j, beyond<T>(load(x + j, where) - most, threshold), where); });
  }
}

template <class T>
void sparsemax_rows_backward(Index rows, Index cols, const T* y, const T* dy, T* dx) {
  for (Index row = 0; row < rows; ++row, y += cols, dy += cols, dx += cols) {
    Vec<T> total{}, count{};
    for_vectors<T>(cols, [&](Index j, auto where) {
      const auto kept = load(y + j, where) > Vec<T>{};
      total += select(kept, load(dy + j, where), Vec<T>{});
      count += select(kept, splat<T>(1), Vec<T>{});
    });
    const T mean = sum<T>(total) / sum<T>(count);
    for_vectors<T>(cols, [=](Index j, auto where) {
      store<T>(dx + j, select(load(y + j, where) > Vec<T>{}, load(dy + j, where) - mean, Vec<T>{}), where);
    });
  }
}

// As the rows, but for a whole vector of columns, until none of them leaves out more.
template <class T>
void sparsemax_columns(Index rows, Index cols, Index stride, const T* x, T* y) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    const auto at = [=](Index i) { return load(x + i * stride + j, where); };
    Vec<T> most = splat<T>(-kInfinity<T>), threshold = splat<T>(-1), before = splat<T>(kInfinity<T>);
    for (Index i = 0; i < rows; ++i) most = max(at(i), most);
    for (bool again = rows > 0; again;) {
      Support<T> left;
      for (Index i = 0; i < rows; ++i) left.add(at(i) - most, threshold);
      threshold = (left.total - T(1)) / left.count;
      again = max_of<T>(before - left.count) > T(0);
      before = left.count;
    }
    for (Index i = 0; i < rows; ++i) store<T>(y + i * stride + j, beyond<T>(at(i) - most, threshold), where);
  });
}

template <class T>
void sparsemax_columns_backward(Index rows, Index cols, Index stride, const T* y, const T* dy, T* dx) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    const auto kept = [=](Index i) { return load(y + i * stride + j, where) > Vec<T>{}; };
    const auto gradient = [=](Index i) { return load(dy + i * stride + j, where); };
    Vec<T> total{}, count{};
    for (Index i = 0; i < rows; ++i) {
      total += select(kept(i), gradient(i), Vec<T>{});
      count += select(kept(i), splat<T>(1), Vec<T>{});
    }
    const Vec<T> mean = total / count;
    for (Index i = 0; i < rows; ++i)
      store<T>(dx + i * stride + j, select(kept(i), gradient(i) - mean, Vec<T>{}), where);
  });
}

// A vector of columns at a time, so that each lane goes down a column of its own.
template <class T>
void columns(bool logarithm, Index rows, Index cols, Index stride, const T* x, T* y) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    const T* const from = x + j;
    T* const to = y + j;
    Vec<T> most = splat<T>(-kInfinity<T>), total{};
    for (Index i = 0; i < rows; ++i) most = max(load(from + i * stride, where), most);
    for (Index i = 0; i < rows; ++i) total += exp_of_negative<T>(load(from + i * stride, where) - most);
    const Vec<T> shift = log<T>(total), factor = T(1) / total;
    for (Index i = 0; i < rows; ++i) {
      const Vec<T> v = load(from + i * stride, where) - most;
      store<T>(to + i * stride, logarithm ? v - shift : exp_of_negative<T>(v) * factor, where);
    }
  });
}

template <class T>
void columns_backward(bool logarithm, Index rows, Index cols, Index stride, const T* y, const T* dy, T* dx) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    const auto out = [=](Index i) { return load(y + i * stride + j, where); };
    const auto gradient = [=](Index i) { return load(dy + i * stride + j, where); };
    Vec<T> total{};
    for (Index i = 0; i < rows; ++i) total += logarithm ? gradient(i) : out(i) * gradient(i);
    for (Index i = 0; i < rows; ++i) {
      const Vec<T> d = logarithm ? gradient(i) - exp_of_negative<T>(out(i)) * total : out(i) * (gradient(i) - total);
      store<T>(dx + i * stride + j, d, where);
    }
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                               \
  void softmax(Index rows, Index cols, const T* x, T* y) noexcept { softmax_rows(rows, cols, x, y); }          \
  void softmax_backward(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept {                     \
    softmax_rows_backward(rows, cols, y, dy, dx);                                                              \
  }                                                                                                            \
  void log_softmax(Index rows, Index cols, const T* x, T* y) noexcept { log_softmax_rows(rows, cols, x, y); }  \
  void log_softmax_backward(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept {                 \
    log_softmax_rows_backward(rows, cols, y, dy, dx);                                                          \
  }                                                                                                            \
  void sparsemax(Index rows, Index cols, const T* x, T* y) noexcept { sparsemax_rows(rows, cols, x, y); }      \
  void sparsemax_backward(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept {                   \
    sparsemax_rows_backward(rows, cols, y, dy, dx);                                                            \
  }                                                                                                            \
  void softmax_columns(AxisFunction f, Index rows, Index cols, Index stride, const T* x, T* y) noexcept {      \
    if (f == AxisFunction::sparsemax) return sparsemax_columns(rows, cols, stride, x, y);                      \
    columns(f == AxisFunction::log_softmax, rows, cols, stride, x, y);                                         \
  }                                                                                                            \
  void softmax_columns_backward(AxisFunction f, Index rows, Index cols, Index stride, const T* y, const T* dy, \
                                T* dx) noexcept {                                                              \
    if (f == AxisFunction::sparsemax) return sparsemax_columns_backward(rows, cols, stride, y, dy, dx);        \
    columns_backward(f == AxisFunction::log_softmax, rows, cols, stride, y, dy, dx);                           \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
