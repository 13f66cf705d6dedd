// rms_normalization: gamma x / sqrt(mean(x^2) + epsilon) along some axes of each sample.
#include <limits>

#include "ops/register.h"
#include "ops/row_norm.h"

namespace fastgd {
namespace {

template <class T>
constexpr T kNoLimit = std::numeric_limits<T>::infinity();

template <class T>
class RmsNormalization final : public RowNormOp<T> {
 public:
  explicit RmsNormalization(const OpSetup& s)
      : RowNormOp<T>(s, {false, T{0}, epsilon(s), kNoLimit<T>}, s.attrs.flag("scale", true), false) {}

 private:
  static T epsilon(const OpSetup& s) { return static_cast<T>(s.attrs.real("epsilon", 1e-6)); }
};

}  // namespace

FASTGD_DEFINE_OP(rms_normalization, RmsNormalization);

}  // namespace fastgd
