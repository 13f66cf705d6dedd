// batch_normalization: each channel normalised over the batch in training, by moving averages otherwise.
#include "ops/channel_norm.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class BatchNormalization final : public ChannelNorm<T> {
 public:
  explicit BatchNormalization(const OpSetup& s)
      : ChannelNorm<T>(s, 0, 2), momentum_(s.attrs.real("momentum", 0.99)), frozen_(s.attrs.flag("frozen", false)) {
    auto& t = this->traits;
    if (frozen_) return;
    t.couples_samples = true;
    t.writes_params = 3u << this->own_params();
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const int at = this->own_params();
    const bool fixed = this->fixed(c);
    this->normalize(c, fixed, who, [&](Index channel, typename ChannelNorm<T>::Moments found) {
      if (fixed)
        return typename ChannelNorm<T>::Moments{static_cast<double>(c.w[at][channel]),
                                                static_cast<double>(c.w[at + 1][channel])};
      if (c.written[at] != nullptr) {
        move(c.written[at][channel], found.mean);
        move(c.written[at + 1][channel], found.variance);
      }
      return found;
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override { this->differentiate(c, fixed(c), who); }

 private:
  bool fixed(const Call<T>& c) const { return frozen_ || !c.run->training; }
  void move(T& average, double found) const {
    average = static_cast<T>(static_cast<double>(average) * momentum_ + found * (1.0 - momentum_));
  }

  double momentum_;
  bool frozen_;
};

}  // namespace

FASTGD_DEFINE_OP(batch_normalization, BatchNormalization);

}  // namespace fastgd
