// dropout: keeps each element with probability 1 - rate and scales it by 1 / (1 - rate); the identity outside training.
#include "ops/masked.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Dropout final : public Masked<T> {
 public:
  explicit Dropout(const OpSetup& s) : Masked<T>(s) {
    if (this->rate() < 1.0) scale_ = static_cast<T>(1.0 / (1.0 - this->rate()));
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = this->share(who);
    this->in_training(c, part, c.x[0], c.y[0], [&] {
      const T* x = c.x[0] + part.begin;
      T* y = c.y[0] + part.begin;
      if (!this->narrow()) {
        c.kernels->dropout(this->stream(c), this->first(c) + static_cast<std::uint64_t>(part.begin), scale_,
                           part.size(), x, y, this->mask(c) + part.begin);
        return;
      }
      this->draw(c, who);
      c.kernels->dropout_backward(scale_, part.size(), this->mask(c) + part.begin, x, y);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = this->share(who);
    this->in_training(c, part, c.dy[0], c.dx[0], [&] {
      c.kernels->dropout_backward(scale_, part.size(), this->mask(c) + part.begin, c.dy[0] + part.begin,
                                  c.dx[0] + part.begin);
    });
  }

 private:
  T scale_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(dropout, Dropout);

}  // namespace fastgd
