// activation: an elementwise function, or softmax over the last axis.
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class ActivationOp final : public Op<T> {
 public:
  explicit ActivationOp(const OpSetup& s) : slope_(static_cast<T>(s.attrs.real("negative_slope", 0.0))) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    const std::string name = s.attrs.text("function", "linear");
    softmax_ = name == "softmax";
    if (!softmax_) function_ = parse_activation(name);
    const Shape& x = s.inputs[0].shape;
    if (softmax_) check(!x.empty(), "softmax takes at least one axis. Received: ", to_string(x));
    size_ = count(x);
    cols_ = softmax_ ? x.back() : 1;
    rows_ = cols_ > 0 ? size_ / cols_ : 0;
    auto& t = this->traits;
    t.outputs = {s.inputs[0]};
    t.backward_reads_outputs = 1;
    t.forward_work = 20.0 * static_cast<double>(size_);
    t.backward_work = 4.0 * static_cast<double>(size_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    if (softmax_) {
      const Range rows = who.share(rows_);
      c.kernels->softmax(rows.size(), cols_, c.x[0] + rows.begin * cols_, c.y[0] + rows.begin * cols_);
    } else {
      const Range part = who.share(size_, c.kernels->lanes);
      c.kernels->activation(function_, slope_, part.size(), c.x[0] + part.begin, c.y[0] + part.begin);
    }
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    if (softmax_) {
      const Range rows = who.share(rows_);
      const Index at = rows.begin * cols_;
      c.kernels->softmax_backward(rows.size(), cols_, c.y[0] + at, c.dy[0] + at, c.dx[0] + at);
    } else {
      const Range part = who.share(size_, c.kernels->lanes);
      c.kernels->activation_backward(function_, slope_, part.size(), c.y[0] + part.begin, c.dy[0] + part.begin,
                                     c.dx[0] + part.begin);
    }
  }

 private:
  bool softmax_ = false;
  Activation function_ = Activation::linear;
  T slope_;
  Index size_ = 0, rows_ = 0, cols_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(activation, ActivationOp);

}  // namespace fastgd
