// What layer, root-mean-square and unit normalisation share: rows along some neighbouring axes, and their parameters.
#pragma once

#include "ops/op.h"

namespace fastgd {

// The rows run along `axes` axes from `axis` on. Where further axes follow, each block of rows is transposed into
// scratch and back, because rows are what the kernels are quick with.
template <class T>
class RowNormOp : public Op<T> {
 protected:
  RowNormOp(const OpSetup& s, RowNorm<T> norm, bool scaled, bool shifted) : norm_(norm) {
    s.expect_inputs(1);
    const std::size_t params = std::size_t{scaled} + std::size_t{shifted};
    s.expect_params(params, params);
    const Shape& x = s.inputs[0].shape;
    const Index axis = s.attrs.integer("axis"), axes = s.attrs.integer("axes");
    check(!s.inputs[0].integer && axis >= 1 && axes >= 1 && axis + axes <= static_cast<Index>(x.size()),
          "`axis` and `axes` must name axes behind the batch of ", to_string(x), ". Received: axis=", axis,
          ", axes=", axes);
    std::tie(outer_, cols_, inner_) = cut_around(x, axis, axes);
    for (const Shape& w : s.params)
      check(count(w) == cols_, "parameters need one value per element of a row, ", cols_, ". Received: ", to_string(w));
    gamma_ = scaled ? 0 : -1;
    beta_ = shifted ? static_cast<int>(scaled) : -1;
    if (norm_.share == T{0}) norm_.share = static_cast<T>(1.0 / static_cast<double>(cols_));
    size_ = count(x);
    auto& t = this->traits;
    t.outputs = {s.inputs[0]};
    t.backward_reads_inputs = 1;
    t.saved_bytes = multiply(2 * outer_ * inner_, sizeof(T));
    if (inner_ != 1) {
      t.forward_scratch = multiply(2 * size_, sizeof(T));
      t.backward_scratch = multiply(3 * size_, sizeof(T));
    }
    t.forward_work = 8.0 * static_cast<double>(size_);
    t.backward_work = 14.0 * static_cast<double>(size_);
  }

 public:
  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    const T* gamma = param(c.w, gamma_);
    const T* beta = param(c.w, beta_);
    if (inner_ == 1) {
      const Range rows = who.share(outer_);
      const Index at = rows.begin * cols_;
      k.normalize_rows(norm_, rows.size(), cols_, c.x[0] + at, gamma, beta, c.y[0] + at, stats(c) + 2 * rows.begin);
      return;
    }
    const Range blocks = who.share(outer_);
    for (Index b = blocks.begin; b < blocks.end; ++b) {
      const Index at = b * cols_ * inner_;
      T* const x = c.scratch_values() + at;
      T* const y = x + size_;
      turn(k, c.x[0] + at, x);
      k.normalize_rows(norm_, inner_, cols_, x, gamma, beta, y, stats(c) + 2 * b * inner_);
      turn_back(k, y, c.y[0] + at);
    }
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    const T* gamma = param(c.w, gamma_);
    const T* x = c.x[0];
    const T* dy = c.dy[0];
    if (inner_ != 1) {
      T* const turned_x = c.scratch_values();
      T* const turned_dy = turned_x + size_;
      const Range blocks = who.share(outer_);
      for (Index b = blocks.begin; b < blocks.end; ++b) {
        const Index at = b * cols_ * inner_;
        turn(k, x + at, turned_x + at);
        turn(k, dy + at, turned_dy + at);
        if (c.dx[0] == nullptr) continue;
        T* const dx = turned_dy + size_ + at;
        k.normalize_rows_backward(norm_, inner_, cols_, turned_x + at, gamma, stats(c) + 2 * b * inner_, turned_dy + at,
                                  dx);
        turn_back(k, dx, c.dx[0] + at);
      }
      x = turned_x, dy = turned_dy;
      who.sync();
    } else if (c.dx[0] != nullptr) {
      const Range rows = who.share(outer_);
      const Index at = rows.begin * cols_;
      k.normalize_rows_backward(norm_, rows.size(), cols_, x + at, gamma, stats(c) + 2 * rows.begin, dy + at,
                                c.dx[0] + at);
    }
    T* const dgamma = param(c.dw, gamma_);
    T* const dbeta = param(c.dw, beta_);
    if (dgamma == nullptr && dbeta == nullptr) return;
    const Range cols = who.share(cols_, k.lanes);
    if (cols.size() > 0)
      k.normalize_rows_gradients(outer_ * inner_, cols.size(), x + cols.begin, dy + cols.begin, cols_, stats(c),
                                 dgamma == nullptr ? nullptr : dgamma + cols.begin, adds(c, gamma_),
                                 dbeta == nullptr ? nullptr : dbeta + cols.begin, adds(c, beta_));
  }

 private:
  template <class P>
  static P param(P const* table, int place) {
    return place < 0 ? nullptr : table[place];
  }
  static bool adds(const Call<T>& c, int place) { return place >= 0 && c.dw_accumulate[place]; }
  static T* stats(const Call<T>& c) { return reinterpret_cast<T*>(c.saved); }
  void turn(const Kernels<T>& k, const T* from, T* to) const noexcept {
    k.transpose(cols_, inner_, from, inner_, to, cols_);
  }
  void turn_back(const Kernels<T>& k, const T* from, T* to) const noexcept {
    k.transpose(inner_, cols_, from, cols_, to, inner_);
  }

  RowNorm<T> norm_;
  Index outer_ = 0, cols_ = 0, inner_ = 0, size_ = 0;
  int gamma_ = -1, beta_ = -1;
};

}  // namespace fastgd
