// Metrics, one value per row.
#include "kernels/families.h"
#include "kernels/rows.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// v = mean over the row of hit(p, t), a vector of ones and zeros.
template <class T, class F>
FASTGD_INLINE void mean_hits(Index rows, Index cols, const T* p, const T* t, T* v, F hit) {
  if (cols == 1) {
    // Rows of one element are a single long row whose elements are the results.
    for_vectors<T>(rows,
                   [=](Index i, auto where) { store<T>(v + i, hit(load(p + i, where), load(t + i, where)), where); });
    return;
  }
  for (Index row = 0; row < rows; ++row, p += cols, t += cols) {
    const auto hits = [=](Index j, auto where) { return hit(load(p + j, where), load(t + j, where)); };
    v[row] = row_sum<T>(cols, hits) / static_cast<T>(cols);
  }
}

// The first element that equals the largest; 0 where all are NaN.
template <class T>
FASTGD_INLINE Index first_maximum(Index cols, const T* x) {
  const Vec<T> most = splat<T>(row_max(cols, x));
  for (Index j = 0; j < cols; j += kLanes<T>) {
    // Lanes beyond the row hold zeros, and come after the one that is sought.
    const Index lane =
        cols - j < kLanes<T> ? first_equal(load_part(x + j, cols - j), most) : first_equal(load(x + j), most);
    if (lane < kLanes<T>) return j + lane < cols ? j + lane : 0;
  }
  return 0;
}

template <class T>
void equal_rows(Index rows, Index cols, const T* p, const T* t, T* v) {
  mean_hits(rows, cols, p, t, v, [](Vec<T> a, Vec<T> b) { return select(a == b, splat<T>(1), Vec<T>{}); });
}

template <class T>
void binary_rows(Index rows, Index cols, T threshold, const T* p, const T* t, T* v) {
  mean_hits(rows, cols, p, t, v, [=](Vec<T> a, Vec<T> b) {
    const Vec<T> guess = select(a > threshold, splat<T>(1), Vec<T>{});
    return select(guess == b, splat<T>(1), Vec<T>{});
  });
}

template <class T>
void categorical_rows(Index rows, Index cols, const T* p, const T* t, T* v) {
  for (Index row = 0; row < rows; ++row, p += cols, t += cols)
    v[row] = first_maximum(cols, p) == first_maximum(cols, t) ? T(1) : T(0);
}

template <class T>
void sparse_categorical_rows(Index rows, Index cols, const T* p, const std::int32_t* t, T* v) {
  for (Index row = 0; row < rows; ++row, p += cols) v[row] = first_maximum(cols, p) == t[row] ? T(1) : T(0);
}

// label(row) is the class that must be among the k largest. Ties count for it, and a NaN is the smallest.
template <class T, class F>
FASTGD_INLINE void top_k_rows(Index rows, Index cols, Index k, const T* p, T* v, F label) {
  for (Index row = 0; row < rows; ++row, p += cols) {
    const Index wanted = label(row);
    if (wanted < 0 || wanted >= cols) {
      v[row] = T(0);
      continue;
    }
    const T own = p[wanted] == p[wanted] ? p[wanted] : -kInfinity<T>;
    Index larger = 0;
    for (Index j = 0; j < cols; ++j) larger += p[j] > own;
    v[row] = larger < k ? T(1) : T(0);
  }
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                    \
  void accuracy(Index rows, Index cols, const T* p, const T* t, T* v) noexcept { equal_rows(rows, cols, p, t, v); } \
  void binary_accuracy(Index rows, Index cols, T threshold, const T* p, const T* t, T* v) noexcept {                \
    binary_rows(rows, cols, threshold, p, t, v);                                                                    \
  }                                                                                                                 \
  void categorical_accuracy(Index rows, Index cols, const T* p, const T* t, T* v) noexcept {                        \
    categorical_rows(rows, cols, p, t, v);                                                                          \
  }                                                                                                                 \
  void sparse_categorical_accuracy(Index rows, Index cols, const T* p, const std::int32_t* t, T* v) noexcept {      \
    sparse_categorical_rows(rows, cols, p, t, v);                                                                   \
  }                                                                                                                 \
  void top_k_categorical_accuracy(Index rows, Index cols, Index k, const T* p, const T* t, T* v) noexcept {         \
    top_k_rows(rows, cols, k, p, v, [=](Index row) { return first_maximum(cols, t + row * cols); });                \
  }                                                                                                                 \
  void sparse_top_k_categorical_accuracy(Index rows, Index cols, Index k, const T* p, const std::int32_t* t,        \
                                         T* v) noexcept {                                                           \
    top_k_rows(rows, cols, k, p, v, [=](Index row) { return static_cast<Index>(t[row]); });                         \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
