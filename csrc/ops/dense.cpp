// dense: y = f(x w + b), with bias and activation in the product's epilogue.
#include "ops/matmul.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Dense final : public Op<T> {
 public:
  explicit Dense(const OpSetup& s)
      : activation_(parse_activation(s.attrs.text("activation", "linear"))),
        slope_(static_cast<T>(s.attrs.real("negative_slope", 0.0))) {
    s.expect_inputs(1);
    s.expect_params(1, 2);
    const Shape& x = s.inputs[0].shape;
    const Shape& w = s.params[0];
    check(!x.empty() && w.size() == 2 && x.back() == w[0], "input ", to_string(x), " does not fit the kernel ",
          to_string(w));
    in_ = w[0];
    units_ = w[1];
    biased_ = s.params.size() == 2;
    if (biased_)
      check(s.params[1] == Shape{units_}, "bias ", to_string(s.params[1]), " does not fit the kernel ", to_string(w));
    Shape y = x;
    y.back() = units_;
    rows_ = count(std::span(x).first(x.size() - 1));
    auto& t = this->traits;
    t.outputs = {{y}};
    t.backward_reads_inputs = 1;
    t.backward_reads_outputs = activation_ == Activation::linear ? 0 : 1;
    t.backward_scratch = multiply(multiply(in_, units_), sizeof(T));
    t.forward_work = 2.0 * static_cast<double>(rows_) * static_cast<double>(in_) * static_cast<double>(units_);
    t.backward_work = 2 * t.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    Gemm<T> g;
    g.m = rows_, g.n = units_, g.k = in_;
    g.a = c.x[0], g.a_row = in_, g.a_col = 1;
    g.b = c.w[0], g.b_row = units_;
    g.c = c.y[0], g.c_row = units_;
    g.epilogue = {biased_ ? c.w[1] : nullptr, activation_, slope_};
    team_gemm(*c.kernels, g, who);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    T* const dz = c.dy[0];
    if (activation_ != Activation::linear) {
      const Range part = who.share(rows_ * units_, k.lanes);
      k.activation_backward(activation_, slope_, part.size(), c.y[0] + part.begin, dz + part.begin, dz + part.begin);
    }
    T* const wt = c.scratch_values();
    if (c.dx[0] != nullptr) team_transpose(k, in_, units_, c.w[0], wt, who);
    who.sync();
    if (c.dw[0] != nullptr) kernel_gradient(c, dz, who);
    if (biased_ && c.dw[1] != nullptr) {
      const Range cols = who.share(units_, k.lanes);
      if (cols.size() > 0)
        k.column_sum(rows_, cols.size(), dz + cols.begin, units_, c.dw[1] + cols.begin, c.dw_accumulate[1]);
    }
    if (c.dx[0] != nullptr) input_gradient(c, dz, wt, who);
  }

 private:
  // dw (in x units) = x' dz
  void kernel_gradient(const Call<T>& c, const T* dz, const Worker& who) const noexcept {
    Gemm<T> g;
    g.m = in_, g.n = units_, g.k = rows_;
    g.a = c.x[0], g.a_row = 1, g.a_col = in_;
    g.b = dz, g.b_row = units_;
    g.c = c.dw[0], g.c_row = units_;
    g.accumulate = c.dw_accumulate[0];
    team_gemm(*c.kernels, g, who);
  }

  // dx (rows x in) = dz w'
  void input_gradient(const Call<T>& c, const T* dz, const T* wt, const Worker& who) const noexcept {
    Gemm<T> g;
    g.m = rows_, g.n = in_, g.k = units_;
    g.a = dz, g.a_row = units_, g.a_col = 1;
    g.b = wt, g.b_row = in_;
    g.c = c.dx[0], g.c_row = in_;
    team_gemm(*c.kernels, g, who);
  }

  Activation activation_;
  T slope_;
  Index rows_ = 0, in_ = 0, units_ = 0;
  bool biased_ = false;
};

}  // namespace

FASTGD_DEFINE_OP(dense, Dense);

}  // namespace fastgd
