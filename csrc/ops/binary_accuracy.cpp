// binary_accuracy: the share of elements on the target's side of a threshold.
#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class BinaryAccuracy final : public PerSample<T> {
 public:
  explicit BinaryAccuracy(const OpSetup& s)
      : PerSample<T>(s, Rows::samples, false, 2.0), threshold_(static_cast<T>(s.attrs.real("threshold", 0.5))) {
    this->traits.differentiable = false;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index at = row * this->cols();
      c.kernels->binary_accuracy(rows, this->cols(), threshold_, c.x[0] + at, c.x[1] + at, v);
    });
  }

 private:
  T threshold_;
};

}  // namespace

FASTGD_DEFINE_OP(binary_accuracy, BinaryAccuracy);

}  // namespace fastgd
