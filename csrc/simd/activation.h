// The activations over a few vectors, for epilogues: the switch stands outside the loop.
#pragma once

#include "simd/math.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
FASTGD_INLINE void apply_activation(Activation f, T slope, Vec<T>* v, int n) {
  switch (f) {
    case Activation::linear:
      return;
    case Activation::sigmoid:
      for (int i = 0; i < n; ++i) v[i] = sigmoid<T>(v[i]);
      return;
    case Activation::tanh:
      for (int i = 0; i < n; ++i) v[i] = tanh<T>(v[i]);
      return;
    case Activation::relu:
      for (int i = 0; i < n; ++i) v[i] = relu<T>(v[i]);
      return;
    case Activation::leaky_relu:
      for (int i = 0; i < n; ++i) v[i] = leaky_relu<T>(v[i], splat(slope));
      return;
  }
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
