// correlation: Pearson's or Lin's coefficient of predictions and targets along the last axis.
#include <cmath>

#include "ops/per_sample.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Correlation final : public PerSample<T> {
 public:
  explicit Correlation(const OpSetup& s)
      : PerSample<T>(s, Rows::vectors, false, 10.0),
        concordance_(s.attrs.flag("concordance", false)),
        epsilon_(s.attrs.real("epsilon", 1e-7)) {
    this->traits.differentiable = false;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_value(c, who, [&](Index row, Index rows, T* v) {
      const Index cols = this->cols();
      for (Index i = 0; i < rows; ++i)
        v[i] = static_cast<T>(coefficient(cols, c.x[0] + (row + i) * cols, c.x[1] + (row + i) * cols));
    });
  }

 private:
  // In double: differences from the mean cancel.
  double coefficient(Index cols, const T* p, const T* t) const noexcept {
    const auto size = static_cast<double>(cols);
    double p_mean = 0, t_mean = 0, pp = 0, tt = 0, pt = 0;
    for (Index j = 0; j < cols; ++j) p_mean += static_cast<double>(p[j]), t_mean += static_cast<double>(t[j]);
    p_mean /= size, t_mean /= size;
    for (Index j = 0; j < cols; ++j) {
      const double a = static_cast<double>(p[j]) - p_mean, b = static_cast<double>(t[j]) - t_mean;
      pp += a * a, tt += b * b, pt += a * b;
    }
    if (!concordance_) return pt / (std::sqrt(pp) * std::sqrt(tt));
    const double apart = t_mean - p_mean;
    return 2 * pt / size / (pp / size + tt / size + apart * apart + epsilon_);
  }

  bool concordance_;
  double epsilon_;
};

}  // namespace

FASTGD_DEFINE_OP(correlation, Correlation);

}  // namespace fastgd
