// add: the sum of one or more tensors of one shape, from the first to the last.
#include <cstring>

#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Add final : public Op<T> {
 public:
  explicit Add(const OpSetup& s) : inputs_(static_cast<int>(s.inputs.size())) {
    s.expect_params(0, 0);
    check(inputs_ >= 1, "takes at least one input");
    for (const TensorInfo& x : s.inputs)
      check(x.shape == s.inputs[0].shape && !x.integer,
            "takes tensors of one shape. Received: ", to_string(s.inputs[0].shape), " and ", to_string(x.shape));
    size_ = count(s.inputs[0].shape);
    this->traits.outputs = {s.inputs[0]};
    this->traits.forward_work = static_cast<double>(size_) * inputs_;
    this->traits.backward_work = this->traits.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, c.kernels->lanes);
    T* y = c.y[0] + part.begin;
    copy(part.size(), c.x[0] + part.begin, y);
    for (int i = 1; i < inputs_; ++i) c.kernels->add(part.size(), y, c.x[i] + part.begin, y);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, c.kernels->lanes);
    for (int i = 0; i < inputs_; ++i)
      if (c.dx[i] != nullptr) copy(part.size(), c.dy[0] + part.begin, c.dx[i] + part.begin);
  }

 private:
  static void copy(Index n, const T* x, T* y) { std::memcpy(y, x, static_cast<std::size_t>(n) * sizeof(T)); }

  int inputs_;
  Index size_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(add, Add);

}  // namespace fastgd
