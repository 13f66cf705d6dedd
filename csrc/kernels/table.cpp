// The constant table of this tier: the one symbol of it that anyone outside refers to.
#include "kernels/families.h"
#include "kernels/tables.h"
#include "kernels/tuning.h"

// An entry that is forgotten below must not compile.
#pragma GCC diagnostic error "-Wmissing-field-initializers"

#define FASTGD_TEXT_OF(name) #name
#define FASTGD_TEXT(name) FASTGD_TEXT_OF(name)

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <class T>
constexpr Kernels<T> kernels_of() {
  return Kernels<T>{
      .lanes = kLanes<T>,
      .tile_rows = kTileRows<T>,
      .tile_cols = kTileCols<T>,
      .gemm = gemm,
      .gemm_runs = gemm_runs,
      .add_rows = add_rows,
      .gemv = gemv,
      .gemv_transposed = gemv_transposed,
      .pack_rows = pack_rows,
      .pack_cols = pack_cols,
      .transpose = transpose,
      .column_sum = column_sum,
      .depthwise = depthwise,
      .depthwise_gradient = depthwise_gradient,
      .copy_strided = copy_strided,
      .reduce_rows = reduce_rows,
      .reduce_columns = reduce_columns,
      .spread = spread,
      .exp = exp,
      .log = log,
      .tanh = tanh,
      .sigmoid = sigmoid,
      .activation = activation,
      .activation_backward = activation_backward,
      .softmax = softmax,
      .softmax_backward = softmax_backward,
      .log_softmax = log_softmax,
      .log_softmax_backward = log_softmax_backward,
      .sparsemax = sparsemax,
      .sparsemax_backward = sparsemax_backward,
      .softmax_columns = softmax_columns,
      .softmax_columns_backward = softmax_columns_backward,
      .prelu = prelu,
      .prelu_backward = prelu_backward,
      .prelu_alpha = prelu_alpha,
      .add = add,
      .fill = fill,
      .unary = unary,
      .unary_backward = unary_backward,
      .binary = binary,
      .binary_backward = binary_backward,
      .choose = choose,
      .dropout = dropout,
      .dropout_backward = dropout_backward,
      .keep_mask = keep_mask,
      .masked_line = masked_line,
      .gaussian_noise = gaussian_noise,
      .resample = resample,
      .resample_backward = resample_backward,
      .channel_moments = channel_moments,
      .channel_products = channel_products,
      .channel_affine = channel_affine,
      .normalize_rows = normalize_rows,
      .normalize_rows_backward = normalize_rows_backward,
      .normalize_rows_gradients = normalize_rows_gradients,
      .window_max = window_max,
      .window_max_gather = window_max_gather,
      .window_max_scatter = window_max_scatter,
      .window_sum = window_sum,
      .discretize = discretize,
      .encode_labels = encode_labels,
      .pointwise_loss = pointwise_loss,
      .pointwise_loss_backward = pointwise_loss_backward,
      .vector_loss = vector_loss,
      .vector_loss_backward = vector_loss_backward,
      .sparse_categorical_crossentropy = sparse_categorical_crossentropy,
      .sparse_categorical_crossentropy_backward = sparse_categorical_crossentropy_backward,
      .sigmoid_crossentropy = sigmoid_crossentropy,
      .sigmoid_crossentropy_backward = sigmoid_crossentropy_backward,
      .softmax_crossentropy = softmax_crossentropy,
      .softmax_crossentropy_backward = softmax_crossentropy_backward,
      .sparse_softmax_crossentropy = sparse_softmax_crossentropy,
      .sparse_softmax_crossentropy_backward = sparse_softmax_crossentropy_backward,
      .accuracy = accuracy,
      .binary_accuracy = binary_accuracy,
      .categorical_accuracy = categorical_accuracy,
      .sparse_categorical_accuracy = sparse_categorical_accuracy,
      .top_k_categorical_accuracy = top_k_categorical_accuracy,
      .sparse_top_k_categorical_accuracy = sparse_top_k_categorical_accuracy,
      .sgd = sgd,
      .momentum = momentum,
      .adam = adam,
      .amsgrad = amsgrad,
      .adamax = adamax,
      .nadam = nadam,
      .lion = lion,
      .rmsprop = rmsprop,
      .adagrad = adagrad,
      .adadelta = adadelta,
      .ftrl = ftrl,
      .decay = decay,
      .scale = scale,
      .clip = clip,
      .average = average,
      .sum_of_squares = sum_of_squares,
      .penalty = penalty,
      .penalty_gradient = penalty_gradient,
      .bound_row_norm = bound_row_norm,
      .bound_column_norms = bound_column_norms,
      .convert = convert,
      .convert_scaled = convert_scaled,
      .all_finite = all_finite,
      .fma_probe = fma_probe,
      .triad = triad,
  };
}

}  // namespace

constinit const KernelTable kTable = {
    .name = FASTGD_TEXT(FASTGD_ISA_NAMESPACE),
    .vector_bytes = kVectorBytes,
    .f32 = kernels_of<float>(),
    .f64 = kernels_of<double>(),
};

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
