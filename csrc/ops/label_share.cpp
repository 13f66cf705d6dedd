// label_share: for each sample the share of its labels that are not the ignored class.
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class LabelShare final : public Op<T> {
 public:
  explicit LabelShare(const OpSetup& s) : ignored_(s.attrs.integer("ignore_class")) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    const Shape& t = s.inputs[0].shape;
    check(s.inputs[0].integer && !t.empty(), "takes labels with a batch axis. Received: ", to_string(t));
    samples_ = t[0];
    labels_ = count(std::span(t).subspan(1));
    this->traits.outputs = {{{samples_}}};
    this->traits.integer_inputs = 1;
    this->traits.differentiable = false;
    this->traits.forward_work = static_cast<double>(count(t));
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(samples_);
    for (Index i = part.begin; i < part.end; ++i) {
      Index valid = 0;
      for (Index j = 0; j < labels_; ++j) valid += c.ints(0)[i * labels_ + j] != ignored_;
      c.y[0][i] = labels_ == 0 ? T(0) : static_cast<T>(valid) / static_cast<T>(labels_);
    }
  }

 private:
  Index ignored_, samples_ = 0, labels_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(label_share, LabelShare);

}  // namespace fastgd
