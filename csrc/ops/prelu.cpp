// prelu: the rectifier whose slope below zero is a parameter, shared along the batch and along chosen axes.
#include <algorithm>

#include "ops/register.h"

namespace fastgd {
namespace {

// x as rows of cols elements, where a row begins at the first axis that alpha does not share. If alpha is smaller than
// a row, since it shares later axes too, it is spread over a row first, and its gradient gathered from one.
template <class T>
class Prelu final : public Op<T> {
 public:
  explicit Prelu(const OpSetup& s) {
    s.expect_inputs(1);
    s.expect_params(1, 1);
    const Shape& x = s.inputs[0].shape;
    const Shape& alpha = s.params[0];
    bool fits = !x.empty() && alpha.size() + 1 == x.size();
    for (std::size_t i = 0; fits && i < alpha.size(); ++i) fits = alpha[i] == 1 || alpha[i] == x[i + 1];
    check(fits, "the slopes ", to_string(alpha), " do not fit the input ", to_string(x));
    std::size_t first = 0;
    while (first + 1 < alpha.size() && alpha[first] == 1) ++first;
    const auto sizes = std::span(x).subspan(1 + std::min(first, alpha.size()));
    cols_ = count(sizes);
    rows_ = count(std::span(x).first(x.size() - sizes.size()));
    slopes_ = count(alpha);
    if (slopes_ != cols_) places_ = place(std::span(alpha).subspan(first), sizes);
    auto& t = this->traits;
    t.outputs = {{x}};
    t.backward_reads_inputs = 1;
    t.forward_scratch = multiply(spread_size(), sizeof(T));
    t.backward_scratch = multiply(2 * spread_size(), sizeof(T));
    t.forward_work = 2.0 * static_cast<double>(rows_ * cols_);
    t.backward_work = 4.0 * static_cast<double>(rows_ * cols_);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const T* const alpha = spread(c, who);
    const Range rows = who.share(rows_);
    c.kernels->prelu(rows.size(), cols_, c.x[0] + rows.begin * cols_, alpha, c.y[0] + rows.begin * cols_);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    if (c.dw[0] != nullptr) {
      const bool direct = places_.empty();
      T* const sum = direct ? c.dw[0] : c.scratch_values() + cols_;
      const Range cols = who.share(cols_, k.lanes);
      if (cols.size() > 0)
        k.prelu_alpha(rows_, cols.size(), cols_, c.x[0] + cols.begin, c.dy[0] + cols.begin, sum + cols.begin,
                      direct && c.dw_accumulate[0]);
      // The gradient of x may be written over dy.
      who.sync();
      if (!direct && who.share(1).size() == 1) gather(sum, c.dw[0], c.dw_accumulate[0]);
    }
    if (c.dx[0] != nullptr) {
      const T* const alpha = spread(c, who);
      const Range rows = who.share(rows_);
      const Index at = rows.begin * cols_;
      k.prelu_backward(rows.size(), cols_, c.x[0] + at, alpha, c.dy[0] + at, c.dx[0] + at);
    }
  }

 private:
  // For each element of a row, the place of its slope.
  static std::vector<Index> place(std::span<const Index> alpha, std::span<const Index> sizes) {
    std::vector<Index> places{0};
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      std::vector<Index> finer;
      for (const Index base : places)
        for (Index j = 0; j < sizes[i]; ++j) finer.push_back(base * alpha[i] + (alpha[i] == 1 ? 0 : j));
      places = std::move(finer);
    }
    return places;
  }

  Index spread_size() const { return static_cast<Index>(places_.size()); }

  // The slopes of a row.
  const T* spread(const Call<T>& c, const Worker& who) const {
    if (places_.empty()) return c.w[0];
    T* const row = c.scratch_values();
    const Range part = who.share(cols_);
    for (Index j = part.begin; j < part.end; ++j) row[j] = c.w[0][places_[static_cast<std::size_t>(j)]];
    who.sync();
    return row;
  }

  // Adds the elements of a row that share a slope, from the first to the last.
  void gather(const T* row, T* dw, bool accumulate) const {
    if (!accumulate) std::fill_n(dw, slopes_, T{0});
    for (Index j = 0; j < cols_; ++j) dw[places_[static_cast<std::size_t>(j)]] += row[j];
  }

  Index rows_ = 0, cols_ = 0, slopes_ = 0;
  std::vector<Index> places_;  // empty where every element of a row has a slope of its own
};

}  // namespace

FASTGD_DEFINE_OP(prelu, Prelu);

}  // namespace fastgd
