// activation: an elementwise function, or softmax or its logarithm along an axis.
#include <algorithm>

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
class Softmax final : public Op<T> {
 public:
  explicit Softmax(const OpSetup& s) : logarithm_(s.attrs.text("function", "") == "log_softmax") {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    const Shape& x = s.inputs[0].shape;
    const auto rank = static_cast<Index>(x.size());
    check(rank > 0, "softmax takes at least one axis. Received: ", to_string(x));
    const Index axis = s.attrs.integer("axis", rank - 1);
    check(axis >= 0 && axis < rank, "`axis` must be from 0 to ", rank, " exclusive. Received: axis=", axis);
    const auto at = static_cast<std::size_t>(axis);
    outer_ = count(std::span(x).first(at));
    length_ = x[at];
    inner_ = count(std::span(x).subspan(at + 1));
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
      (logarithm_ ? k.log_softmax : k.softmax)(rows.size(), length_, c.x[0] + at, c.y[0] + at);
    } else {
      each_block(who, k.lanes, [&](Index at, Index cols) {
        k.softmax_columns(logarithm_, length_, cols, inner_, c.x[0] + at, c.y[0] + at);
      });
    }
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    if (inner_ == 1) {
      const Range rows = who.share(outer_);
      const Index at = rows.begin * length_;
      const auto run = logarithm_ ? k.log_softmax_backward : k.softmax_backward;
      run(rows.size(), length_, c.y[0] + at, c.dy[0] + at, c.dx[0] + at);
    } else {
      each_block(who, k.lanes, [&](Index at, Index cols) {
        k.softmax_columns_backward(logarithm_, length_, cols, inner_, c.y[0] + at, c.dy[0] + at, c.dx[0] + at);
      });
    }
  }

 private:
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

  bool logarithm_;
  Index outer_ = 0, length_ = 0, inner_ = 0;
};

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_activation(const OpSetup& setup) {
  const std::string name = setup.attrs.text("function", "linear");
  if (name == "softmax" || name == "log_softmax") return std::make_unique<Softmax<T>>(setup);
  return std::make_unique<Elementwise<T>>(setup);
}
template std::unique_ptr<Op<float>> make_activation(const OpSetup&);
template std::unique_ptr<Op<double>> make_activation(const OpSetup&);

}  // namespace fastgd
