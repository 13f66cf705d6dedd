// Losses of whole rows with a target of the same shape: a class with the value of a row and its gradient for each.
#include "kernels/families.h"
#include "kernels/probabilities.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Each class below has value(p, t), of one row, and gradient(p, t, d, dp), which writes d times the derivative by p.
template <class T>
struct RowFormula {
  LossNumbers<T> with;
  Index cols;
};

template <class T>
struct KLDivergence : RowFormula<T> {
  FASTGD_INLINE Vec<T> cut(Vec<T> x) const { return min(splat<T>(1), max(splat<T>(this->with.epsilon), x)); }
  FASTGD_INLINE T value(const T* p, const T* t) const {
    return row_sum<T>(this->cols, [=, this](Index j, auto where) {
      const Vec<T> target = cut(load(t + j, where));
      return target * log<T>(target / cut(load(p + j, where)));
    });
  }
  FASTGD_INLINE void gradient(const T* p, const T* t, T d, T* dp) const {
    for_vectors<T>(this->cols, [=, this](Index j, auto where) {
      const Vec<T> q = load(p + j, where);
      const Vec<T> slope = -cut(load(t + j, where)) / q;
      store<T>(dp + j, d * select((q < this->with.epsilon) | (q > T(1)), Vec<T>{}, slope), where);
    });
  }
};

// sign p.t / (|p| |t|), both lengths at least epsilon. Where |p| is longer: dp = sign (t / |t| - p cos / |p|) / |p|.
template <class T>
struct CosineSimilarity : RowFormula<T> {
  struct Row {
    T p, t, both;  // 1 / |p|, 1 / |t|, p.t
    bool is_long;  // whether |p| is above epsilon
  };
  FASTGD_INLINE Row measure(const T* p, const T* t) const {
    Vec<T> pp{}, tt{}, pt{};
    for_vectors<T>(this->cols, [&](Index j, auto where) {
      // Lanes beyond the row load as zeros.
      const Vec<T> a = load(p + j, where), b = load(t + j, where);
      pp += a * a, tt += b * b, pt += a * b;
    });
    const T epsilon = this->with.epsilon, a = __builtin_sqrt(sum<T>(pp)), b = __builtin_sqrt(sum<T>(tt));
    return {T(1) / (a < epsilon ? epsilon : a), T(1) / (b < epsilon ? epsilon : b), sum<T>(pt), a > epsilon};
  }
  FASTGD_INLINE T value(const T* p, const T* t) const {
    const Row r = measure(p, t);
    return this->with.sign * (r.both * r.p * r.t);
  }
  FASTGD_INLINE void gradient(const T* p, const T* t, T d, T* dp) const {
    const Row r = measure(p, t);
    const T scale = this->with.sign * d * r.p * r.t, back = r.is_long ? r.both * r.p * r.p : T(0);
    for_vectors<T>(this->cols, [=](Index j, auto where) {
      store<T>(dp + j, scale * (load(t + j, where) - back * load(p + j, where)), where);
    });
  }
};

// max(0, 1 + max((1 - t) p) - sum(t p)); of several maxima the first has the slope.
template <class T>
struct CategoricalHinge : RowFormula<T> {
  struct Row {
    T worst, gap;
  };
  FASTGD_INLINE Row measure(const T* p, const T* t) const {
    Vec<T> own{}, worst = splat<T>(-kInfinity<T>);
    for_vectors<T>(this->cols, [&](Index j, auto where) {
      const Vec<T> a = load(p + j, where), b = load(t + j, where);
      own += a * b;
      worst = max(within<T>(where, (T(1) - b) * a, splat<T>(-kInfinity<T>)), worst);
    });
    const T most = max_of<T>(worst);
    return {most, most - sum<T>(own) + T(1)};
  }
  FASTGD_INLINE T value(const T* p, const T* t) const {
    const T gap = measure(p, t).gap;
    return gap <= T(0) ? T(0) : gap;
  }
  FASTGD_INLINE void gradient(const T* p, const T* t, T d, T* dp) const {
    const Row r = measure(p, t);
    const T push = r.gap <= T(0) ? T(0) : d;
    bool open = true;
    for_vectors<T>(this->cols, [&](Index j, auto where) {
      const Vec<T> b = load(t + j, where), other = within<T>(where, (T(1) - b) * load(p + j, where), splat<T>(kNaN<T>));
      Vec<T> slope = -b;
      const Index lane = open ? first_equal(other, splat<T>(r.worst)) : kLanes<T>;
      if (lane < kLanes<T>) {
        open = false;
        slope += one_hot<T>(0, static_cast<std::int32_t>(lane)) * (T(1) - b);
      }
      store<T>(dp + j, push * slope, where);
    });
  }
};

