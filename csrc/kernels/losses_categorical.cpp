// Categorical cross-entropies, from probabilities or logits, with dense targets or labels. One value per row.
#include "kernels/families.h"
#include "kernels/rows.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Values that rows leave for one vector of logarithms: a logarithm per row would cost as much as the row.
template <class T>
struct alignas(64) PerRow {
  T value[kLanes<T>] = {};
};

// Calls f(row, i) for the rows, i being its place in a vector, and after each vector of them finish(first row, where).
template <class T, class F, class G>
FASTGD_INLINE void by_vectors_of_rows(Index rows, F f, G finish) {
  for_vectors<T>(rows, [&](Index first, auto where) {
    const Index count = rows - first < kLanes<T> ? rows - first : kLanes<T>;
    for (Index i = 0; i < count; ++i) f(first + i, i);
    finish(first, where);
  });
}

// t' = t (1 - s) + s / c.
template <class T>
struct Smoothing {
  T keep, add;
  FASTGD_INLINE Vec<T> operator()(Vec<T> t) const { return t * keep + add; }
};
template <class T>
FASTGD_INLINE Smoothing<T> smoothing_of(T smoothing, Index cols) {
  return {T(1) - smoothing, smoothing / static_cast<T>(cols)};
}

// Clipped to [epsilon, 1 - epsilon]; NaN stays.
template <class T>
FASTGD_INLINE Vec<T> clipped(Vec<T> r, T epsilon) {
  return min(splat<T>(T(1) - epsilon), max(splat<T>(epsilon), r));
}
template <class T>
FASTGD_INLINE bool is_clipped(T r, T epsilon) {
  return r < epsilon || r > T(1) - epsilon;
}

template <class T>
FASTGD_INLINE T row_total(Index cols, const T* p) {
  return row_sum<T>(cols, [=](Index j, auto where) { return load(p + j, where); });
}

template <class T>
void categorical(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t, T* v) {
  const Smoothing<T> smooth = smoothing_of(smoothing, cols);
  for (Index row = 0; row < rows; ++row, p += cols, t += cols) {
    const T total = row_total(cols, p);
    v[row] = -row_sum<T>(cols, [=](Index j, auto where) {
      return smooth(load(t + j, where)) * log<T>(clipped<T>(load(p + j, where) / total, epsilon));
    });
  }
}

// With r = p / sum(p) and a = sum of t' where r is not clipped: dp = dv (a / sum(p) - t' / p), the last where not
// clipped.
template <class T>
void categorical_backward(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t, const T* dv, T* dp) {
  const Smoothing<T> smooth = smoothing_of(smoothing, cols);
  for (Index row = 0; row < rows; ++row, p += cols, t += cols, dp += cols) {
    const T total = row_total(cols, p);
    const auto target = [=](Index j, auto where) {
      const Vec<T> r = load(p + j, where) / total;
      return select((r < epsilon) | (r > T(1) - epsilon), Vec<T>{}, smooth(load(t + j, where)));
    };
    const T pull = row_sum<T>(cols, target) / total;
    const T d = dv[row];
    for_vectors<T>(cols, [=](Index j, auto where) {
      const Vec<T> own = target(j, where);
      // A clipped p may be 0.
      const Vec<T> push = select(own == T(0), Vec<T>{}, own / load(p + j, where));
      store<T>(dp + j, d * (pull - push), where);
    });
  }
}

template <class T>
void sparse_categorical(Index rows, Index cols, T epsilon, const T* p, const std::int32_t* t, T* v) {
  PerRow<T> share;
  by_vectors_of_rows<T>(
      rows,
      [&](Index row, Index i) {
        const T* own = p + row * cols;
        share.value[i] = is_label(t[row], cols) ? own[t[row]] / row_total(cols, own) : kNaN<T>;
      },
      [&](Index first, auto where) { store<T>(v + first, -log<T>(clipped<T>(load(share.value), epsilon)), where); });
}

template <class T>
void sparse_categorical_backward(Index rows, Index cols, T epsilon, const T* p, const std::int32_t* t, const T* dv,
                                 T* dp) {
  for (Index row = 0; row < rows; ++row, p += cols, dp += cols) {
    const std::int32_t label = t[row];
    T push = kNaN<T>, pull = kNaN<T>;
    if (is_label(label, cols)) {
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

template <class T>
void sparse_softmax_entropy(Index rows, Index cols, const T* z, const std::int32_t* t, T* v, T* p) {
  PerRow<T> total, distance;
  by_vectors_of_rows<T>(
      rows,
      [&](Index row, Index i) {
        const T* x = z + row * cols;
        const SoftmaxRow<T> s = cols > 0 ? softmax_row(cols, x, p + row * cols) : SoftmaxRow<T>{};
        total.value[i] = s.total;
        distance.value[i] = is_label(t[row], cols) ? s.most - x[t[row]] : kNaN<T>;
      },
      [&](Index first, auto where) { store<T>(v + first, log<T>(load(total.value)) + load(distance.value), where); });
}

template <class T>
void sparse_softmax_entropy_backward(Index rows, Index cols, const T* p, const std::int32_t* t, const T* dv, T* dz) {
  for (Index row = 0; row < rows; ++row, p += cols, dz += cols) {
    const std::int32_t label = t[row];
    const T d = is_label(label, cols) ? dv[row] : kNaN<T>;
    for_vectors<T>(
        cols, [=](Index j, auto where) { store<T>(dz + j, d * (load(p + j, where) - one_hot<T>(j, label)), where); });
  }
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                      \
  void categorical_crossentropy(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t,               \
                                T* v) noexcept {                                                                      \
    categorical(rows, cols, smoothing, epsilon, p, t, v);                                                             \
  }                                                                                                                   \
  void categorical_crossentropy_backward(Index rows, Index cols, T smoothing, T epsilon, const T* p, const T* t,      \
                                         const T* dv, T* dp) noexcept {                                               \
    categorical_backward(rows, cols, smoothing, epsilon, p, t, dv, dp);                                               \
  }                                                                                                                   \
  void sparse_categorical_crossentropy(Index rows, Index cols, T epsilon, const T* p, const std::int32_t* t,          \
                                       T* v) noexcept {                                                               \
    sparse_categorical(rows, cols, epsilon, p, t, v);                                                                 \
  }                                                                                                                   \
  void sparse_categorical_crossentropy_backward(Index rows, Index cols, T epsilon, const T* p, const std::int32_t* t, \
                                                const T* dv, T* dp) noexcept {                                        \
    sparse_categorical_backward(rows, cols, epsilon, p, t, dv, dp);                                                   \
  }                                                                                                                   \
  void softmax_crossentropy(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) noexcept {       \
    softmax_entropy(rows, cols, smoothing, z, t, v, p);                                                               \
  }                                                                                                                   \
  void softmax_crossentropy_backward(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv,        \
                                     T* dz) noexcept {                                                                \
    softmax_entropy_backward(rows, cols, smoothing, p, t, dv, dz);                                                    \
  }                                                                                                                   \
  void sparse_softmax_crossentropy(Index rows, Index cols, const T* z, const std::int32_t* t, T* v, T* p) noexcept {  \
    sparse_softmax_entropy(rows, cols, z, t, v, p);                                                                   \
  }                                                                                                                   \
  void sparse_softmax_crossentropy_backward(Index rows, Index cols, const T* p, const std::int32_t* t, const T* dv,   \
                                            T* dz) noexcept {                                                         \
    sparse_softmax_entropy_backward(rows, cols, p, t, dv, dz);                                                        \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
