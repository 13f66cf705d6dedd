// matmul: y = a b over the last two axes, either operand stored transposed, leading axes equal.
#include "ops/matmul.h"

#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Matmul final : public Op<T> {
 public:
  explicit Matmul(const OpSetup& s) : ta_(s.attrs.flag("transpose_a", false)), tb_(s.attrs.flag("transpose_b", false)) {
    s.expect_inputs(2);
    s.expect_params(0, 0);
    const Shape& a = s.inputs[0].shape;
    const Shape& b = s.inputs[1].shape;
    const std::size_t rank = a.size();
    check(rank >= 2 && b.size() == rank, "takes two tensors of the same rank, 2 or more. Received: ", to_string(a),
          " and ", to_string(b));
    m_ = a[rank - (ta_ ? 1 : 2)];
    k_ = a[rank - (ta_ ? 2 : 1)];
    n_ = b[rank - (tb_ ? 2 : 1)];
    check(b[rank - (tb_ ? 1 : 2)] == k_ && std::equal(a.begin(), a.end() - 2, b.begin()), to_string(a),
          ta_ ? " transposed" : "", " and ", to_string(b), tb_ ? " transposed" : "", " do not fit");
    Shape y(a.begin(), a.end() - 2);
    pieces_ = count(y);
    y.insert(y.end(), {m_, n_});
    auto& t = this->traits;
    t.outputs = {{y}};
    t.backward_reads_inputs = 3;
    t.couples_samples = rank == 2;  // the first axis is the batch's
    const Kernels<T>& kernels = s.table.of<T>();
    forward_ = {kernels, {m_, n_, k_, ta_, tb_}};
    // With op(a) = a or a', op(b) = b or b': d op(a) = dy op(b)', d op(b) = op(a)' dy; a transposed operand turns the
    // product.
    a_gradient_ = ta_ ? Product<T>(kernels, {k_, m_, n_, tb_, true}) : Product<T>(kernels, {m_, k_, n_, false, !tb_});
    b_gradient_ = tb_ ? Product<T>(kernels, {n_, k_, m_, true, ta_}) : Product<T>(kernels, {k_, n_, m_, !ta_, false});
    t.forward_scratch = forward_.scratch_bytes();
    t.backward_scratch = a_gradient_.scratch_bytes() + b_gradient_.scratch_bytes();
    t.forward_work = 2.0 * static_cast<double>(pieces_) * static_cast<double>(m_) * static_cast<double>(n_) *
                     static_cast<double>(k_);
    t.backward_work = 2 * t.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    for (Index i = 0; i < pieces_; ++i) {
      forward_.run(*c.kernels, c.x[0] + i * m_ * k_, c.x[1] + i * k_ * n_, c.y[0] + i * m_ * n_, false, {},
                   c.scratch_values(), who);
      if (i + 1 < pieces_) who.sync();  // the scratch is used again
    }
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    T* const scratch = c.scratch_values();
    T* const more = scratch + a_gradient_.scratch_bytes() / static_cast<Index>(sizeof(T));
    for (Index i = 0; i < pieces_; ++i) {
      const T* a = c.x[0] + i * m_ * k_;
      const T* b = c.x[1] + i * k_ * n_;
      const T* dy = c.dy[0] + i * m_ * n_;
      if (c.dx[0] != nullptr)
        a_gradient_.run(*c.kernels, ta_ ? b : dy, ta_ ? dy : b, c.dx[0] + i * m_ * k_, false, {}, scratch, who);
      if (c.dx[1] != nullptr)
        b_gradient_.run(*c.kernels, tb_ ? dy : a, tb_ ? a : dy, c.dx[1] + i * k_ * n_, false, {}, more, who);
      if (i + 1 < pieces_) who.sync();
    }
  }

 private:
  bool ta_, tb_;
  Index pieces_ = 1, m_ = 0, n_ = 0, k_ = 0;
  Product<T> forward_, a_gradient_, b_gradient_;
};

}  // namespace

FASTGD_DEFINE_OP(matmul, Matmul);

}  // namespace fastgd
