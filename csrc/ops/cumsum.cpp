// cumsum: the sums of the elements up to each along an axis.
#include "ops/along_axis.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class CumSum final : public AlongAxis<T> {
 public:
  explicit CumSum(const OpSetup& s) : AlongAxis<T>(s) { this->traits.outputs = {s.inputs[0]}; }

  void forward(const Call<T>& c, const Worker& who) const noexcept override { run(c.x[0], c.y[0], who, 0, 1); }

  // Each element is in all sums from its own on.
  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    run(c.dy[0], c.dx[0], who, this->size_ - 1, -1);
  }

 private:
  void run(const T* x, T* y, const Worker& who, Index first, Index step) const noexcept {
    this->each_line(who, [=, this](Index begin, Index) {
      T total = 0;
      Index at = begin + first * this->inner_;
      for (Index i = 0; i < this->size_; ++i, at += step * this->inner_) y[at] = total += x[at];
    });
  }
};

}  // namespace

FASTGD_DEFINE_OP(cumsum, CumSum);

}  // namespace fastgd
