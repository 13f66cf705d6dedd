// alpha_dropout: sets elements to the limit that SELU has below and restores mean 0 and variance 1 by a straight line.
#include "ops/masked.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class AlphaDropout final : public Masked<T> {
 public:
  explicit AlphaDropout(const OpSetup& s) : Masked<T>(s) {
    check(this->rate() < 1.0, "`rate` must be below 1. Received: rate=", this->rate());
    constexpr double kLimit = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946;
    const double rate = this->rate();
    const double scale = 1.0 / std::sqrt((1.0 - rate) * (1.0 + rate * kLimit * kLimit));
    const double shift = -scale * kLimit * rate;
    scale_ = static_cast<T>(scale);
    shift_ = static_cast<T>(shift);
    rest_ = static_cast<T>(scale * kLimit + shift);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = this->share(who);
    this->in_training(c, part, c.x[0], c.y[0], [&] {
      this->draw(c, who);
      line(c, part, shift_, rest_, c.x[0], c.y[0]);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = this->share(who);
    this->in_training(c, part, c.dy[0], c.dx[0], [&] { line(c, part, T{0}, T{0}, c.dy[0], c.dx[0]); });
  }

 private:
  void line(const Call<T>& c, const Range& part, T shift, T rest, const T* from, T* to) const noexcept {
    c.kernels->masked_line(scale_, shift, rest, part.size(), this->mask(c) + part.begin, from + part.begin,
                           to + part.begin);
  }

  T scale_ = 1, shift_ = 0, rest_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(alpha_dropout, AlphaDropout);

}  // namespace fastgd
