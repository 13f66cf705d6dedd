// activation: an elementwise function, or softmax, its logarithm or sparsemax along an axis.
#include <algorithm>
#include <optional>

#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Elementwise final : public Op<T> {
 public:
  explicit Elementwise(const OpSetup& s) : function_(parse_activation<T>(s.attrs, "function")) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    size_ = count(s.inputs[0].shape);
    from_output_ = derives_from_output(function_.function);
    auto& t = this->traits;
    t.outputs = {s.inputs[0]};
    (from_output_ ? t.backward_reads_outputs : t.backward_reads_inputs) = 1;
    t.forward_work = 20.0 * static_cast<double>(size_);
    t.backward_work = (from_output_ ? 4.0 : 20.0) * static_cast<double>(size_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, c.kernels->lanes);
    c.kernels->activation(function_, part.size(), c.x[0] + part.begin, c.y[0] + part.begin);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, c.kernels->lanes);
    const T* const v = from_output_ ? c.y[0] : c.x[0];
    c.kernels->activation_backward(function_, part.size(), v + part.begin, c.dy[0] + part.begin, c.dx[0] + part.begin);
  }

 private:
  ActivationSpec<T> function_;
  bool from_output_ = true;
  Index size_ = 0;
};

// x as (outer, axis, inner): by rows where nothing is inside the axis, else by columns of each matrix (axis, inner).
template <class T>
class AlongAnAxis final : public Op<T> {
 public:
  AlongAnAxis(const OpSetup& s, AxisFunction function) : function_(function) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    const Shape& x = s.inputs[0].shape;
    const auto rank = static_cast<Index>(x.size());
    check(rank > 0, "softmax takes at least one axis. Received: ", to_string(x));
    const Index axis = s.attrs.integer("axis", rank - 1);
    std::tie(outer_, length_, inner_) = cut_around(x, axis);
    auto& t = this->traits;
    t.outputs = {s.inputs[0]};
    t.couples_samples = axis == 0;
    t.backward_reads_outputs = 1;
    t.forward_work = 20.0 * static_cast<double>(count(x));
    t.backward_work = 4.0 * static_cast<double>(count(x));
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    if (inner_ == 1) {
      const Range rows = who.share(outer_);
      const Index at = rows.begin * length_;
      value_of_rows(k)(rows.size(), length_, c.x[0] + at, c.y[0] + at);
    } else {
      each_block(who, k.lanes, [&](Index at, Index cols) {
        k.softmax_columns(function_, length_, cols, inner_, c.x[0] + at, c.y[0] + at);
      });
    }
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    if (inner_ == 1) {
      const Range rows = who.share(outer_);
      const Index at = rows.begin * length_;
      gradient_of_rows(k)(rows.size(), length_, c.y[0] + at, c.dy[0] + at, c.dx[0] + at);
    } else {
      each_block(who, k.lanes, [&](Index at, Index cols) {
        k.softmax_columns_backward(function_, length_, cols, inner_, c.y[0] + at, c.dy[0] + at, c.dx[0] + at);
      });
    }
  }

 private:
  auto value_of_rows(const Kernels<T>& k) const noexcept {
    if (function_ == AxisFunction::sparsemax) return k.sparsemax;
    return function_ == AxisFunction::softmax ? k.softmax : k.log_softmax;
  }
  auto gradient_of_rows(const Kernels<T>& k) const noexcept {
    if (function_ == AxisFunction::sparsemax) return k.sparsemax_backward;
    return function_ == AxisFunction::softmax ? k.softmax_backward : k.log_softmax_backward;
  }

  // Calls run(at, cols) for this worker's columns of each matrix, the first of which lies at `at`.
  template <class F>
  void each_block(const Worker& who, Index lanes, F run) const {
    const Range part = who.share(outer_ * inner_, lanes);
    for (Index begin = part.begin; begin < part.end;) {
      const Index matrix = begin / inner_, column = begin % inner_;
      const Index cols = std::min(inner_ - column, part.end - begin);
      run(matrix * length_ * inner_ + column, cols);
      begin += cols;
    }
  }

  AxisFunction function_;
  Index outer_ = 0, length_ = 0, inner_ = 0;
};

std::optional<AxisFunction> axis_function(const std::string& name) {
  if (name == "softmax") return AxisFunction::softmax;
  if (name == "log_softmax") return AxisFunction::log_softmax;
  if (name == "sparsemax") return AxisFunction::sparsemax;
  return std::nullopt;
}

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_activation(const OpSetup& setup) {
  const auto along = axis_function(setup.attrs.text("function", "linear"));
  if (along) return std::make_unique<AlongAnAxis<T>>(setup, *along);
  return std::make_unique<Elementwise<T>>(setup);
}
template std::unique_ptr<Op<float>> make_activation(const OpSetup&);
template std::unique_ptr<Op<double>> make_activation(const OpSetup&);

}  // namespace fastgd
