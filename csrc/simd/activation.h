// The elementwise functions by name: value and gradient of each, once, for the kernels that apply them and the products
// that take them along.
//
// `gradient(v, d, p)` is d f'(x), taken from v = f(x) or v = x as the list in base/types.h says. Large |x| gives no
// NaN, and where a formula would, the unused branch of a select holds it.
#pragma once

#include "simd/math.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
using Spec = ActivationSpec<T>;

template <class T, Activation f>
struct Function;

#define FASTGD_VALUE(x, p) static FASTGD_INLINE Vec<T> value([[maybe_unused]] Vec<T> x, [[maybe_unused]] Spec<T> p)
#define FASTGD_GRADIENT(v, d, p) \
  static FASTGD_INLINE Vec<T> gradient([[maybe_unused]] Vec<T> v, Vec<T> d, [[maybe_unused]] Spec<T> p)

// --- the derivative from the output
// --------------------------------------------------------------------------------------

template <class T>
struct Function<T, Activation::linear> {
  FASTGD_VALUE(x, p) { return x; }
  FASTGD_GRADIENT(y, d, p) { return d; }
};

template <class T>
struct Function<T, Activation::sigmoid> {
  FASTGD_VALUE(x, p) { return sigmoid<T>(x); }
  FASTGD_GRADIENT(y, d, p) { return d * (y * (T(1) - y)); }
};

template <class T>
struct Function<T, Activation::tanh> {
  FASTGD_VALUE(x, p) { return tanh<T>(x); }
  static FASTGD_INLINE void values(Vec<T> (&x)[2]) { tanh_of<T>(x); }
  // (1 - y)(1 + y) keeps its precision where y is near 1 or -1.
  FASTGD_GRADIENT(y, d, p) { return d * ((T(1) - y) * (T(1) + y)); }
};

template <class T>
struct Function<T, Activation::relu> {
  FASTGD_VALUE(x, p) { return relu<T>(x); }
  FASTGD_GRADIENT(y, d, p) { return select(y > T(0), d, Vec<T>{}); }
};

template <class T>
struct Function<T, Activation::leaky_relu> {
  FASTGD_VALUE(x, p) { return leaky_relu<T>(x, splat<T>(p.a)); }
  FASTGD_GRADIENT(y, d, p) { return select(y > T(0), d, d * p.a); }
};

// x between two bounds, the slope 1 / kDivisor inside and 0 on them and beyond.
template <class T, int kLow, int kHigh, int kShift, int kDivisor>
struct Ramp {
  FASTGD_VALUE(x, p) { return clip<T>(T(kLow), T(kHigh), x + T(kShift)) / T(kDivisor); }
  FASTGD_GRADIENT(y, d, p) {
    constexpr T kBottom = T(kLow) / T(kDivisor), kTop = T(kHigh) / T(kDivisor);
    return select((y > kBottom) & (y < kTop), d * T(1.0 / kDivisor), Vec<T>{});
  }
};

template <class T>
struct Function<T, Activation::relu6> : Ramp<T, 0, 6, 0, 1> {};
template <class T>
struct Function<T, Activation::hard_tanh> : Ramp<T, -1, 1, 0, 1> {};
template <class T>
struct Function<T, Activation::hard_sigmoid> : Ramp<T, 0, 6, 3, 6> {};
template <class T>
struct Function<T, Activation::sparse_sigmoid> : Ramp<T, 0, 2, 1, 2> {};

// scale * x above 0 and scale * alpha (e^(x / width) - 1) below.
template <class T>
FASTGD_INLINE Vec<T> exponential_unit(Vec<T> x, T scale, T alpha, T width) {
  // The minimum gives its second argument where that is NaN.
  return scale * select(x > T(0), x, alpha * expm1_of_negative<T>(min(Vec<T>{}, x / width)));
}

template <class T>
struct Function<T, Activation::elu> {
  FASTGD_VALUE(x, p) { return exponential_unit<T>(x, T(1), p.a, T(1)); }
  FASTGD_GRADIENT(y, d, p) { return select(y > T(0), d, d * (y + p.a)); }
};

template <class T>
struct Function<T, Activation::selu> {
  static constexpr T kScale = T(1.0507009873554804934193349852946), kAlpha = T(1.6732632423543772848170429916717);
  FASTGD_VALUE(x, p) { return exponential_unit<T>(x, kScale, kAlpha, T(1)); }
  FASTGD_GRADIENT(y, d, p) { return d * select(y > T(0), splat<T>(kScale), y + kScale * kAlpha); }
};

template <class T>
struct Function<T, Activation::celu> {
  FASTGD_VALUE(x, p) { return exponential_unit<T>(x, T(1), p.a, p.a); }
  FASTGD_GRADIENT(y, d, p) { return select(y > T(0), d, d * (y / p.a + T(1))); }
};

template <class T>
struct Function<T, Activation::exponential> {
  FASTGD_VALUE(x, p) { return exp<T>(x); }
  FASTGD_GRADIENT(y, d, p) { return d * y; }
};

