// binary: one function of two elements, the operands broadcast against each other.
#include "ops/broadcast.h"
#include "ops/register.h"

namespace fastgd {
namespace {

struct BinaryInfo {
  const char* name;
  Binary function;
  bool differentiable;
  unsigned reads_inputs, reads_output;  // by backward
  double work;                          // operations per element
};

constexpr BinaryInfo kBinary[] = {
    {"add", Binary::add, true, 0, 0, 1},
    {"arctan2", Binary::arctan2, true, 3, 0, 60},
    {"divide", Binary::divide, true, 3, 0, 4},
    {"equal", Binary::equal, false, 0, 0, 1},
    {"floor_divide", Binary::floor_divide, false, 0, 0, 60},
    {"greater", Binary::greater, false, 0, 0, 1},
    {"greater_equal", Binary::greater_equal, false, 0, 0, 1},
    {"less", Binary::less, false, 0, 0, 1},
    {"less_equal", Binary::less_equal, false, 0, 0, 1},
    {"logical_and", Binary::logical_and, false, 0, 0, 1},
    {"logical_or", Binary::logical_or, false, 0, 0, 1},
    {"logical_xor", Binary::logical_xor, false, 0, 0, 1},
    {"maximum", Binary::maximum, true, 3, 0, 1},
    {"minimum", Binary::minimum, true, 3, 0, 1},
    {"mod", Binary::mod, true, 3, 0, 60},
    {"multiply", Binary::multiply, true, 3, 0, 1},
    {"not_equal", Binary::not_equal, false, 0, 0, 1},
    {"power", Binary::power, true, 3, 1, 60},
    {"subtract", Binary::subtract, true, 0, 0, 1},
};

const BinaryInfo& find_binary(const std::string& name) {
  for (const BinaryInfo& info : kBinary)
    if (name == info.name) return info;
  fail("unknown function '", name, "'");
}

template <class T>
class BinaryOp final : public Op<T> {
 public:
  explicit BinaryOp(const OpSetup& s) : broadcast_(checked(s)) {
    const BinaryInfo& info = find_binary(s.attrs.text("function", ""));
    function_ = info.function;
    auto& t = this->traits;
    t.outputs = {{broadcast_.shape()}};
    // A sample's results hang on that sample alone, even where an operand has no batch axis: the gradient by such an
    // operand is a sum over the samples, of which each part of a batch gives its share.
    t.couples_samples = false;
    t.differentiable = info.differentiable;
    t.backward_reads_inputs = info.reads_inputs;
    t.backward_reads_outputs = info.reads_output;
    t.backward_scratch = multiply(broadcast_.gradient_scratch(0, 2), sizeof(T));
    t.forward_work = info.work * static_cast<double>(broadcast_.size());
    t.backward_work = 2 * t.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    broadcast_.each_block(who, c.kernels->lanes, [&](const Walk& walk, const std::array<Index, 3>& at, Index out) {
      c.kernels->binary(function_, walk, c.x[0] + at[0], c.x[1] + at[1], c.y[0] + out);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const auto from = [](const T* p, Index offset) { return p == nullptr ? nullptr : p + offset; };
    broadcast_gradients<T>(broadcast_, 0, 2, c, who,
                           [&](int k, const Walk& walk, const std::array<Index, 3>& at, Index out, T* to) {
                             c.kernels->binary_backward(function_, k == 1, walk, from(c.x[0], at[0]),
                                                        from(c.x[1], at[1]), from(c.y[0], out), c.dy[0] + out, to);
                           });
  }

 private:
  static std::span<const TensorInfo> checked(const OpSetup& s) {
    s.expect_inputs(2);
    s.expect_params(0, 0);
    return s.inputs;
  }

  Broadcast broadcast_;
  Binary function_;
};

}  // namespace

FASTGD_DEFINE_OP(binary, BinaryOp);

}  // namespace fastgd
