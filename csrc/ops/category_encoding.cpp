// category_encoding: the labels along the last axis as one vector of zeros and ones, or of counts, over all classes.
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class CategoryEncoding final : public Op<T> {
 public:
  explicit CategoryEncoding(const OpSetup& s)
      : classes_(s.attrs.integer("num_tokens")), counts_(s.attrs.flag("count", false)) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    Shape y = s.inputs[0].shape;
    check(s.inputs[0].integer && y.size() >= 2, "takes integer labels along the last axis. Received: ", to_string(y));
    check(classes_ >= 1, "`num_tokens` must be 1 or more. Received: num_tokens=", classes_);
    labels_ = y.back();
    y.back() = classes_;
    rows_ = count(std::span(y).first(y.size() - 1));
    auto& t = this->traits;
    t.outputs = {{y}};
    t.differentiable = false;
    t.integer_inputs = 1;
    t.forward_work = static_cast<double>(rows_) * static_cast<double>(classes_ + labels_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range rows = who.share(rows_);
    c.kernels->encode_labels(rows.size(), labels_, classes_, counts_, c.ints(0) + rows.begin * labels_,
                             c.y[0] + rows.begin * classes_);
  }

 private:
  Index classes_, rows_ = 0, labels_ = 0;
  bool counts_;
};

}  // namespace

FASTGD_DEFINE_OP(category_encoding, CategoryEncoding);

}  // namespace fastgd