// e^-y = 1 / (1 + e^x), so that the slope is 1 - e^-y.
template <class T>
struct Function<T, Activation::softplus> {
  FASTGD_VALUE(x, p) { return softplus<T>(x); }
  FASTGD_GRADIENT(y, d, p) { return -d * expm1_of_negative<T>(-y); }
};

template <class T>
struct Function<T, Activation::log_sigmoid> {
  FASTGD_VALUE(x, p) { return -softplus<T>(-x); }
  FASTGD_GRADIENT(y, d, p) { return -d * expm1_of_negative<T>(y); }
};

template <class T>
struct Function<T, Activation::softsign> {
  FASTGD_VALUE(x, p) { return x / (T(1) + abs<T>(x)); }
  FASTGD_GRADIENT(y, d, p) {
    const Vec<T> rest = T(1) - abs<T>(y);
    return d * (rest * rest);
  }
};

// (x + root) / 2 with root = sqrt(x^2 + b); below 0, where that cancels, as b / 2 / (root - x). The root is y + b / 4
// y.
template <class T>
struct Function<T, Activation::squareplus> {
  FASTGD_VALUE(x, p) {
    // Beyond, the root is |x| to the last bit and the square may overflow.
    constexpr T kLarge = T(1e15);
    const Vec<T> size = abs<T>(x), square = sqrt(x * x + p.a);
    const Vec<T> sum = size + select(size > kLarge, size, square);
    return select(x < T(0), T(0.5) * p.a / sum, T(0.5) * sum);
  }
  FASTGD_GRADIENT(y, d, p) { return select(y > T(0), d / (T(1) + T(0.25) * p.a / (y * y)), Vec<T>{}); }
};

// (x + 1)^2 / 4 between -1 and 1, whose slope (x + 1) / 2 is the root of y.
template <class T>
struct Function<T, Activation::sparse_plus> {
  FASTGD_VALUE(x, p) {
    const Vec<T> rise = max(Vec<T>{}, x + T(1));
    return select(x < T(1), T(0.25) * rise * rise, x);
  }
  FASTGD_GRADIENT(y, d, p) { return d * min(sqrt(y), splat<T>(T(1))); }
};

template <class T>
struct Function<T, Activation::soft_shrink> {
  FASTGD_VALUE(x, p) { return x - clip<T>(-p.a, p.a, x); }
  FASTGD_GRADIENT(y, d, p) { return select(y == T(0), Vec<T>{}, d); }
};

template <class T>
struct Function<T, Activation::hard_shrink> {
  FASTGD_VALUE(x, p) { return select(abs<T>(x) <= p.a, Vec<T>{}, x); }
  FASTGD_GRADIENT(y, d, p) { return select(y == T(0), Vec<T>{}, d); }
};

// --- the derivative from the input
// ---------------------------------------------------------------------------------------

// a (x - c) up to c, x beyond it, from 0 to b if b is finite.
template <class T>
struct Function<T, Activation::thresholded_relu> {
  static constexpr T kUnbounded = static_cast<T>(__builtin_inf());
  FASTGD_VALUE(x, p) {
    const Vec<T> above = p.b < kUnbounded ? clip<T>(T(0), p.b, x) : x;
    const Vec<T> below = p.a == T(0) ? Vec<T>{} : (x - p.c) * p.a;
    return select(x <= p.c, below, above);
  }
  FASTGD_GRADIENT(x, d, p) {
    const T low = p.b < kUnbounded ? T(0) : -kUnbounded;
    return select((x > p.c) & (x >= low) & (x <= p.b), d, select(x < p.c, d * p.a, Vec<T>{}));
  }
};

template <class T>
struct Function<T, Activation::threshold> {
  FASTGD_VALUE(x, p) { return select(x <= p.a, splat<T>(p.b), x); }
  FASTGD_GRADIENT(x, d, p) { return select(x > p.a, d, Vec<T>{}); }
};

template <class T>
struct Function<T, Activation::tanh_shrink> {
  FASTGD_VALUE(x, p) { return x - tanh<T>(x); }
  FASTGD_GRADIENT(x, d, p) {
    const Vec<T> t = tanh<T>(x);
    return d * (t * t);
  }
};

template <class T>
struct Function<T, Activation::silu> {
  FASTGD_VALUE(x, p) { return x * sigmoid<T>(x); }
  FASTGD_GRADIENT(x, d, p) {
    const Vec<T> s = sigmoid<T>(x);
    return d * (s * (T(1) + x * (T(1) - s)));
  }
};

template <class T>
struct Function<T, Activation::hard_silu> {
  FASTGD_VALUE(x, p) { return x * (clip<T>(T(0), T(6), x + T(3)) / T(6)); }
  FASTGD_GRADIENT(x, d, p) {
    const Vec<T> inside = d * (x / T(3) + T(0.5));
    return select(x >= T(3), d, select(x <= T(-3), Vec<T>{}, inside));
  }
};

