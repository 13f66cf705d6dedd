// orthogonality: how far the rows of a matrix are from being orthogonal, the sum of |n_i . n_j| over i != j of the rows
// n divided by their lengths.
#include <cmath>

#include "ops/matmul.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Orthogonality final : public Op<T> {
 public:
  explicit Orthogonality(const OpSetup& s)
      : epsilon_(static_cast<T>(s.attrs.real("epsilon", 1e-7))), of_param_(s.inputs.empty()) {
    s.expect_inputs(of_param_ ? 0 : 1);
    s.expect_params(of_param_ ? 1 : 0, of_param_ ? 1 : 0);
    const double factor = s.attrs.real("factor", 0.01);
    const std::string mode = s.attrs.text("mode", "rows");
    check(mode == "rows" || mode == "columns", "`mode` must be 'rows' or 'columns'. Received: mode='", mode, "'");
    const Shape& x = of_param_ ? s.params[0] : s.inputs[0].shape;
    check(x.size() == 2 && (of_param_ || !s.inputs[0].integer), "takes a matrix. Received: ", to_string(x));
    turned_ = mode == "columns";
    vectors_ = turned_ ? x[1] : x[0];
    length_ = turned_ ? x[0] : x[1];
    // The mean over the pairs of vectors, each of which the sum meets twice.
    const double pairs = static_cast<double>(vectors_) * (static_cast<double>(vectors_) - 1) / 2;
    scale_ = pairs > 0 ? factor / 2 / pairs : 0;
    const Kernels<T>& kernels = s.table.of<T>();
    products_ = {kernels, {vectors_, vectors_, length_, false, true}};
    pulls_ = {kernels, {vectors_, length_, vectors_}};
    const Index matrix = multiply(vectors_, length_), square = multiply(vectors_, vectors_);
    auto& t = this->traits;
    t.outputs = {{{1}}};
    t.couples_samples = !of_param_;
    t.backward_reads_inputs = 0;
    // The vectors divided by their lengths, the signs of their products, and the inverse lengths.
    t.saved_bytes = multiply(matrix + square + vectors_, sizeof(T));
    t.forward_scratch = multiply(vectors_, sizeof(double)) + products_.scratch_bytes();
    t.backward_scratch = multiply(2 * matrix, sizeof(T)) + pulls_.scratch_bytes();
    t.forward_work = products_.work() + 4.0 * static_cast<double>(matrix);
    t.backward_work = pulls_.work() + 6.0 * static_cast<double>(matrix);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    T* const n = saved(c);
    T* const signs = n + vectors_ * length_;
    T* const inverse = signs + vectors_ * vectors_;
    auto* const sums = reinterpret_cast<double*>(c.scratch);
    const Range mine = who.share(vectors_);
    normalize(of_param_ ? c.w[0] : c.x[0], n, inverse, mine);
    who.sync();
    products_.run(*c.kernels, n, n, signs, false, {}, reinterpret_cast<T*>(sums + vectors_), who);
    who.sync();
    for (Index i = mine.begin; i < mine.end; ++i) {
      T* const row = signs + i * vectors_;
      row[i] = 0;
      c.kernels->penalty(1, vectors_, T(1), T(0), row, sums + i);
      for (Index j = 0; j < vectors_; ++j) row[j] = static_cast<T>((row[j] > 0) - (row[j] < 0));
    }
    who.sync();
    if (who.rank != 0) return;
    double total = 0;
    for (Index i = 0; i < vectors_; ++i) total += sums[i];
    c.y[0][0] = static_cast<T>(scale_ * total);
  }

  // With the signs S: dn = 2 scale dv S n, and dx = (dn - n (n . dn)) / |x| for each vector.
  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    T* const target = of_param_ ? c.dw[0] : c.dx[0];
    if (target == nullptr) return;
    const bool accumulate = of_param_ && c.dw_accumulate[0];
    const T* const n = saved(c);
    const T* const signs = n + vectors_ * length_;
    const T* const inverse = signs + vectors_ * vectors_;
    T* const dn = c.scratch_values();
    T* const turned = dn + vectors_ * length_;
    pulls_.run(*c.kernels, signs, n, dn, false, {}, turned + vectors_ * length_, who);
    who.sync();
    const double factor = 2 * scale_ * static_cast<double>(c.dy[0][0]);
    const Range mine = who.share(vectors_);
    for (Index i = mine.begin; i < mine.end; ++i) {
      const T* const unit = n + i * length_;
      T* const slope = dn + i * length_;
      double along = 0;
      // A vector shorter than epsilon was divided by epsilon, whatever its length.
      if (inverse[i] < 1 / epsilon_)
        for (Index j = 0; j < length_; ++j) along += static_cast<double>(unit[j]) * static_cast<double>(slope[j]);
      const T scale = static_cast<T>(factor * static_cast<double>(inverse[i]));
      for (Index j = 0; j < length_; ++j) slope[j] = scale * (slope[j] - unit[j] * static_cast<T>(along));
    }
    who.sync();
    const Range rows = turned_ ? who.share(length_) : mine;
    const Index width = turned_ ? vectors_ : length_;
    const T* from = dn + rows.begin * width;
    T* const to = target + rows.begin * width;
    if (turned_ && rows.size() > 0) {
      T* const part = turned + rows.begin * width;
      c.kernels->transpose(vectors_, rows.size(), dn + rows.begin, length_, part, vectors_);
      from = part;
    }
    const Index size = rows.size() * width;
    if (accumulate) {
      c.kernels->add(size, to, from, to);
    } else {
      c.kernels->activation({Activation::linear}, size, from, to);
    }
  }

 private:
  static T* saved(const Call<T>& c) { return reinterpret_cast<T*>(c.saved); }

  void normalize(const T* x, T* n, T* inverse, Range vectors) const noexcept {
    const Index along = turned_ ? vectors_ : 1, across = turned_ ? 1 : length_;
    for (Index i = vectors.begin; i < vectors.end; ++i) {
      const T* const from = x + i * across;
      double square = 0;
      for (Index j = 0; j < length_; ++j) {
        const auto e = static_cast<double>(from[j * along]);
        square += e * e;
      }
      inverse[i] = std::min(static_cast<T>(1 / std::sqrt(square)), 1 / epsilon_);
      for (Index j = 0; j < length_; ++j) n[i * length_ + j] = from[j * along] * inverse[i];
    }
  }

  T epsilon_;
  bool of_param_, turned_ = false;
  double scale_ = 0;
  Index vectors_ = 0, length_ = 0;
  Product<T> products_, pulls_;
};

}  // namespace

FASTGD_DEFINE_OP(orthogonality, Orthogonality);

}  // namespace fastgd
