// divide_by_mean: y = scale v / m, with m the mean over the batch of the product of the other inputs; 0 where m is 0.
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class DivideByMean final : public Op<T> {
 public:
  explicit DivideByMean(const OpSetup& s) : divisors_(static_cast<int>(s.inputs.size()) - 1) {
    check(divisors_ == 1 || divisors_ == 2, "takes 2 or 3 inputs. Received: ", s.inputs.size());
    s.expect_params(0, 0);
    for (const TensorInfo& x : s.inputs)
      check(x.shape.size() == 1 && x.shape == s.inputs[0].shape && !x.integer,
            "takes one value per sample. Received: ", to_string(x.shape));
    samples_ = s.inputs[0].shape[0];
    scale_ = s.attrs.real("scale", 1.0);
    auto& told = this->traits;
    told.outputs = {s.inputs[0]};
    told.couples_samples = true;
    told.gradient_inputs = 1;
    told.backward_reads_inputs = divisors_ == 1 ? 2 : 6;
    told.forward_work = 3.0 * static_cast<double>(samples_);
    told.backward_work = told.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override { scaled(c, who, c.x[0], c.y[0]); }
  void backward(const Call<T>& c, const Worker& who) const noexcept override { scaled(c, who, c.dy[0], c.dx[0]); }

 private:
  // Every worker sums up all of the divisors: that costs less than a meeting, and the order is always the same.
  void scaled(const Call<T>& c, const Worker& who, const T* from, T* to) const noexcept {
    double sum = 0;
    for (Index i = 0; i < samples_; ++i) {
      const auto first = static_cast<double>(c.x[1][i]);
      sum += divisors_ == 1 ? first : first * static_cast<double>(c.x[2][i]);
    }
    const T factor = sum == 0 ? T(0) : static_cast<T>(scale_ * static_cast<double>(samples_) / sum);
    const Range part = who.share(samples_, c.kernels->lanes);
    for (Index i = part.begin; i < part.end; ++i) to[i] = from[i] * factor;
  }

  int divisors_;
  Index samples_ = 0;
  double scale_ = 1;
};

}  // namespace

FASTGD_DEFINE_OP(divide_by_mean, DivideByMean);

}  // namespace fastgd
