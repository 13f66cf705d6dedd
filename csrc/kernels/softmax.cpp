// Softmax and its logarithm over rows and over columns, and their derivatives.
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
  void softmax_columns(bool logarithm, Index rows, Index cols, Index stride, const T* x, T* y) noexcept {      \
    columns(logarithm, rows, cols, stride, x, y);                                                              \
  }                                                                                                            \
  void softmax_columns_backward(bool logarithm, Index rows, Index cols, Index stride, const T* y, const T* dy, \
                                T* dx) noexcept {                                                              \
    columns_backward(logarithm, rows, cols, stride, y, dy, dx);                                                \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
