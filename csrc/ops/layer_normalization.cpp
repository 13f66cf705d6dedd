// layer_normalization: gamma (x - mean) / sqrt(variance + epsilon) + beta along some axes of each sample.
#include <limits>

#include "ops/register.h"
#include "ops/row_norm.h"

namespace fastgd {
namespace {

template <class T>
constexpr T kNoLimit = std::numeric_limits<T>::infinity();

template <class T>
class LayerNormalization final : public RowNormOp<T> {
 public:
  explicit LayerNormalization(const OpSetup& s)
      : RowNormOp<T>(s, {true, T{0}, epsilon(s), kNoLimit<T>}, s.attrs.flag("scale", true),
                     s.attrs.flag("center", true)) {}

 private:
  static T epsilon(const OpSetup& s) { return static_cast<T>(s.attrs.real("epsilon", 1e-3)); }
};

}  // namespace

FASTGD_DEFINE_OP(layer_normalization, LayerNormalization);

}  // namespace fastgd
