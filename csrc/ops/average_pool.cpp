// average_pool: the mean of the elements of each window that lie inside the input.
#include "ops/register.h"
#include "ops/weighted_windows.h"

namespace fastgd {
namespace {

template <class T>
class AveragePool final : public WeightedWindowOp<T> {
 public:
  explicit AveragePool(const OpSetup& s) {
    const Windows windows = pooling_windows(s);
    WeightedAxes axes;
    for (std::size_t k = 0; k < kSpatialAxes; ++k) {
      axes[k] = {windows[k].in, {}};
      for (const WindowTerms& t : covered_elements(windows[k]).terms)
        axes[k].items.push_back({t.at, std::vector<double>(static_cast<std::size_t>(t.count), 1.0 / t.count)});
    }
    this->set_windows(s, axes);
  }
};

}  // namespace

FASTGD_DEFINE_OP(average_pool, AveragePool);

}  // namespace fastgd
