// Gradient descent on one linear unit, sample by sample: a whole step is some hundred instructions, fewer than it takes
// to call its parts.
#include "kernels/dot.h"
#include "kernels/families.h"
#include "kernels/pointwise.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// The weights, of which those beyond the last whole vector stay in a register: a processor does not hand on to a load
// what a masked store has just written, and each step waits for the one before.
template <class T>
struct Weights {
  T* w;
  Vec<T> rest;
  FASTGD_INLINE Vec<T> get(Index j, Whole) const { return load(w + j); }
  FASTGD_INLINE Vec<T> get(Index, Part) const { return rest; }
  FASTGD_INLINE void set(Index j, Whole, Vec<T> v) { store(w + j, v); }
  FASTGD_INLINE void set(Index, Part, Vec<T> v) { rest = v; }
};

// evaluate(z, t, slope) returns the loss; all lanes hold the same.
template <class T, class F>
double run_steps(const LinearSteps<T>& s, double total, F evaluate) {
  const Index n = s.inputs, tail = n % kLanes<T>;
  Weights<T> w{s.w, tail == 0 ? Vec<T>{} : load(s.w + n - tail, Part{tail})};
  const bool biased = s.b != nullptr;
  Vec<T> b = biased ? splat<T>(*s.b) : Vec<T>{};
  for (Index i = 0; i < s.steps; ++i) {
    const Index sample = s.order == nullptr ? s.first + i : s.order[i];
    const T* const x = reinterpret_cast<const T*>(s.x + sample * s.x_bytes);
    const auto of_x = [=](Index j, auto where) { return load(x + j, where); };
    const auto of_w = [&](Index j, auto where) { return w.get(j, where); };
    Vec<T> z = splat<T>(sum<T>(dot_vector<T>(n, of_x, of_w)));
    if (biased) z += b;
    Vec<T> slope;
    const Vec<T> target = splat<T>(*reinterpret_cast<const T*>(s.t + sample * s.t_bytes));
    total += static_cast<double>(evaluate(z, target, slope)[0]);
    const Vec<T> d = s.scale * slope, rate = splat<T>(static_cast<T>(-s.rates[s.one_rate ? 0 : i]));
    // The gradient rounded, as if it had been stored.
    for_vectors<T>(n, [&](Index j, auto where) { w.set(j, where, fma(rate, d * of_x(j, where), w.get(j, where))); });
    b = fma(rate, d, b);
  }
  if (tail > 0) store(s.w + n - tail, w.rest, Part{tail});
  if (biased) *s.b = b[0];
  return total;
}

template <class T, template <class> class F>
double run_formula(const LinearSteps<T>& s, double total) {
  const F<T> f{{s.loss.with}};
  return run_steps(s, total, [=](Vec<T> z, Vec<T> t, Vec<T>& slope) {
    slope = f.slope(z, t);
    return f.value(z, t);
  });
}

template <class T>
double run_sigmoid(const LinearSteps<T>& s, double total) {
  const SigmoidEntropy<T> f = sigmoid_entropy_of(s.loss.with.label_smoothing);
  return run_steps(s, total, [=](Vec<T> z, Vec<T> t, Vec<T>& slope) {
    Vec<T> p;
    const Vec<T> value = f.value(z, t, p);
    slope = f.slope(p, t);
    return value;
  });
}

}  // namespace

#define FASTGD_STEPS(name, Class, ...) \
  case LossFunction::name:             \
    return run_formula<Real, Class>(s, total);

#define FASTGD_DEFINE_KERNELS(T)                                        \
  double linear_steps(const LinearSteps<T>& s, double total) noexcept { \
    using Real = T;                                                     \
    if (s.loss.of_sigmoid) return run_sigmoid(s, total);                \
    switch (s.loss.function) {                                          \
      FASTGD_POINTWISE_LOSSES(FASTGD_STEPS)                             \
      default:                                                          \
        return total;                                                   \
    }                                                                   \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
