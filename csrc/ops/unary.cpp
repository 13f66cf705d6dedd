// unary: one function of each element.
#include "ops/register.h"

namespace fastgd {
namespace {

// What backward reads, and roughly how many operations an element costs.
struct UnaryInfo {
  const char* name;
  Unary function;
  bool differentiable;
  bool reads_x, reads_y;
  double work;
};

constexpr UnaryInfo kUnary[] = {
    {"absolute", Unary::absolute, true, true, false, 1},
    {"arctan", Unary::arctan, true, true, false, 50},
    {"ceil", Unary::ceil, false, false, false, 4},
    {"cos", Unary::cos, true, true, false, 50},
    {"cosh", Unary::cosh, true, true, false, 50},
    {"erf", Unary::erf, true, true, false, 50},
    {"exp", Unary::exp, true, false, true, 15},
    {"expm1", Unary::expm1, true, false, true, 30},
    {"floor", Unary::floor, false, false, false, 4},
    {"isfinite", Unary::isfinite, false, false, false, 1},
    {"isinf", Unary::isinf, false, false, false, 1},
    {"isnan", Unary::isnan, false, false, false, 1},
    {"log", Unary::log, true, true, false, 20},
    {"log10", Unary::log10, true, true, false, 20},
    {"log1p", Unary::log1p, true, true, false, 25},
    {"log2", Unary::log2, true, true, false, 20},
    {"logical_not", Unary::logical_not, false, false, false, 1},
    {"negative", Unary::negative, true, false, false, 1},
    {"reciprocal", Unary::reciprocal, true, false, true, 4},
    {"round", Unary::round, false, false, false, 3},
    {"rsqrt", Unary::rsqrt, true, false, true, 8},
    {"sign", Unary::sign, false, false, false, 1},
    {"sin", Unary::sin, true, true, false, 50},
    {"sinh", Unary::sinh, true, true, false, 50},
    {"sqrt", Unary::sqrt, true, false, true, 4},
    {"square", Unary::square, true, true, false, 1},
    {"stop_gradient", Unary::stop_gradient, false, false, false, 1},
    {"tan", Unary::tan, true, false, true, 50},
};

const UnaryInfo& find_unary(const std::string& name) {
  for (const UnaryInfo& info : kUnary)
    if (name == info.name) return info;
  fail("unknown function '", name, "'");
}

template <class T>
class UnaryOp final : public Op<T> {
 public:
  explicit UnaryOp(const OpSetup& s) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    check(!s.inputs[0].integer, "takes a floating tensor");
    const UnaryInfo& info = find_unary(s.attrs.text("function", ""));
    function_ = info.function;
    size_ = count(s.inputs[0].shape);
    auto& t = this->traits;
    t.outputs = {s.inputs[0]};
    t.differentiable = info.differentiable;
    t.backward_reads_inputs = info.reads_x ? 1 : 0;
    t.backward_reads_outputs = info.reads_y ? 1 : 0;
    t.forward_work = info.work * static_cast<double>(size_);
    t.backward_work = t.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, c.kernels->lanes);
    c.kernels->unary(function_, part.size(), c.x[0] + part.begin, c.y[0] + part.begin);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, c.kernels->lanes);
    const auto from = [&](const T* p) { return p == nullptr ? nullptr : p + part.begin; };
    c.kernels->unary_backward(function_, part.size(), from(c.x[0]), from(c.y[0]), c.dy[0] + part.begin,
                              c.dx[0] + part.begin);
  }

 private:
  Unary function_;
  Index size_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(unary, UnaryOp);

}  // namespace fastgd
