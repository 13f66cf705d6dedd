// transpose and broadcast_to: the elements of x in another order, or each several times.
#include "ops/folding.h"
#include "ops/register.h"
#include "ops/strided_copy.h"

namespace fastgd {
namespace {

template <class T>
class Transpose final : public MovingOp<T> {
 public:
  explicit Transpose(const OpSetup& s) : MovingOp<T>(s, 1) {
    const Shape& x = s.inputs[0].shape;
    const Shape axes = s.attrs.sizes("axes");
    Shape sorted = axes, y;
    std::sort(sorted.begin(), sorted.end());
    bool fits = axes.size() == x.size();
    for (std::size_t i = 0; fits && i < sorted.size(); ++i) fits = sorted[i] == static_cast<Index>(i);
    check(fits, "`axes` must be an order of the ", x.size(), " axes. Received: axes=", to_string(axes));
    for (Index axis : axes) y.push_back(x[static_cast<std::size_t>(axis)]);
    const Shape x_strides = strides_of(x), y_strides = strides_of(y);
    LoopAxes loops;
    for (std::size_t i = 0; i < y.size(); ++i)
      loops.push_back({y[i], x_strides[static_cast<std::size_t>(axes[i])], y_strides[i]});
    there_ = StridedCopy(loops);
    back_ = StridedCopy::back(loops);
    this->set_output(y);
    this->traits.couples_samples = !axes.empty() && axes[0] != 0;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override { this->copy(c, who, there_); }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    back_.run(*c.kernels, who, static_cast<const T*>(c.dy[0]), c.dx[0]);
  }

 private:
  StridedCopy there_, back_;
};

template <class T>
class BroadcastTo final : public MovingOp<T> {
 public:
  explicit BroadcastTo(const OpSetup& s) : MovingOp<T>(s, 1) {
    const Shape& x = s.inputs[0].shape;
    const Shape y = resolve(s.attrs.sizes("shape"), s.batch);
    const std::size_t more = y.size() - x.size();
    bool fits = y.size() >= x.size();
    for (std::size_t i = 0; fits && i < x.size(); ++i) fits = x[i] == 1 || x[i] == y[more + i];
    check(fits, to_string(x), " cannot be broadcast to ", to_string(y));
    const Shape x_strides = strides_of(x), y_strides = strides_of(y);
    std::vector<bool> repeated(y.size(), true);
    LoopAxes loops;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const bool kept = i >= more && x[i - more] == y[i];
      repeated[i] = !kept;
      loops.push_back({y[i], kept ? x_strides[i - more] : 0, y_strides[i]});
    }
    there_ = StridedCopy(loops);
    sum_ = Folding(y, repeated);
    this->set_output(y);
    this->traits.backward_scratch = multiply(sum_.scratch_size(), sizeof(T));
    this->traits.couples_samples = more != 0 || (!y.empty() && repeated[0]);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override { this->copy(c, who, there_); }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    sum_.run(*c.kernels, who, Fold::sum, static_cast<const T*>(c.dy[0]), c.dx[0], c.scratch_values());
  }

 private:
  StridedCopy there_;
  Folding sum_;
};

}  // namespace

FASTGD_DEFINE_OP(transpose, Transpose);
FASTGD_DEFINE_OP(broadcast_to, BroadcastTo);

}  // namespace fastgd
