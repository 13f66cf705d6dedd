// The kernels of one tier, declared as plain overloads for float and double: what the family files define and table.cpp
// names.
//
// Plain functions and not templates, because an instantiated template is a weak symbol, and the linker might take the
// one of another tier for it. The contract of each is in kernels.h.
#pragma once

#include "kernels/kernels.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {

void keep_mask(MaskStream stream, std::uint64_t first, Index n, std::uint8_t* mask) noexcept;

#define FASTGD_DECLARE_KERNELS(T)                                                                                      \
  void gemm(const Gemm<T>& g) noexcept;                                                                                \
  void gemm_runs(const GemmRuns<T>& g) noexcept;                                                                       \
  void add_rows(Index rows, Index lines, Index cols, const T* x, Index x_row, Index x_line, T* y, Index y_row,         \
                Index y_line) noexcept;                                                                                \
  void gemv(Index rows, Index k, const T* a, Index a_row, const T* x, T* y, bool accumulate) noexcept;                 \
  void gemv_transposed(Index k, Index n, const T* a, Index a_row, const T* x, T* y, bool accumulate) noexcept;         \
  double linear_steps(const LinearSteps<T>& s, double total) noexcept;                                                 \
  void pack_rows(Index rows, Index k, const T* a, Index a_row, Index a_col, T* packed) noexcept;                       \
  void pack_cols(Index k, Index cols, const T* b, Index b_row, Index b_col, T* packed, Index panel) noexcept;          \
  void transpose(Index rows, Index cols, const T* x, Index x_row, T* y, Index y_row) noexcept;                         \
  void column_sum(Index rows, Index cols, const T* x, Index x_row, T* y, bool accumulate) noexcept;                    \
  void depthwise(const DepthwiseLine& line, const T* x, const T* w, T* y, bool accumulate,                             \
                 const Epilogue<T>& epilogue) noexcept;                                                                \
  void depthwise_gradient(const DepthwiseLine& line, const T* x, const T* dy, T* dw, T* db) noexcept;                  \
  void winograd_inputs(const WinogradLine& line, const T* x, T* v) noexcept;                                           \
  void winograd_outputs(const WinogradLine& line, const T* m, const Epilogue<T>& epilogue, T* y) noexcept;             \
  void winograd_gradients(const WinogradLine& line, const T* dy, T* z) noexcept;                                       \
  void winograd_add_inputs(const WinogradLine& line, const T* v, T* dx) noexcept;                                      \
  void winograd_weights(Index n, Index step, const T* w, T* u) noexcept;                                               \
  void winograd_weights_gradient(Index n, Index step, const T* u, T* dw, bool accumulate) noexcept;                    \
  void lstm_cell(const CellRows<T>& cell, T* z, const T* before, T* c, T* h) noexcept;                                 \
  void lstm_cell_backward(const CellRows<T>& cell, T* z, const T* before, const T* dh, T* dc) noexcept;                \
  void gru_cell(const CellRows<T>& cell, bool reset_after, T* z, const T* before, T* h) noexcept;                      \
  void gru_cell_backward(const CellRows<T>& cell, bool reset_after, T* z, const T* before, T* dh) noexcept;            \
  void copy_strided(Index rows, Index cols, const T* x, Index x_row, Index x_col, T* y, Index y_row,                   \
                    Index y_col) noexcept;                                                                             \
                                                                                                                       \
  void reduce_rows(Fold f, Index rows, Index cols, const T* x, T* y) noexcept;                                         \
  void reduce_columns(Fold f, Index rows, Index cols, const T* x, Index x_row, T* y) noexcept;                         \
  void spread(Spread f, Index n, Index step, const T* x, const T* a, const T* b, T* y) noexcept;                       \
                                                                                                                       \
  void exp(Index n, const T* x, T* y) noexcept;                                                                        \
  void log(Index n, const T* x, T* y) noexcept;                                                                        \
  void tanh(Index n, const T* x, T* y) noexcept;                                                                       \
  void sigmoid(Index n, const T* x, T* y) noexcept;                                                                    \
                                                                                                                       \
  void activation(ActivationSpec<T> f, Index n, const T* x, T* y) noexcept;                                            \
  void activation_backward(ActivationSpec<T> f, Index n, const T* v, const T* dy, T* dx) noexcept;                     \
  void softmax(Index rows, Index cols, const T* x, T* y) noexcept;                                                     \
  void softmax_backward(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept;                              \
  void log_softmax(Index rows, Index cols, const T* x, T* y) noexcept;                                                 \
  void log_softmax_backward(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept;                          \
  void sparsemax(Index rows, Index cols, const T* x, T* y) noexcept;                                                   \
  void sparsemax_backward(Index rows, Index cols, const T* y, const T* dy, T* dx) noexcept;                            \
  void softmax_columns(AxisFunction f, Index rows, Index cols, Index stride, const T* x, T* y) noexcept;               \
  void softmax_columns_backward(AxisFunction f, Index rows, Index cols, Index stride, const T* y, const T* dy,         \
                                T* dx) noexcept;                                                                       \
  void prelu(Index rows, Index cols, const T* x, const T* alpha, T* y) noexcept;                                       \
  void prelu_backward(Index rows, Index cols, const T* x, const T* alpha, const T* dy, T* dx) noexcept;                \
  void prelu_alpha(Index rows, Index cols, Index stride, const T* x, const T* dy, T* sum, bool accumulate) noexcept;   \
                                                                                                                       \
  void add(Index n, const T* a, const T* b, T* y) noexcept;                                                            \
  void fill(Index n, T value, T* y) noexcept;                                                                          \
  void unary(Unary f, Index n, const T* x, T* y) noexcept;                                                             \
  void unary_backward(Unary f, Index n, const T* x, const T* y, const T* dy, T* dx) noexcept;                          \
  void binary(Binary f, Walk walk, const T* a, const T* b, T* y) noexcept;                                             \
  void binary_backward(Binary f, bool second, Walk walk, const T* a, const T* b, const T* y, const T* dy,              \
                       T* d) noexcept;                                                                                 \
  void choose(Walk walk, const T* c, const T* a, const T* b, T* y) noexcept;                                           \
  void dropout(MaskStream stream, std::uint64_t first, T scale, Index n, const T* x, T* y,                             \
               std::uint8_t* mask) noexcept;                                                                           \
  void dropout_backward(T scale, Index n, const std::uint8_t* mask, const T* dy, T* dx) noexcept;                      \
  void masked_line(T scale, T shift, T rest, Index n, const std::uint8_t* mask, const T* x, T* y) noexcept;            \
  void gaussian_noise(MaskStream stream, std::uint64_t first, T stddev, bool multiply, Index n, const T* x,            \
                      T* y) noexcept;                                                                                  \
  void resample(const Resampling<T>& how, const T* x, T* y) noexcept;                                                  \
  void resample_backward(const Resampling<T>& how, const T* dy, T* dx) noexcept;                                       \
                                                                                                                       \
  void channel_moments(Channels channels, Index rows, Index cols, const T* x, Index x_row, double* mean,               \
                       double* m2) noexcept;                                                                           \
  void channel_products(Channels channels, Index rows, Index cols, const T* x, const T* dy, Index row, const T* mean,  \
                        double* s1, double* s2) noexcept;                                                              \
  void channel_affine(Channels channels, Index rows, Index cols, const T* x, const T* dy, Index row,                   \
                      const ChannelLine<T>& line, T* y) noexcept;                                                      \
  void normalize_rows(const RowNorm<T>& norm, Index rows, Index cols, const T* x, const T* gamma, const T* beta, T* y, \
                      T* stats) noexcept;                                                                              \
  void normalize_rows_backward(const RowNorm<T>& norm, Index rows, Index cols, const T* x, const T* gamma,             \
                               const T* stats, const T* dy, T* dx) noexcept;                                           \
  void normalize_rows_gradients(Index rows, Index cols, const T* x, const T* dy, Index row, const T* stats, T* dgamma, \
                                bool add_gamma, T* dbeta, bool add_beta) noexcept;                                     \
  void window_max(const WindowLine& line, const T* x, T* y, const WindowNumbers& numbers) noexcept;                    \
  void window_max_gather(const WindowLine& line, const T* dy, const WindowNumbers& numbers, T* dx) noexcept;           \
  void window_max_scatter(const WindowLine& line, const T* dy, const WindowNumbers& numbers, T* dx) noexcept;          \
  void window_sum(const WindowLine& line, const T* weights, const T* x, T* y) noexcept;                                \
  void discretize(Index n, Index count, const T* boundaries, const T* x, std::int32_t* y) noexcept;                    \
  void encode_labels(Index rows, Index labels, Index classes, bool counts, const std::int32_t* x, T* y) noexcept;      \
                                                                                                                       \
  void pointwise_loss(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p, const T* t,      \
                      T* v) noexcept;                                                                                  \
  void pointwise_loss_backward(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p,         \
                               const T* t, const T* dv, T* dp) noexcept;                                               \
  void vector_loss(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p, const T* t,         \
                   T* v) noexcept;                                                                                     \
  void vector_loss_backward(LossFunction f, const LossNumbers<T>& with, Index rows, Index cols, const T* p,            \
                            const T* t, const T* dv, T* dp) noexcept;                                                  \
  void sparse_categorical_crossentropy(Index rows, Index cols, Index ignored, T epsilon, const T* p,                   \
                                       const std::int32_t* t, T* v) noexcept;                                          \
  void sparse_categorical_crossentropy_backward(Index rows, Index cols, Index ignored, T epsilon, const T* p,          \
                                                const std::int32_t* t, const T* dv, T* dp) noexcept;                   \
  void sigmoid_crossentropy(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) noexcept;         \
  void sigmoid_crossentropy_backward(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv,         \
                                     T* dz) noexcept;                                                                  \
  void softmax_crossentropy(Index rows, Index cols, T smoothing, const T* z, const T* t, T* v, T* p) noexcept;         \
  void softmax_crossentropy_backward(Index rows, Index cols, T smoothing, const T* p, const T* t, const T* dv,         \
                                     T* dz) noexcept;                                                                  \
  void sparse_softmax_crossentropy(Index rows, Index cols, Index ignored, const T* z, const std::int32_t* t, T* v,     \
                                   T* p) noexcept;                                                                     \
  void sparse_softmax_crossentropy_backward(Index rows, Index cols, Index ignored, const T* p, const std::int32_t* t,  \
                                            const T* dv, T* dz) noexcept;                                              \
                                                                                                                       \
  void accuracy(Index rows, Index cols, const T* p, const T* t, T* v) noexcept;                                        \
  void binary_accuracy(Index rows, Index cols, T threshold, const T* p, const T* t, T* v) noexcept;                    \
  void categorical_accuracy(Index rows, Index cols, const T* p, const T* t, T* v) noexcept;                            \
  void sparse_categorical_accuracy(Index rows, Index cols, const T* p, const std::int32_t* t, T* v) noexcept;          \
  void top_k_categorical_accuracy(Index rows, Index cols, Index k, const T* p, const T* t, T* v) noexcept;             \
  void sparse_top_k_categorical_accuracy(Index rows, Index cols, Index k, const T* p, const std::int32_t* t,           \
                                         T* v) noexcept;                                                               \
                                                                                                                       \
  void sgd(Index n, T rate, const T* g, T* w) noexcept;                                                                \
  void momentum(Index n, T rate, T momentum, bool nesterov, const T* g, T* w, T* v) noexcept;                          \
  void adam(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m,                \
            T* v) noexcept;                                                                                            \
  void adam_rest(Index n, Index steps, const T* rates, T one_minus_beta_1, T one_minus_beta_2, T epsilon, T* w, T* m,  \
                 T* v) noexcept;                                                                                       \
  void amsgrad(Index n, T rate, T one_minus_beta_1, T one_minus_beta_2, T epsilon, const T* g, T* w, T* m, T* v,       \
               T* top) noexcept;                                                                                       \
  void adamax(Index n, T rate, T one_minus_beta_1, T beta_2, T epsilon, const T* g, T* w, T* m, T* u) noexcept;        \
  void nadam(Index n, T rate_m, T rate_g, T one_minus_beta_1, T one_minus_beta_2, T root, T epsilon, const T* g, T* w, \
             T* m, T* v) noexcept;                                                                                     \
  void lion(Index n, T rate, T beta_1, T one_minus_beta_1, T one_minus_beta_2, const T* g, T* w, T* m) noexcept;       \
  void rmsprop(Index n, T rate, T one_minus_rho, T momentum, T epsilon, const T* g, T* w, T* v, T* a,                  \
               T* speed) noexcept;                                                                                     \
  void adagrad(Index n, T rate, T epsilon, const T* g, T* w, T* a) noexcept;                                           \
  void adadelta(Index n, T rate, T one_minus_rho, T epsilon, const T* g, T* w, T* a, T* d) noexcept;                   \
  void ftrl(Index n, T inverse_rate, T power, T l1, T l2, T shrinkage, const T* g, T* w, T* a, T* z) noexcept;         \
                                                                                                                       \
  void decay(Index n, T share, T* w) noexcept;                                                                         \
  void scale(Index n, T factor, const T* x, T* y) noexcept;                                                            \
  void clip(Index n, T limit, const T* x, T* y) noexcept;                                                              \
  void average(Index n, T old, T fresh, const T* x, T* mean) noexcept;                                                 \
  double sum_of_squares(Index n, const T* x) noexcept;                                                                 \
                                                                                                                       \
  void penalty(Index rows, Index cols, T l1, T l2, const T* x, double* v) noexcept;                                    \
  void penalty_gradient(Index n, T l1, T l2, const T* x, const T* g, T* y) noexcept;                                   \
  void bound_row_norm(Index cols, const NormBounds<T>& bounds, T* w) noexcept;                                         \
  void bound_column_norms(Index rows, Index cols, Index w_row, const NormBounds<T>& bounds, T* w) noexcept;            \
                                                                                                                       \
  void convert(Source source, Index n, const void* x, T* y) noexcept;                                                  \
  void convert_scaled(Source source, Index n, const void* x, Index x_bytes, T scale, T offset, T* y) noexcept;         \
  bool all_finite(Index n, const T* x) noexcept;                                                                       \
                                                                                                                       \
  double fma_probe(Index rounds, T* sink) noexcept;                                                                    \
  double loaded_fma_probe(Index rounds, const T* operands, T* sink) noexcept;                                          \
  void triad(Index n, T s, const T* b, const T* c, T* a) noexcept;

FASTGD_DECLARE_KERNELS(float)
FASTGD_DECLARE_KERNELS(double)
#undef FASTGD_DECLARE_KERNELS

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
