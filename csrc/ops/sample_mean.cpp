// sample_mean: the mean of each sample over all axes but the first.
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class SampleMean final : public Op<T> {
 public:
  explicit SampleMean(const OpSetup& s) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    const Shape& x = s.inputs[0].shape;
    check(!x.empty() && !s.inputs[0].integer, "takes a floating tensor with a batch axis. Received: ", to_string(x));
    samples_ = x[0];
    cols_ = count(std::span(x).subspan(1));
    auto& told = this->traits;
    told.outputs = {{{samples_}}};
    told.forward_work = static_cast<double>(count(x));
    told.backward_work = told.forward_work;
    told.forward_scratch = multiply(cols_, sizeof(T));
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    // The scratch is one for all workers, who all write the same into it: so one does, and they meet.
    T* const shares = c.scratch_values();
    if (who.rank == 0) c.kernels->fill(cols_, T(1) / static_cast<T>(cols_), shares);
    who.sync();
    const Range part = who.share(samples_);
    c.kernels->gemv(part.size(), cols_, c.x[0] + part.begin * cols_, cols_, shares, c.y[0] + part.begin, false);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(samples_);
    for (Index i = part.begin; i < part.end; ++i)
      c.kernels->fill(cols_, c.dy[0][i] / static_cast<T>(cols_), c.dx[0] + i * cols_);
  }

 private:
  Index samples_ = 0, cols_ = 1;
};

}  // namespace

FASTGD_DEFINE_OP(sample_mean, SampleMean);

}  // namespace fastgd
