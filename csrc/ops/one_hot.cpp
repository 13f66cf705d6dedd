// one_hot: int32 labels as vectors with a 1 at the label's place.
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class OneHot final : public Op<T> {
 public:
  explicit OneHot(const OpSetup& s) : classes_(s.attrs.integer("classes")) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    check(s.inputs[0].integer, "takes int32 labels");
    check(classes_ >= 0, "`classes` must not be negative. Received: classes=", classes_);
    Shape y = s.inputs[0].shape;
    rows_ = count(y);
    y.push_back(classes_);
    this->traits.outputs = {{y}};
    this->traits.integer_inputs = 1;
    this->traits.differentiable = false;
    this->traits.forward_work = static_cast<double>(count(y));
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range rows = who.share(rows_);
    c.kernels->fill(rows.size() * classes_, T(0), c.y[0] + rows.begin * classes_);
    for (Index row = rows.begin; row < rows.end; ++row) {
      const std::int32_t label = c.ints(0)[row];
      if (label >= 0 && label < classes_) c.y[0][row * classes_ + label] = T(1);
    }
  }

 private:
  Index classes_, rows_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(one_hot, OneHot);

}  // namespace fastgd
