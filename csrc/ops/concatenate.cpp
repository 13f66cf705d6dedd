// concatenate: tensors joined along one axis.
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
    check(axis >= 0 && axis < static_cast<Index>(y.size()), "`axis` must be from 0 to ", y.size(),
          " exclusive. Received: axis=", axis);
    const bool integer = s.inputs[0].integer;
    unit_ = integer ? sizeof(std::int32_t) : sizeof(T);
    const auto at = static_cast<std::size_t>(axis);
    y[at] = 0;
    for (const TensorInfo& x : s.inputs) {
      Shape rest = x.shape;
      if (rest.size() == y.size()) rest[at] = y[at];
      check(rest == y && x.integer == integer, "takes shapes that are equal but on axis ", axis,
            ". Received: ", to_string(s.inputs[0].shape), " and ", to_string(x.shape));
      widths_.push_back(count(std::span(x.shape).subspan(at)));
      width_ += widths_.back();
      y[at] += x.shape[at];
    }
    rows_ = count(std::span(y).first(at));
    this->traits.outputs = {{y, integer}};
    this->traits.integer_inputs = integer ? ~0u : 0;
    this->traits.couples_samples = axis == 0 && s.inputs.size() > 1;
    this->traits.forward_work = static_cast<double>(rows_ * width_);
    this->traits.backward_work = this->traits.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range rows = who.share(rows_);
    Index begin = 0;
    for (std::size_t i = 0; i < widths_.size(); ++i) {
      copy(rows, bytes(c.x[i]), widths_[i], bytes(c.y[0]) + begin * unit_, width_, widths_[i]);
      begin += widths_[i];
    }
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range rows = who.share(rows_);
    Index begin = 0;
    for (std::size_t i = 0; i < widths_.size(); ++i) {
      if (c.dx[i] != nullptr)
        copy(rows, bytes(c.dy[0]) + begin * unit_, width_, bytes(c.dx[i]), widths_[i], widths_[i]);
      begin += widths_[i];
    }
  }

 private:
  // Rows of `width` elements; all sizes in elements.
  void copy(Range rows, const std::byte* x, Index x_row, std::byte* y, Index y_row, Index width) const noexcept {
    for (Index r = rows.begin; r < rows.end; ++r)
      std::memcpy(y + r * y_row * unit_, x + r * x_row * unit_, static_cast<std::size_t>(width * unit_));
  }

  static const std::byte* bytes(const T* p) { return reinterpret_cast<const std::byte*>(p); }
  static std::byte* bytes(T* p) { return reinterpret_cast<std::byte*>(p); }

  std::vector<Index> widths_;
  Index width_ = 0, rows_ = 0, unit_ = sizeof(T);
};

}  // namespace

FASTGD_DEFINE_OP(concatenate, Concatenate);

}  // namespace fastgd
