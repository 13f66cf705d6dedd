// The one line that ends an op's file: its factory for both floating types.
#pragma once

#include "ops/op.h"

#define FASTGD_DEFINE_OP(name, Class)                              \
  template <class T>                                               \
  std::unique_ptr<Op<T>> make_##name(const OpSetup& setup) {       \
    return std::make_unique<Class<T>>(setup);                      \
  }                                                                \
  template std::unique_ptr<Op<float>> make_##name(const OpSetup&); \
  template std::unique_ptr<Op<double>> make_##name(const OpSetup&)
