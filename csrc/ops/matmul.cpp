// matmul: y = a b over the last two axes, either operand stored transposed, leading axes equal.
#include "ops/matmul.h"

#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Matmul final : public Op<T> {
 public:
  explicit Matmul(const OpSetup& s)
      : ta_(s.attrs.flag("transpose_a", false)), tb_(s.attrs.flag("transpose_b", false)) {
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
    // Room for one transposed right-hand operand: b in forward, b or dy's partner in backward.
    t.forward_scratch = multiply(multiply(k_, n_), sizeof(T));
    t.backward_scratch = multiply(std::max({multiply(k_, n_), multiply(m_, k_), multiply(m_, n_)}), sizeof(T));
    t.forward_work = 2.0 * static_cast<double>(pieces_) * static_cast<double>(m_) * static_cast<double>(n_) *
                     static_cast<double>(k_);
    t.backward_work = 2 * t.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    for (Index i = 0; i < pieces_; ++i)
      product(c, c.x[0] + i * m_ * k_, ta_, c.x[1] + i * k_ * n_, tb_, c.y[0] + i * m_ * n_, m_, n_, k_, who);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    for (Index i = 0; i < pieces_; ++i) {
      const T* a = c.x[0] + i * m_ * k_;
      const T* b = c.x[1] + i * k_ * n_;
      const T* dy = c.dy[0] + i * m_ * n_;
      // With op(a) = a or a', op(b) = b or b': d op(a) = dy op(b)', d op(b) = op(a)' dy; a transposed operand swaps the product.
      if (T* da = c.dx[0]; da != nullptr) {
        da += i * m_ * k_;
        if (ta_) {
          product(c, b, tb_, dy, true, da, k_, m_, n_, who);
        } else {
          product(c, dy, false, b, !tb_, da, m_, k_, n_, who);
        }
      }
      if (T* db = c.dx[1]; db != nullptr) {
        db += i * k_ * n_;
        if (tb_) {
          product(c, dy, true, a, ta_, db, n_, k_, m_, who);
        } else {
          product(c, a, !ta_, dy, false, db, k_, n_, m_, who);
        }
      }
    }
  }

 private:
  // y (m x n) = op(a) op(b), either operand stored transposed; the right one is turned first.
  void product(const Call<T>& c, const T* a, bool ta, const T* b, bool tb, T* y, Index m, Index n, Index k,
               const Worker& who) const noexcept {
    if (tb) {
      T* turned = c.scratch_values();
      who.sync();  // another product may still read the scratch
      team_transpose(*c.kernels, n, k, b, turned, who);
      who.sync();
      b = turned;
    }
    Gemm<T> g;
    g.m = m, g.n = n, g.k = k;
    g.a = a, g.a_row = ta ? 1 : k, g.a_col = ta ? m : 1;
    g.b = b, g.b_row = n;
    g.c = y, g.c_row = n;
    team_gemm(*c.kernels, g, who);
  }

  bool ta_, tb_;
  Index pieces_ = 1, m_ = 0, n_ = 0, k_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(matmul, Matmul);

}  // namespace fastgd
