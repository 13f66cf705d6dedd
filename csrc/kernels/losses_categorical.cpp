// Cross-entropies with labels, and those from logits with labels or dense targets. One value per row.
#include "kernels/families.h"
#include "kernels/probabilities.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
void sparse_categorical(Index rows, Index cols, Index ignored, T epsilon, const T* p, const std::int32_t* t, T* v) {
  PerRow<T> share, weight;
  by_vectors_of_rows<T>(
      rows,
      [&](Index row, Index i) {
        const T* own = p + row * cols;
        weight.value[i] = t[row] == ignored ? T(0) : T(1);
        share.value[i] = is_label(t[row], cols) ? own[t[row]] / row_total(cols, own) : kNaN<T>;
        if (t[row] == ignored) share.value[i] = T(1);
      },
      [&](Index first, auto where) {
        store<T>(v + first, load(weight.value) * -log<T>(clipped<T>(load(share.value), epsilon)), where);
      });
}

template <class T>
void sparse_categorical_backward(Index rows, Index cols, Index ignored, T epsilon, const T* p, const std::int32_t* t,
                                 const T* dv, T* dp) {
  for (Index row = 0; row < rows; ++row, p += cols, dp += cols) {
    const std::int32_t label = t[row];
    T push = kNaN<T>, pull = kNaN<T>;
    if (label == ignored) {
      push = pull = T(0);
    } else if (is_label(label, cols)) {
      const T total = row_total(cols, p), own = p[label];
      const bool flat = is_clipped(own / total, epsilon);
      push = flat ? T(0) : dv[row] / own;
      pull = flat ? T(0) : dv[row] / total;
    }
    for_vectors<T>(cols, [=](Index j, auto where) { store<T>(dp + j, pull - push * one_hot<T>(j, label), where); });
  }
}

// sum(t' (log sum exp z - z)), split into log(total) sum(t') + sum(t' (max z - z)).
template <class T>
void softmax_entropy(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) {
  const Smoothing<T> smooth = smoothing_of(smoothing, cols);
  PerRow<T> total, weight, distance;
  by_vectors_of_rows<T>(
      rows,
      [&](Index row, Index i) {
        const T *x = z + row * cols, *own = t + row * cols;
        const SoftmaxRow<T> s = cols > 0 ? softmax_row(cols, x, p + row * cols) : SoftmaxRow<T>{};
        Vec<T> weights{}, distances{};
        for_vectors<T>(cols, [&](Index j, auto where) {
          const Vec<T> target = within<T>(where, smooth(load(own + j, where)), Vec<T>{});
          weights += target;
          distances += within<T>(where, target * (s.most - load(x + j, where)), Vec<T>{});
        });
        total.value[i] = s.total;
        weight.value[i] = sum<T>(weights);
        distance.value[i] = sum<T>(distances);
      },
      [&](Index first, auto where) {
        store<T>(v + first, fma(log<T>(load(total.value)), load(weight.value), load(distance.value)), where);
      });
}

template <class T>
void softmax_entropy_backward(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv, T* dz) {
  const Smoothing<T> smooth = smoothing_of(smoothing, cols);
  for (Index row = 0; row < rows; ++row, p += cols, t += cols, dz += cols) {
    const T weight = row_sum<T>(cols, [=](Index j, auto where) { return smooth(load(t + j, where)); });
    const T d = dv[row];
    for_vectors<T>(cols, [=](Index j, auto where) {
      store<T>(dz + j, d * (load(p + j, where) * weight - smooth(load(t + j, where))), where);
    });
  }
}

