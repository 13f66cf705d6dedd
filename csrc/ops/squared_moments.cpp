// squared_moments: what the share of explained variance is made from, for each output of a regression.
#include "ops/register.h"
#include "ops/tabular.h"

namespace fastgd {
namespace {

template <class T>
class SquaredMoments final : public Tabular<T> {
 public:
  explicit SquaredMoments(const OpSetup& s) : Tabular<T>(s) {
    this->expect_equal_shapes(s);
    this->set_output(4 * this->elements(), false, 6.0);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Index n = this->elements();
    this->each_row(c, who, [&](Index sample, T* y) {
      const T *p = c.x[0] + sample * n, *t = c.x[1] + sample * n;
      for (Index j = 0; j < n; ++j) {
        // The square in two parts: the variance of targets far from 0 is a small difference of large sums.
        const double square = static_cast<double>(t[j]) * static_cast<double>(t[j]);
        y[j] = t[j];
        y[n + j] = static_cast<T>(square);
        y[2 * n + j] = static_cast<T>(square - static_cast<double>(y[n + j]));
        y[3 * n + j] = (t[j] - p[j]) * (t[j] - p[j]);
      }
    });
  }
};

}  // namespace

FASTGD_DEFINE_OP(squared_moments, SquaredMoments);

}  // namespace fastgd
