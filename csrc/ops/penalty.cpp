// penalty: l1 sum |x| + l2 sum x^2, of a parameter or a whole tensor, or one value per sample.
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class PenaltyOp final : public Op<T> {
 public:
  explicit PenaltyOp(const OpSetup& s)
      : l1_(s.attrs.real("l1", 0.0)), l2_(s.attrs.real("l2", 0.0)), of_param_(s.inputs.empty()) {
    s.expect_inputs(of_param_ ? 0 : 1);
    s.expect_params(of_param_ ? 1 : 0, of_param_ ? 1 : 0);
    per_sample_ = !of_param_ && s.attrs.flag("per_sample", true);
    const Shape& x = of_param_ ? s.params[0] : s.inputs[0].shape;
    check(of_param_ || !s.inputs[0].integer, "takes a floating tensor");
    check(!per_sample_ || !x.empty(), "takes a tensor with a batch axis. Received: ", to_string(x));
    size_ = count(x);
    rows_ = per_sample_ ? x[0] : (size_ + kBlock - 1) / kBlock;
    if (per_sample_) cols_ = count(std::span(x).subspan(1));
    auto& t = this->traits;
    t.outputs = {{{per_sample_ ? rows_ : 1}}};
    t.couples_samples = !of_param_ && !per_sample_;
    t.backward_reads_inputs = 1;
    t.forward_scratch = multiply(rows_, sizeof(double));
    t.forward_work = 4.0 * static_cast<double>(size_);
    t.backward_work = t.forward_work;
    if (of_param_) t.penalty = {l1_, l2_};
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    const T* const x = of_param_ ? c.w[0] : c.x[0];
    const T l1 = static_cast<T>(l1_), l2 = static_cast<T>(l2_);
    auto* const sums = reinterpret_cast<double*>(c.scratch);
    const Range rows = who.share(rows_);
    if (per_sample_) {
      if (rows.size() > 0) k.penalty(rows.size(), cols_, l1, l2, x + rows.begin * cols_, sums + rows.begin);
      for (Index i = rows.begin; i < rows.end; ++i) c.y[0][i] = static_cast<T>(sums[i]);
      return;
    }
    for (Index i = rows.begin; i < rows.end; ++i) {
      const Index begin = i * kBlock;
      k.penalty(1, std::min(kBlock, size_ - begin), l1, l2, x + begin, sums + i);
    }
    who.sync();
    if (who.rank != 0) return;
    double total = 0;
    for (Index i = 0; i < rows_; ++i) total += sums[i];
    c.y[0][0] = static_cast<T>(total);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    if (of_param_) {
      if (c.dw[0] != nullptr) slope(c, who, c.w[0], c.dw_accumulate[0] ? c.dw[0] : nullptr, c.dw[0]);
    } else if (c.dx[0] != nullptr) {
      slope(c, who, c.x[0], nullptr, c.dx[0]);
    }
  }

 private:
  // Elements that are added up at a time; the sums of the blocks are added from the first to the last.
  static constexpr Index kBlock = 4096;

  void slope(const Call<T>& c, const Worker& who, const T* x, const T* g, T* dx) const noexcept {
    const T* const dv = c.dy[0];
    const auto piece = [&](Index begin, Index n, double d) {
      c.kernels->penalty_gradient(n, static_cast<T>(l1_ * d), static_cast<T>(l2_ * d), x + begin,
                                  g == nullptr ? nullptr : g + begin, dx + begin);
    };
    if (per_sample_) {
      const Range rows = who.share(rows_);
      for (Index i = rows.begin; i < rows.end; ++i) piece(i * cols_, cols_, static_cast<double>(dv[i]));
    } else {
      const Range part = who.share(size_, c.kernels->lanes);
      if (part.size() > 0) piece(part.begin, part.size(), static_cast<double>(dv[0]));
    }
  }

  double l1_, l2_;
  bool of_param_, per_sample_ = false;
  Index size_ = 0;
  Index rows_ = 0, cols_ = 0;  // of samples; else the number of blocks
};

}  // namespace

FASTGD_DEFINE_OP(penalty, PenaltyOp);

}  // namespace fastgd
