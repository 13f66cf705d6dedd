// label_matches: for each label the chosen, chosen and true, and true ones, from which scores like F1 are made.
#include <cmath>
#include <limits>

#include "ops/register.h"
#include "ops/tabular.h"

namespace fastgd {
namespace {

template <class T>
class LabelMatches final : public Tabular<T> {
 public:
  explicit LabelMatches(const OpSetup& s)
      : Tabular<T>(s), threshold_(static_cast<T>(s.attrs.real("threshold", std::numeric_limits<double>::quiet_NaN()))) {
    this->expect_equal_shapes(s);
    check(s.inputs[0].shape.size() == 2, "takes a batch of vectors. Received: ", to_string(s.inputs[0].shape));
    this->set_output(3 * this->elements(), false, 6.0);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Index n = this->elements();
    this->each_row(c, who, [&](Index sample, T* y) {
      const T *p = c.x[0] + sample * n, *t = c.x[1] + sample * n;
      const bool largest = std::isnan(threshold_);
      const T most = largest && n > 0 ? p[this->first_maximum(n, p)] : T(0);
      for (Index j = 0; j < n; ++j) {
        const bool chosen = largest ? p[j] >= most && std::abs(p[j]) > T(1e-9) : p[j] > threshold_;
        y[j] = chosen ? T(1) : T(0);
        y[n + j] = chosen ? t[j] : T(0);
        y[2 * n + j] = t[j];
      }
    });
  }

 private:
  T threshold_;  // NaN: the largest is chosen
};

}  // namespace

FASTGD_DEFINE_OP(label_matches, LabelMatches);

}  // namespace fastgd
