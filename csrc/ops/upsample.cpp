// upsample: each spatial axis a whole number of times as long, by repeating elements or on straight lines between them.
#include <cmath>

#include "ops/register.h"
#include "ops/weighted_windows.h"

namespace fastgd {
namespace {

// The element of the input that an element of the output repeats.
WeightedAxis nearest(Index size, Index factor) {
  WeightedAxis axis{size, {}};
  for (Index i = 0; i < size * factor; ++i) axis.items.push_back({i / factor, {1.0}});
  return axis;
}

// The two elements of the input whose centres are next to that of an element of the output; at the ends there is one.
WeightedAxis linear(Index size, Index factor) {
  WeightedAxis axis{size, {}};
  for (Index i = 0; i < size * factor; ++i) {
    // Twice the distance from the first centre to this one, in elements of the output: a whole number.
    const Index offset = 2 * i + 1 - factor;
    const Index low = offset < 0 ? -1 : offset / (2 * factor);
    const double share = static_cast<double>(offset - low * 2 * factor) / static_cast<double>(2 * factor);
    if (low < 0 || low + 1 >= size || share == 0.0) {
      axis.items.push_back({low < 0 ? 0 : low, {1.0}});
    } else {
      axis.items.push_back({low, {1.0 - share, share}});
    }
  }
  return axis;
}

template <class T>
class Upsample final : public WeightedWindowOp<T> {
 public:
  explicit Upsample(const OpSetup& s) {
    const std::size_t rank = spatial_rank(s);
    const Shape factors = spatial_attribute(s, "factors", 1);
    const std::string interpolation = s.attrs.text("interpolation", "nearest");
    check(interpolation == "nearest" || interpolation == "bilinear",
          "`interpolation` must be nearest or bilinear. Received: interpolation='", interpolation, "'");
    WeightedAxes axes;
    for (std::size_t i = 0; i < rank; ++i) {
      const Index size = s.inputs[0].shape[i + 1];
      axes[kSpatialAxes - rank + i] = interpolation == "nearest" ? nearest(size, factors[i]) : linear(size, factors[i]);
    }
    this->set_windows(s, axes);
  }
};

}  // namespace

FASTGD_DEFINE_OP(upsample, Upsample);

}  // namespace fastgd
