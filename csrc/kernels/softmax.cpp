// Softmax over rows and its derivative.
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

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                      \
  void softmax(Index rows, Index cols, const T* x, T* y) noexcept { softmax_rows(rows, cols, x, y); } \
  void softmax_backward(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept {            \
    softmax_rows_backward(rows, cols, y, dy, dx);                                                     \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
