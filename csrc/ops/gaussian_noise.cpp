// gaussian_noise: x + stddev z, or x (1 + stddev z), with normal deviates z; the identity outside training.
#include <cstring>

#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class GaussianNoise final : public Op<T> {
 public:
  explicit GaussianNoise(const OpSetup& s)
      : seed_(static_cast<std::uint64_t>(s.attrs.integer("seed"))), multiply_(s.attrs.flag("multiply", false)) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    const double stddev = s.attrs.real("stddev", -1.0);
    check(stddev >= 0.0, "`stddev` must be 0 or more. Received: stddev=", stddev);
    stddev_ = static_cast<T>(stddev);
    size_ = count(s.inputs[0].shape);
    sample_ = s.batch > 0 ? size_ / s.batch : 0;
    auto& t = this->traits;
    t.outputs = {s.inputs[0]};
    t.forward_work = 60.0 * static_cast<double>(size_);
    t.backward_work = multiply_ ? t.forward_work : static_cast<double>(size_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override { run(c, true, c.x[0], c.y[0], who); }

  // The factor of dx is that of y, and drawing it again is cheaper than keeping it.
  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    run(c, multiply_, c.dy[0], c.dx[0], who);
  }

 private:
  void run(const Call<T>& c, bool noisy, const T* from, T* to, const Worker& who) const noexcept {
    const Range part = who.share(size_, 64);
    from += part.begin, to += part.begin;
    if (!noisy || !c.run->training) {
      std::memcpy(to, from, static_cast<std::size_t>(part.size()) * sizeof(T));
      return;
    }
    const auto first = static_cast<std::uint64_t>(c.run->first_sample * sample_ + part.begin);
    c.kernels->gaussian_noise({seed_, c.run->iteration, 0}, first, stddev_, multiply_, part.size(), from, to);
  }

  std::uint64_t seed_;
  bool multiply_;
  T stddev_ = 0;
  Index size_ = 0, sample_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(gaussian_noise, GaussianNoise);

}  // namespace fastgd
