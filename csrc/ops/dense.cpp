// dense: y = f(x w + b), with bias and activation in the product's epilogue.
#include "ops/matmul.h"
#include "ops/register.h"
#include "ops/split_product.h"

namespace fastgd {
namespace {

template <class T>
class Dense final : public Op<T> {
 public:
  explicit Dense(const OpSetup& s) : activation_(parse_fused_activation<T>(s.attrs)) {
    s.expect_inputs(1);
    s.expect_params(1, 2);
    const Shape& x = s.inputs[0].shape;
    const Shape& w = s.params[0];
    // A kernel of more axes is read as a matrix: those of convolutions by windows of one element, and of heads.
    check(!x.empty() && w.size() >= 2, "input ", to_string(x), " does not fit the kernel ", to_string(w));
    in_ = x.back();
    std::size_t cut = 1;
    while (cut + 1 < w.size() && count(std::span(w).first(cut)) != in_) ++cut;
    check(count(std::span(w).first(cut)) == in_, "input ", to_string(x), " does not fit the kernel ", to_string(w));
    units_ = count(std::span(w).subspan(cut));
    biased_ = s.params.size() == 2;
    if (biased_)
      check(count(s.params[1]) == units_, "bias ", to_string(s.params[1]), " does not fit the kernel ", to_string(w));
    Shape y = x;
    y.back() = units_;
    rows_ = count(std::span(x).first(x.size() - 1));
    auto& t = this->traits;
    t.outputs = {{y}};
    t.backward_reads_inputs = 1;
    t.backward_reads_outputs = activation_.function == Activation::linear ? 0 : 1;
    const Kernels<T>& kernels = s.table.of<T>();
    forward_ = {kernels, rows_, units_, in_};
    kernel_gradient_ = {kernels, {in_, units_, rows_, true, false}};
    // In short rows the parts of two threads would lie so close that each one's prefetcher takes the other's lines.
    kernel_gradient_.stream_by_columns(forward_.by_columns() && units_ >= kLongRow);
    input_gradient_ = {kernels, {rows_, in_, units_, false, true}};
    t.forward_scratch = forward_.scratch_bytes();
    gradient_scratch_ = std::max(kernel_gradient_.scratch_bytes(), kernel_gradient_.stream_scratch_bytes());
    t.backward_scratch = gradient_scratch_ + input_gradient_.scratch_bytes();
    t.streams_params = 1;
    t.forward_work = forward_.work();
    t.backward_work = kernel_gradient_.work() + input_gradient_.work();
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Epilogue<T> epilogue{biased_ ? c.w[1] : nullptr, activation_};
    forward_.run(*c.kernels, c.x[0], c.w[0], c.y[0], epilogue, c.scratch_values(), who);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    T* const dz = c.dy[0];
    if (activation_.function != Activation::linear) {
      const Range part = who.share(rows_ * units_, k.lanes);
      k.activation_backward(activation_, part.size(), c.y[0] + part.begin, dz + part.begin, dz + part.begin);
      who.sync();
    }
    // Scratch of their own, so that the products need not wait for one another.
    T* const scratch = c.scratch_values();
    T* const more = scratch + gradient_scratch_ / static_cast<Index>(sizeof(T));
    const GradientSink<T>* sink = c.sinks[0];
    if (c.dw[0] != nullptr) kernel_gradient_.run(k, c.x[0], dz, c.dw[0], c.dw_accumulate[0], {}, scratch, who);
    if (biased_ && c.dw[1] != nullptr) {
      const Range cols = who.share(units_, k.lanes);
      if (cols.size() > 0)
        k.column_sum(rows_, cols.size(), dz + cols.begin, units_, c.dw[1] + cols.begin, c.dw_accumulate[1]);
    }
    if (c.dx[0] != nullptr) {
      input_gradient_.run(k, dz, c.w[0], c.dx[0], false, {}, more, who);
      if (sink != nullptr) who.sync();  // the sink may change w
    }
    if (sink != nullptr) kernel_gradient_.stream(k, c.x[0], dz, *sink, scratch, who);
  }

  bool is_linear_unit() const noexcept override {
    return rows_ == 1 && units_ == 1 && activation_.function == Activation::linear;
  }

 private:
  // Elements; chosen by 784-128-10 (128 units, 150 us by rows, 156 by columns) and 512-4096-10 (3,930 and 3,640 us) on
  // two cores of a Zen 4: benchmarks/test_interpreters.py's plans.
  static constexpr Index kLongRow = 1024;

  ActivationSpec<T> activation_;
  Index rows_ = 0, in_ = 0, units_ = 0;
  bool biased_ = false;
  // y = x w, dw = x' dz, dx = dz w'
  SplitProduct<T> forward_;
  Product<T> kernel_gradient_, input_gradient_;
  Index gradient_scratch_ = 0;  // bytes
};

}  // namespace

FASTGD_DEFINE_OP(dense, Dense);

}  // namespace fastgd
