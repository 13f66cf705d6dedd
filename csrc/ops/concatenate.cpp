// concatenate: tensors joined along one axis other than the first.
#include <cstring>

#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Concatenate final : public Op<T> {
 public:
  explicit Concatenate(const OpSetup& s) {
    s.expect_params(0, 0);
    check(!s.inputs.empty(), "takes at least one input");
    Shape y = s.inputs[0].shape;
    const Index axis = s.attrs.integer("axis");
    check(axis > 0 && axis < static_cast<Index>(y.size()), "`axis` must be from 1 to ", y.size(),
          " exclusive. Received: axis=", axis);
    const auto at = static_cast<std::size_t>(axis);
    y[at] = 0;
    for (const TensorInfo& x : s.inputs) {
      Shape rest = x.shape;
      if (rest.size() == y.size()) rest[at] = y[at];
      check(rest == y && !x.integer, "takes shapes that are equal but on axis ", axis,
            ". Received: ", to_string(s.inputs[0].shape), " and ", to_string(x.shape));
      widths_.push_back(count(std::span(x.shape).subspan(at)));
      width_ += widths_.back();
      y[at] += x.shape[at];
    }
    rows_ = count(std::span(y).first(at));
    this->traits.outputs = {{y}};
    this->traits.forward_work = static_cast<double>(rows_ * width_);
    this->traits.backward_work = this->traits.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range rows = who.share(rows_);
    Index begin = 0;
    for (std::size_t i = 0; i < widths_.size(); ++i) {
      copy(rows, c.x[i], widths_[i], c.y[0] + begin, width_, widths_[i]);
      begin += widths_[i];
    }
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range rows = who.share(rows_);
    Index begin = 0;
    for (std::size_t i = 0; i < widths_.size(); ++i) {
      if (c.dx[i] != nullptr) copy(rows, c.dy[0] + begin, width_, c.dx[i], widths_[i], widths_[i]);
      begin += widths_[i];
    }
  }

 private:
  static void copy(Range rows, const T* x, Index x_row, T* y, Index y_row, Index width) {
    for (Index r = rows.begin; r < rows.end; ++r)
      std::memcpy(y + r * y_row, x + r * x_row, static_cast<std::size_t>(width) * sizeof(T));
  }

  std::vector<Index> widths_;
  Index width_ = 0, rows_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(concatenate, Concatenate);

}  // namespace fastgd