// x tanh(log(1 + e^x)). With e = e^-|x| the tanh is (1 + 2e) / (1 + 2e + 2e^2) above 0 and (e^2 + 2e) / (e^2 + 2e + 2)
// below.
template <class T>
struct Function<T, Activation::mish> {
  struct Parts {
    Vec<T> e, numerator, rest;  // the tanh is numerator / (numerator + rest)
  };
  static FASTGD_INLINE Parts split_tanh(Vec<T> x) {
    const Vec<T> e = exp_of_negative<T>(-abs<T>(x));
    const auto above = x > T(0);
    return {e, select(above, T(1) + T(2) * e, e * (e + T(2))), select(above, T(2) * e * e, splat<T>(T(2)))};
  }
  FASTGD_VALUE(x, p) {
    const Parts t = split_tanh(x);
    return x * (t.numerator / (t.numerator + t.rest));
  }
  FASTGD_GRADIENT(x, d, p) {
    const Parts t = split_tanh(x);
    const Vec<T> whole = t.numerator + t.rest, w = t.numerator / whole;
    const Vec<T> s = select(x > T(0), splat<T>(T(1)), t.e) / (T(1) + t.e);
    return d * (w + x * s * ((t.rest / whole) * (T(1) + w)));
  }
};

// x P(X <= x) for a standard normal X, whose density is the second term's factor.
template <class T>
struct Function<T, Activation::gelu> {
  static constexpr T kDensity = T(0.39894228040143267793994605993438);  // 1 / sqrt(2 pi)
  static FASTGD_INLINE Vec<T> share_below(Vec<T> x, Vec<T> bell) {
    const Vec<T> tail = normal_tail<T>(abs<T>(x)) * bell;
    return select(x > T(0), T(1) - tail, tail);
  }
  static FASTGD_INLINE Vec<T> bell(Vec<T> x) { return exp_of_negative<T>(T(-0.5) * x * x); }
  FASTGD_VALUE(x, p) { return x * share_below(x, bell(x)); }
  FASTGD_GRADIENT(x, d, p) {
    const Vec<T> e = bell(x);
    return d * fma(x, e * kDensity, share_below(x, e));
  }
};

// x (1 + tanh u) / 2 = x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3).
template <class T>
struct Function<T, Activation::gelu_tanh> {
  static constexpr T kTwice = T(1.5957691216057307117597842397375);  // 2 sqrt(2 / pi)
  static constexpr T kCubic = T(0.044715);
  // Beyond, the sigmoid is 0 or 1 to the last bit, and the cube might overflow.
  static FASTGD_INLINE Vec<T> cut(Vec<T> x) { return clip<T>(T(-64), T(64), x); }
  static FASTGD_INLINE Vec<T> share(Vec<T> c) { return sigmoid<T>(kTwice * c * (T(1) + kCubic * c * c)); }
  FASTGD_VALUE(x, p) { return x * share(cut(x)); }
  FASTGD_GRADIENT(x, d, p) {
    const Vec<T> c = cut(x), s = share(c);
    return d * (s * (T(1) + c * (T(1) - s) * (kTwice * (T(1) + T(3) * kCubic * c * c))));
  }
};

#undef FASTGD_VALUE
#undef FASTGD_GRADIENT

// --- by name: switches, which their users keep outside their loops
// -------------------------------------------------------

// Calls body(Function<T, f>{}).
template <class T, class Body>
FASTGD_INLINE void with_activation(Activation f, Body body) {
#define FASTGD_CASE(name, ...) \
  case Activation::name:       \
    return body(Function<T, Activation::name>{});
  switch (f) { FASTGD_ACTIVATIONS(FASTGD_CASE) }
#undef FASTGD_CASE
}

// Whether a function is quicker for two vectors at a time.
template <class G, class T>
constexpr bool kInPairs = requires(Vec<T> (&v)[2]) { G::values(v); };

template <class G, class T>
FASTGD_INLINE void apply_to_pair(G, const T* x0, const T* x1, T* y0, T* y1) {
  Vec<T> v[] = {load(x0), load(x1)};
  G::values(v);
  store<T>(y0, v[0]);
  store<T>(y1, v[1]);
}

// y = f(x) for n elements.
template <class G, class T>
FASTGD_INLINE void apply(G g, Spec<T> f, Index n, const T* x, T* y) {
  constexpr Index lanes = kLanes<T>;
  Index done = 0;
  if constexpr (kInPairs<G, T>)
    for (; done + 2 * lanes <= n; done += 2 * lanes)
      apply_to_pair(g, x + done, x + done + lanes, y + done, y + done + lanes);
  x += done, y += done;
  for_vectors<T>(n - done, [=](Index i, auto where) { store<T>(y + i, g.value(load(x + i, where), f), where); });
}

// Calls body(Function<T, f>{}), if it is one of the few that a product holds code for; else returns false.
template <class T, class Body>
FASTGD_INLINE bool with_common_activation(Spec<T> f, Body body) {
  const auto call = [&](auto g) {
    body(g);
    return true;
  };
  switch (f.function) {
    case Activation::sigmoid:
      return call(Function<T, Activation::sigmoid>{});
    case Activation::tanh:
      return call(Function<T, Activation::tanh>{});
    case Activation::relu:
      return call(Function<T, Activation::relu>{});
    case Activation::leaky_relu:
      return call(Function<T, Activation::leaky_relu>{});
    default:
      return false;
  }
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
