// The activations by name: one switch, which its users keep outside their loops.
#pragma once

#include "simd/math.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Calls body(y) with y the function of one vector that `f` names.
template <class T, class Body>
FASTGD_INLINE void with_activation(Activation f, T slope, Body body) {
  switch (f) {
    case Activation::linear:
      return body([](Vec<T> v) { return v; });
    case Activation::sigmoid:
      return body([](Vec<T> v) { return sigmoid<T>(v); });
    case Activation::tanh:
      return body([](Vec<T> v) { return tanh<T>(v); });
    case Activation::relu:
      return body([](Vec<T> v) { return relu<T>(v); });
    case Activation::leaky_relu:
      return body([=](Vec<T> v) { return leaky_relu<T>(v, splat<T>(slope)); });
  }
}

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
