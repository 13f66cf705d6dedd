// The one list of the losses that compare a prediction with a target of its shape, and the numbers in their formulas.
#pragma once

#include "base/types.h"

namespace fastgd {

// X(op, class of its formula in the kernels, floating-point operations per element, attributes that it takes).
// Each of the first list is a mean of one term per element.
#define FASTGD_POINTWISE_LOSSES(X)                                                                          \
  X(binary_crossentropy, BinaryCrossentropy, 30, kEpsilon | kLabelSmoothing)                                \
  X(binary_focal_crossentropy, BinaryFocalCrossentropy, 40, kEpsilon | kLabelSmoothing | kFocus | kBalance) \
  X(hinge, Hinge, 4, 0)                                                                                     \
  X(huber, Huber, 5, kDelta)                                                                                \
  X(log_cosh, LogCosh, 30, 0)                                                                               \
  X(mean_absolute_error, MeanAbsoluteError, 2, 0)                                                           \
  X(mean_absolute_percentage_error, MeanAbsolutePercentageError, 5, kEpsilon)                               \
  X(mean_squared_error, MeanSquaredError, 3, 0)                                                             \
  X(mean_squared_logarithmic_error, MeanSquaredLogarithmicError, 40, kEpsilon)                              \
  X(poisson, Poisson, 20, kEpsilon)                                                                         \
  X(squared_hinge, SquaredHinge, 5, 0)

// Each of these is one value per row of the last axis.
#define FASTGD_VECTOR_LOSSES(X)                                                                            \
  X(categorical_crossentropy, CategoricalCrossentropy, 30, kEpsilon | kLabelSmoothing)                     \
  X(categorical_focal_crossentropy, CategoricalFocalCrossentropy, 40, kEpsilon | kLabelSmoothing | kFocus) \
  X(categorical_hinge, CategoricalHinge, 6, 0)                                                             \
  X(cosine_similarity, CosineSimilarity, 8, kEpsilon | kSign)                                              \
  X(kl_divergence, KLDivergence, 30, kEpsilon)

#define FASTGD_LOSS_NAME(name, ...) name,
enum class LossFunction : int { FASTGD_POINTWISE_LOSSES(FASTGD_LOSS_NAME) FASTGD_VECTOR_LOSSES(FASTGD_LOSS_NAME) };
#undef FASTGD_LOSS_NAME

// What the formulas take besides prediction and target; each reads what its row names. docs/ops.md has the formulas.
template <class T>
struct LossNumbers {
  T epsilon = 0;
  T label_smoothing = 0;
  T delta = 0;
  T alpha = 0, gamma = 0;  // the focal losses
  bool balanced = false;   // whether alpha weighs the two classes of binary_focal_crossentropy
  T sign = 1;
};

// The label that a sparse loss takes for no class at all where none is ignored.
constexpr Index kNoLabel = INT64_MIN;

}  // namespace fastgd
