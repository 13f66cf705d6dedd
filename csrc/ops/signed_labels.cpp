// signed_labels: targets of 0 and 1 as -1 and 1; targets among which there is any other number stay as they are.
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class SignedLabels final : public Op<T> {
 public:
  explicit SignedLabels(const OpSetup& s) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    check(!s.inputs[0].integer, "takes a floating tensor");
    size_ = count(s.inputs[0].shape);
    this->traits.outputs = {s.inputs[0]};
    this->traits.differentiable = false;
    this->traits.couples_samples = true;
    this->traits.forward_work = 3.0 * static_cast<double>(size_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const T* const t = c.x[0];
    // Every worker looks at all of them: that costs less than a meeting.
    bool binary = true;
    for (Index i = 0; i < size_ && binary; ++i) binary = t[i] == T(0) || t[i] == T(1);
    const Range part = who.share(size_, c.kernels->lanes);
    for (Index i = part.begin; i < part.end; ++i) c.y[0][i] = binary ? T(2) * t[i] - T(1) : t[i];
  }

 private:
  Index size_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(signed_labels, SignedLabels);

}  // namespace fastgd
