// max_pool: the largest element of each window, and where it was, which backward needs and no more.
#include "ops/max_pooling.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class MaxPool final : public Op<T> {
 public:
  explicit MaxPool(const OpSetup& s) : pooling_(s), samples_(s.inputs[0].shape.front()) {
    auto& t = this->traits;
    t.outputs = {{pooling_.output()}};
    t.saved_bytes = pooling_.number_bytes(samples_);
    t.forward_work = static_cast<double>(pooling_.window()) * static_cast<double>(count(pooling_.output()));
    t.backward_work = pooling_.disjoint() ? static_cast<double>(count(s.inputs[0].shape)) : t.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const WindowNumbers numbers = c.run->differentiates ? pooling_.numbers(c.saved, 0) : WindowNumbers{};
    pooling_.forward(*c.kernels, samples_, c.x[0], {}, c.y[0], numbers, who);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    pooling_.backward(*c.kernels, samples_, c.dy[0], pooling_.numbers(c.saved, 0), c.dx[0], who);
  }

 private:
  MaxPooling<T> pooling_;
  Index samples_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(max_pool, MaxPool);

}  // namespace fastgd
