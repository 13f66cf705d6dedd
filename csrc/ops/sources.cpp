// constant, parameter and cast: tensors that come from a number, from a parameter, and from integers.
#include <cstring>

#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Constant final : public Op<T> {
 public:
  explicit Constant(const OpSetup& s) : value_(static_cast<T>(s.attrs.real("value", 0.0))) {
    s.expect_inputs(0);
    s.expect_params(0, 0);
    const Shape shape = resolve(s.attrs.sizes("shape"), s.batch);
    size_ = count(shape);
    this->traits.outputs = {{shape}};
    this->traits.differentiable = false;
    this->traits.forward_work = static_cast<double>(size_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, c.kernels->lanes);
    c.kernels->fill(part.size(), value_, c.y[0] + part.begin);
  }

 private:
  T value_;
  Index size_ = 0;
};

// It has no batch axis and yet couples no samples: each part of a batch reads the same values, and the gradients that
// the parts give are added up.
template <class T>
class Parameter final : public Op<T> {
 public:
  explicit Parameter(const OpSetup& s) {
    s.expect_inputs(0);
    s.expect_params(1, 1);
    size_ = count(s.params[0]);
    this->traits.outputs = {{s.params[0]}};
    this->traits.forward_work = static_cast<double>(size_);
    this->traits.backward_work = static_cast<double>(size_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, c.kernels->lanes);
    copy(part, c.w[0], c.y[0]);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    if (c.dw[0] == nullptr) return;
    const Range part = who.share(size_, c.kernels->lanes);
    if (c.dw_accumulate[0]) {
      T* dw = c.dw[0] + part.begin;
      c.kernels->add(part.size(), dw, c.dy[0] + part.begin, dw);
    } else {
      copy(part, c.dy[0], c.dw[0]);
    }
  }

 private:
  static void copy(Range part, const T* from, T* to) {
    if (part.size() > 0)
      std::memcpy(to + part.begin, from + part.begin, static_cast<std::size_t>(part.size()) * sizeof(T));
  }

  Index size_ = 0;
};

template <class T>
class Cast final : public Op<T> {
 public:
  explicit Cast(const OpSetup& s) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    check(s.inputs[0].integer, "takes an int32 tensor");
    size_ = count(s.inputs[0].shape);
    this->traits.outputs = {{s.inputs[0].shape}};
    this->traits.integer_inputs = 1;
    this->traits.differentiable = false;
    this->traits.forward_work = static_cast<double>(size_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, c.kernels->lanes);
    c.kernels->convert(Source::int32, part.size(), c.ints(0) + part.begin, c.y[0] + part.begin);
  }

 private:
  Index size_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(constant, Constant);
FASTGD_DEFINE_OP(parameter, Parameter);
FASTGD_DEFINE_OP(cast, Cast);

}  // namespace fastgd
