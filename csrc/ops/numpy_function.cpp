// numpy_function: what a function from outside the engine makes of the whole batch, called by one thread.

#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class NumpyFunction final : public Op<T> {
 public:
  explicit NumpyFunction(const OpSetup& s) : function_(s.attrs.host_function("function")) {
    s.expect_params(0, 0);
    // One bit each in the traits.
    check(s.inputs.size() <= 32, "takes at most 32 inputs. Received: ", s.inputs.size());
    auto& t = this->traits;
    t.gradient_inputs = 0;
    for (std::size_t i = 0; i < s.inputs.size(); ++i) {
      const TensorInfo& input = s.inputs[i];
      x_.push_back({input.shape, input.integer ? Source::int32 : kSourceOf<T>});
      (input.integer ? t.integer_inputs : t.gradient_inputs) |= 1u << i;
    }
    for (const Shape& shape : function_->shapes()) {
      t.outputs.push_back({resolve(shape, s.batch)});
      y_.push_back({t.outputs.back().shape, kSourceOf<T>});
    }
    dx_ = x_;
    dy_ = y_;
    t.couples_samples = true;
    t.may_fail = true;
    t.backward_reads_inputs = t.backward_reads_outputs = ~0u;
    if (!function_->differentiable())
      t.refuses_gradient = "'" + function_->name() +
                           "' has no `backward`, but weights before it are trained: give it one, or put "
                           "`ops.stop_gradient` before it";
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    if (who.rank != 0) return;
    point(x_, c.x);
    point(y_, c.y);
    if (!function_->forward(x_, y_)) c.run->failed = true;
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    if (who.rank != 0) return;
    point(x_, c.x);
    point(y_, c.y);
    point(dy_, c.dy);
    point(dx_, c.dx);
    if (!function_->backward(dy_, y_, x_, dx_)) c.run->failed = true;
  }

 private:
  template <class Pointers>
  static void point(std::vector<HostArray>& arrays, const Pointers& to) noexcept {
    for (std::size_t i = 0; i < arrays.size(); ++i) arrays[i].data = const_cast<T*>(to[i]);
  }

  std::shared_ptr<HostFunction> function_;
  // The operands of the running call; only rank 0 touches them, and a program has one run at a time.
  mutable std::vector<HostArray> x_, y_, dy_, dx_;
};

}  // namespace

FASTGD_DEFINE_OP(numpy_function, NumpyFunction);

}  // namespace fastgd
