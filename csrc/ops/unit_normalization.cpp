// unit_normalization: x min(1 / sqrt(sum(x^2)), 1 / epsilon) along some axes of each sample.
#include "ops/register.h"
#include "ops/row_norm.h"

namespace fastgd {
namespace {

template <class T>
class UnitNormalization final : public RowNormOp<T> {
 public:
  explicit UnitNormalization(const OpSetup& s)
      : RowNormOp<T>(s, {false, T{1}, T{0}, T{1} / epsilon(s)}, false, false) {}

 private:
  static T epsilon(const OpSetup& s) { return static_cast<T>(s.attrs.real("epsilon", 1e-12)); }
};

}  // namespace

FASTGD_DEFINE_OP(unit_normalization, UnitNormalization);

}  // namespace fastgd
