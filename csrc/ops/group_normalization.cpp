// group_normalization: groups of neighbouring channels, normalised within each sample.
#include "ops/channel_norm.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class GroupNormalization final : public ChannelNorm<T> {
 public:
  explicit GroupNormalization(const OpSetup& s) : ChannelNorm<T>(s, 1, 0) {
    const Index groups = s.attrs.integer("groups");
    check(groups >= 1 && this->view().channels % groups == 0, "`groups` must divide the ", this->view().channels,
          " channels. Received: groups=", groups);
    this->set_groups(groups);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->normalize(c, false, who, [](Index, typename ChannelNorm<T>::Moments found) { return found; });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override { this->differentiate(c, false, who); }
};

}  // namespace

FASTGD_DEFINE_OP(group_normalization, GroupNormalization);

}  // namespace fastgd
