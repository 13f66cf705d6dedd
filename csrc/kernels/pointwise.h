// The formulas of the losses that are a mean of one term per element: for each a class with the term and its slope.
#pragma once

#include "kernels/probabilities.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// A difference of zero or NaN is its own sign.
template <class T>
FASTGD_INLINE Vec<T> sign(Vec<T> d) {
  return select(d > T(0), splat<T>(1), select(d < T(0), splat<T>(-1), d));
}

// Each class below has value(p, t), the term of one element, and slope(p, t), its derivative by p.
template <class T>
struct Formula {
  LossNumbers<T> with;
};

template <class T>
struct MeanSquaredError : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const { return (p - t) * (p - t); }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return T(2) * (p - t); }
};

template <class T>
struct MeanAbsoluteError : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const { return abs<T>(p - t); }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return sign<T>(p - t); }
};

template <class T>
struct MeanAbsolutePercentageError : Formula<T> {
  FASTGD_INLINE Vec<T> size(Vec<T> t) const { return max(splat<T>(this->with.epsilon), abs<T>(t)); }
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const { return T(100) * abs<T>((p - t) / size(t)); }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return T(100) * sign<T>(p - t) / size(t); }
};

template <class T>
struct MeanSquaredLogarithmicError : Formula<T> {
  FASTGD_INLINE Vec<T> log_of(Vec<T> x) const { return log<T>(max(splat<T>(this->with.epsilon), x) + T(1)); }
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const Vec<T> d = log_of(p) - log_of(t);
    return d * d;
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const {
    return select(p < this->with.epsilon, Vec<T>{}, T(2) * (log_of(p) - log_of(t)) / (p + T(1)));
  }
};

template <class T>
struct Huber : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const T delta = this->with.delta;
    const Vec<T> d = abs<T>(p - t);
    return select(d > delta, delta * d - T(0.5) * delta * delta, T(0.5) * d * d);
  }
  // d cut to [-delta, delta]; NaN stays.
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const {
    return min(splat<T>(this->with.delta), max(splat<T>(-this->with.delta), p - t));
  }
};

// log cosh d = |d| + log(1 + e^-2|d|) - log 2.
template <class T>
struct LogCosh : Formula<T> {
  static constexpr T kLog2 = static_cast<T>(0.693147180559945309417);
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const Vec<T> d = abs<T>(p - t);
    return d + (log_of_one_plus<T>(exp_of_negative<T>(T(-2) * d)) - kLog2);
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return tanh<T>(p - t); }
};

template <class T>
struct Poisson : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const { return p - t * log<T>(p + this->with.epsilon); }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return T(1) - t / (p + this->with.epsilon); }
};

template <class T>
struct Hinge : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const { return relu<T>(T(1) - t * p); }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return select(T(1) - t * p > T(0), -t, Vec<T>{}); }
};

template <class T>
struct SquaredHinge : Formula<T> {
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const Vec<T> gap = relu<T>(T(1) - t * p);
    return gap * gap;
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return T(-2) * t * relu<T>(T(1) - t * p); }
};

template <class T>
struct BinaryCrossentropy : Formula<T> {
  FASTGD_INLINE Vec<T> smoothed(Vec<T> t) const { return smoothing_of<T>(this->with.label_smoothing, 2)(t); }
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const Vec<T> q = clipped<T>(p, this->with.epsilon), target = smoothed(t);
    return -(target * log<T>(q) + (T(1) - target) * log<T>(T(1) - q));
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const {
    return unless_clipped<T>(p, this->with.epsilon, (p - smoothed(t)) / (p * (T(1) - p)));
  }
};

// w m^gamma e, with e the cross-entropy, m = 1 - (t' p + (1 - t') (1 - p)) how far p misses, and w the weight of the
// class.
template <class T>
struct BinaryFocalCrossentropy : Formula<T> {
  FASTGD_INLINE Vec<T> weight(Vec<T> target) const {
    const T alpha = this->with.alpha;
    return this->with.balanced ? target * alpha + (T(1) - target) * (T(1) - alpha) : splat<T>(1);
  }
  // At least 0, whatever rounding does.
  FASTGD_INLINE Vec<T> miss(Vec<T> p, Vec<T> target) const {
    return relu<T>(T(1) - (target * p + (T(1) - target) * (T(1) - p)));
  }
  FASTGD_INLINE Vec<T> value(Vec<T> p, Vec<T> t) const {
    const BinaryCrossentropy<T> plain{{this->with}};
    const Vec<T> target = plain.smoothed(t);
    return weight(target) * power<T>(miss(p, target), this->with.gamma) * plain.value(p, t);
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const {
    const BinaryCrossentropy<T> plain{{this->with}};
    const T gamma = this->with.gamma;
    const Vec<T> target = plain.smoothed(t), m = miss(p, target);
    Vec<T> both = power<T>(m, gamma) * plain.slope(p, t);
    if (gamma != T(0)) both += gamma * power<T>(m, gamma - T(1)) * (T(1) - T(2) * target) * plain.value(p, t);
    return weight(target) * both;
  }
};

// max(z, 0) - z t' + log(1 + e^-|z|), and the sigmoid from the same exponential.
template <class T>
struct SigmoidEntropy {
  Smoothing<T> smooth;
  FASTGD_INLINE Vec<T> value(Vec<T> z, Vec<T> t, Vec<T>& p) const {
    Vec<T> n;
    const Vec<T> e = exp_parts<T>(max(splat<T>(MathConstants<T>::kExpLow), -abs<T>(z)), n);
    p = sigmoid_of_parts<T>(z, e, n);
    return (relu<T>(z) - z * smooth(t)) + log_of_one_plus<T>(scale_down<T>(T(1) + e, n));
  }
  FASTGD_INLINE Vec<T> slope(Vec<T> p, Vec<T> t) const { return p - smooth(t); }
};
template <class T>
FASTGD_INLINE SigmoidEntropy<T> sigmoid_entropy_of(T smoothing) {
  return {smoothing_of(smoothing, 2)};
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
