// Gradient descent on one linear unit, a step for each sample, as the kernel that does many of them takes it.
#pragma once

#include <cstddef>

#include "base/losses.h"

namespace fastgd {

// The loss of a prediction of one number: `function`, or the binary cross-entropy of its sigmoid.
template <class T>
struct NumberLoss {
  LossFunction function = LossFunction::mean_squared_error;
  bool of_sigmoid = false;
  LossNumbers<T> with;
};

// y = x w + b. Sample i of the steps is order[i], or first + i without an order.
template <class T>
struct LinearSteps {
  NumberLoss<T> loss;
  T scale = 1;  // the gradient by the loss of each sample
  Index inputs = 0;
  T* w = nullptr;
  T* b = nullptr;  // null: none
  const std::byte* x = nullptr;
  const std::byte* t = nullptr;
  Index x_bytes = 0, t_bytes = 0;  // from one sample to the next
  const Index* order = nullptr;
  Index first = 0;
  Index steps = 0;
  const double* rates = nullptr;  // one, or one for each step
  bool one_rate = true;
};

}  // namespace fastgd
