// dropout: keeps each element with probability 1 - rate and scales it by 1 / (1 - rate); the identity outside training.
#include <cmath>
#include <cstring>

#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Dropout final : public Op<T> {
 public:
  explicit Dropout(const OpSetup& s) : seed_(static_cast<std::uint64_t>(s.attrs.integer("seed"))) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    const double rate = s.attrs.real("rate", -1.0);
    check(rate >= 0.0 && rate <= 1.0, "`rate` must be from 0 to 1. Received: rate=", rate);
    threshold_ = static_cast<std::uint64_t>(std::floor(rate * 4294967296.0));
    scale_ = rate < 1.0 ? static_cast<T>(1.0 / (1.0 - rate)) : T{0};
    size_ = count(s.inputs[0].shape);
    sample_ = s.batch > 0 ? size_ / s.batch : 0;
    auto& t = this->traits;
    t.outputs = {s.inputs[0]};
    t.saved_bytes = size_;
    t.forward_work = 10.0 * static_cast<double>(size_);
    t.backward_work = 2.0 * static_cast<double>(size_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, 64);
    const T* x = c.x[0] + part.begin;
    T* y = c.y[0] + part.begin;
    if (!c.run->training) {
      std::memcpy(y, x, static_cast<std::size_t>(part.size()) * sizeof(T));
      return;
    }
    const auto first = static_cast<std::uint64_t>(c.run->first_sample * sample_ + part.begin);
    c.kernels->dropout({seed_, c.run->iteration, threshold_}, first, scale_, part.size(), x, y, mask(c) + part.begin);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(size_, 64);
    const T* dy = c.dy[0] + part.begin;
    T* dx = c.dx[0] + part.begin;
    if (!c.run->training) {
      std::memcpy(dx, dy, static_cast<std::size_t>(part.size()) * sizeof(T));
      return;
    }
    c.kernels->dropout_backward(scale_, part.size(), mask(c) + part.begin, dy, dx);
  }

 private:
  static std::uint8_t* mask(const Call<T>& c) { return reinterpret_cast<std::uint8_t*>(c.saved); }

  std::uint64_t seed_;
  std::uint64_t threshold_ = 0;
  T scale_ = 1;
  Index size_ = 0, sample_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(dropout, Dropout);

}  // namespace fastgd
