// discretize: the number of the bin that each element falls into, as int32; the parameter holds the boundaries.
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Discretize final : public Op<T> {
 public:
  explicit Discretize(const OpSetup& s) {
    s.expect_inputs(1);
    s.expect_params(1, 1);
    check(!s.inputs[0].integer && s.params[0].size() == 1,
          "takes a floating input and one row of boundaries. Received: ", to_string(s.params[0]));
    size_ = count(s.inputs[0].shape);
    boundaries_ = s.params[0][0];
    auto& t = this->traits;
    t.outputs = {{s.inputs[0].shape, true}};
    t.differentiable = false;
    t.forward_work = 20.0 * static_cast<double>(size_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, 64);
    c.kernels->discretize(part.size(), boundaries_, c.w[0], c.x[0] + part.begin,
                          reinterpret_cast<std::int32_t*>(c.y[0]) + part.begin);
  }

 private:
  Index size_ = 0, boundaries_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(discretize, Discretize);

}  // namespace fastgd