// -sum(term(q, t)) with r = p / sum(p) and q = clipped(r); pull(r, t) is r times the derivative of the term by r.
template <class T, class F>
FASTGD_INLINE T normalized_value(const RowFormula<T>& row, const T* p, const T* t, F term) {
  const T total = row_total(row.cols, p);
  return -row_sum<T>(row.cols, [=, &row](Index j, auto where) {
    return term(clipped<T>(load(p + j, where) / total, row.with.epsilon), load(t + j, where));
  });
}

// With a = sum of pull where r is not clipped: dp = d (a / sum(p) - pull / p), the last where not clipped.
template <class T, class F>
FASTGD_INLINE void normalized_gradient(const RowFormula<T>& row, const T* p, const T* t, T d, T* dp, F pull) {
  const T total = row_total(row.cols, p);
  const auto own = [=, &row](Index j, auto where) {
    const Vec<T> r = load(p + j, where) / total;
    return unless_clipped<T>(r, row.with.epsilon, pull(r, load(t + j, where)));
  };
  const T back = row_sum<T>(row.cols, own) / total;
  for_vectors<T>(row.cols, [=](Index j, auto where) {
    const Vec<T> here = own(j, where);
    // A clipped p may be 0.
    const Vec<T> push = select(here == T(0), Vec<T>{}, here / load(p + j, where));
    store<T>(dp + j, d * (back - push), where);
  });
}

template <class T>
struct CategoricalCrossentropy : RowFormula<T> {
  FASTGD_INLINE T value(const T* p, const T* t) const {
    const Smoothing<T> smooth = smoothing_of(this->with.label_smoothing, this->cols);
    return normalized_value<T>(*this, p, t, [=](Vec<T> q, Vec<T> target) { return smooth(target) * log<T>(q); });
  }
  FASTGD_INLINE void gradient(const T* p, const T* t, T d, T* dp) const {
    const Smoothing<T> smooth = smoothing_of(this->with.label_smoothing, this->cols);
    normalized_gradient<T>(*this, p, t, d, dp, [=](Vec<T>, Vec<T> target) { return smooth(target); });
  }
};

// The term alpha (1 - q)^gamma t' log q.
template <class T>
struct CategoricalFocalCrossentropy : RowFormula<T> {
  FASTGD_INLINE T value(const T* p, const T* t) const {
    const Smoothing<T> smooth = smoothing_of(this->with.label_smoothing, this->cols);
    const T alpha = this->with.alpha, gamma = this->with.gamma;
    return normalized_value<T>(*this, p, t, [=](Vec<T> q, Vec<T> target) {
      return alpha * power<T>(T(1) - q, gamma) * smooth(target) * log<T>(q);
    });
  }
  FASTGD_INLINE void gradient(const T* p, const T* t, T d, T* dp) const {
    const Smoothing<T> smooth = smoothing_of(this->with.label_smoothing, this->cols);
    const T alpha = this->with.alpha, gamma = this->with.gamma;
    normalized_gradient<T>(*this, p, t, d, dp, [=](Vec<T> r, Vec<T> target) {
      const Vec<T> rest = T(1) - r;
      Vec<T> slope = power<T>(rest, gamma);
      if (gamma != T(0)) slope -= gamma * r * power<T>(rest, gamma - T(1)) * log<T>(r);
      return alpha * smooth(target) * slope;
    });
  }
};

template <class T, template <class> class F>
void values(const LossNumbers<T>& with, Index rows, Index cols, const T* p, const T* t, T* v) {
  const F<T> f{{with, cols}};
  for (Index row = 0; row < rows; ++row) v[row] = f.value(p + row * cols, t + row * cols);
}

template <class T, template <class> class F>
void gradients(const LossNumbers<T>& with, Index rows, Index cols, const T* p, const T* t, const T* dv, T* dp) {
  const F<T> f{{with, cols}};
  for (Index at = 0; rows > 0; --rows, at += cols) f.gradient(p + at, t + at, *dv++, dp + at);
}

}  // namespace

#define FASTGD_VALUES(name, Class, ...) \
  case LossFunction::name:              \
    return values<Real, Class>(with, rows, cols, p, t, v);
#define FASTGD_GRADIENTS(name, Class, ...) \
  case LossFunction::name:                 \
    return gradients<Real, Class>(with, rows, cols, p, t, dv, dp);

#define FASTGD_DEFINE_KERNELS(T)                                                                               \
  void vector_loss(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p, const T* t, \
                   T* v) noexcept {                                                                            \
    using Real = T;                                                                                            \
    switch (f) {                                                                                               \
      FASTGD_VECTOR_LOSSES(FASTGD_VALUES)                                                                      \
      default:                                                                                                 \
        return;                                                                                                \
    }                                                                                                          \
  }                                                                                                            \
  void vector_loss_backward(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p,    \
                            const T* t, const T* dv, T* dp) noexcept {                                         \
    using Real = T;                                                                                            \
    switch (f) {                                                                                               \
      FASTGD_VECTOR_LOSSES(FASTGD_GRADIENTS)                                                                   \
      default:                                                                                                 \
        return;                                                                                                \
    }                                                                                                          \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
