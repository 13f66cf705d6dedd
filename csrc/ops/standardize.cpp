// standardize: (x - mean) / max(sqrt(variance), epsilon) along neighbouring axes, or the way back from there.
#include <cmath>

#include "ops/fixed_lines.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Standardize final : public FixedLines<T> {
 public:
  explicit Standardize(const OpSetup& s)
      : FixedLines<T>(s), invert_(s.attrs.flag("invert", false)), epsilon_(s.attrs.real("epsilon", 1e-7)) {}

 private:
  typename FixedLines<T>::Line line(const Call<T>& c, Index channel) const noexcept override {
    const double deviation = std::max(std::sqrt(static_cast<double>(c.w[1][channel])), epsilon_);
    if (invert_) return {T{0}, static_cast<T>(deviation), c.w[0][channel]};
    return {c.w[0][channel], static_cast<T>(1.0 / deviation), T{0}};
  }

  bool invert_;
  double epsilon_;
};

}  // namespace

FASTGD_DEFINE_OP(standardize, Standardize);

}  // namespace fastgd
