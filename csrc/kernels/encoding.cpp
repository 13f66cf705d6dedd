// Numbers to bins and labels to vectors.
#include "kernels/families.h"
#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// The number of boundaries that are not above x, found by halving; NaN is above all.
template <class T>
FASTGD_INLINE std::int32_t bin_of(Index count, const T* boundaries, T x) {
  Index low = 0, high = count;
  while (low < high) {
    const Index middle = (low + high) / 2;
    if (x < boundaries[middle]) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return static_cast<std::int32_t>(low);
}

template <class T>
void bins_of(Index n, Index count, const T* boundaries, const T* x, std::int32_t* y) {
  for (Index i = 0; i < n; ++i) y[i] = bin_of(count, boundaries, x[i]);
}

template <class T>
void encode(Index rows, Index labels, Index classes, bool counts, const std::int32_t* x, T* y) {
  for (Index i = 0; i < rows * classes; ++i) y[i] = T(0);
  for (Index row = 0; row < rows; ++row, x += labels, y += classes)
    for (Index j = 0; j < labels; ++j)
      if (x[j] >= 0 && x[j] < classes) y[x[j]] = counts ? y[x[j]] + T(1) : T(1);
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                   \
  void discretize(Index n, Index count, const T* boundaries, const T* x, std::int32_t* y) noexcept {               \
    bins_of(n, count, boundaries, x, y);                                                                           \
  }                                                                                                                \
  void encode_labels(Index rows, Index labels, Index classes, bool counts, const std::int32_t* x, T* y) noexcept { \
    encode(rows, labels, classes, counts, x, y);                                                                   \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