// sparse_softmax_entropy for the whole vectors of rows, if these have few columns; returns how many rows that were.
template <class T>
Index sparse_softmax_entropy_blocks(Index rows, Index cols, Index ignored, const T* z, const std::int32_t* t, T* v,
                                    T* p) {
  constexpr Index lanes = kLanes<T>;
  using Int = typename VecTypes<T>::Int;
  if (cols < 1 || cols > lanes) return 0;
  const bool ignores = ignored == static_cast<std::int32_t>(ignored);
  Index row = 0;
  for (; row + lanes <= rows; row += lanes) {
    IVec<T> label;
    load_numbers(t + row, label);
    Vec<T> distance = splat<T>(kNaN<T>);
    Vec<T> total = softmax_block(cols, z + row * cols, p + row * cols, [&](int j, Vec<T> below) {
      distance = select(label == static_cast<Int>(j), -below, distance);
    });
    if (ignores) {
      const auto skipped = label == static_cast<Int>(ignored);
      total = select(skipped, splat<T>(1), total);
      distance = select(skipped, Vec<T>{}, distance);
    }
    store<T>(v + row, log<T>(total) + distance);
  }
  return row;
}

template <class T>
void sparse_softmax_entropy(Index rows, Index cols, Index ignored, const T* z, const std::int32_t* t, T* v, T* p) {
  const Index done = sparse_softmax_entropy_blocks(rows, cols, ignored, z, t, v, p);
  rows -= done, z += done * cols, t += done, v += done, p += done * cols;
  PerRow<T> total, distance;
  by_vectors_of_rows<T>(
      rows,
      [&](Index row, Index i) {
        const T* x = z + row * cols;
        const SoftmaxRow<T> s = cols > 0 ? softmax_row(cols, x, p + row * cols) : SoftmaxRow<T>{};
        total.value[i] = s.total;
        distance.value[i] = is_label(t[row], cols) ? s.most - x[t[row]] : kNaN<T>;
        if (t[row] == ignored) total.value[i] = T(1), distance.value[i] = T(0);
      },
      [&](Index first, auto where) { store<T>(v + first, log<T>(load(total.value)) + load(distance.value), where); });
}

template <class T>
void sparse_softmax_entropy_backward(Index rows, Index cols, Index ignored, const T* p, const std::int32_t* t,
                                     const T* dv, T* dz) {
  for (Index row = 0; row < rows; ++row, p += cols, dz += cols) {
    const std::int32_t label = t[row];
    const T d = label == ignored ? T(0) : is_label(label, cols) ? dv[row] : kNaN<T>;
    for_vectors<T>(
        cols, [=](Index j, auto where) { store<T>(dz + j, d * (load(p + j, where) - one_hot<T>(j, label)), where); });
  }
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                      \
  void sparse_categorical_crossentropy(Index rows, Index cols, Index ignored, T epsilon, const T* p,                  \
                                       const std::int32_t* t, T* v) noexcept {                                        \
    sparse_categorical(rows, cols, ignored, epsilon, p, t, v);                                                        \
  }                                                                                                                   \
  void sparse_categorical_crossentropy_backward(Index rows, Index cols, Index ignored, T epsilon, const T* p,         \
                                                const std::int32_t* t, const T* dv, T* dp) noexcept {                 \
    sparse_categorical_backward(rows, cols, ignored, epsilon, p, t, dv, dp);                                          \
  }                                                                                                                   \
  void softmax_crossentropy(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) noexcept {       \
    softmax_entropy(rows, cols, smoothing, z, t, v, p);                                                               \
  }                                                                                                                   \
  void softmax_crossentropy_backward(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv,        \
                                     T* dz) noexcept {                                                                \
    softmax_entropy_backward(rows, cols, smoothing, p, t, dv, dz);                                                    \
  }                                                                                                                   \
  void sparse_softmax_crossentropy(Index rows, Index cols, Index ignored, const T* z, const std::int32_t* t, T* v,    \
                                   T* p) noexcept {                                                                   \
    sparse_softmax_entropy(rows, cols, ignored, z, t, v, p);                                                          \
  }                                                                                                                   \
  void sparse_softmax_crossentropy_backward(Index rows, Index cols, Index ignored, const T* p, const std::int32_t* t, \
                                            const T* dv, T* dz) noexcept {                                            \
    sparse_softmax_entropy_backward(rows, cols, ignored, p, t, dv, dz);                                               \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
