// reduce: sum, mean, prod, max, min, logsumexp, var or std over any axes.
#include <cmath>
#include <map>

#include "ops/folding.h"
#include "ops/register.h"
#include "ops/strided_copy.h"

namespace fastgd {
namespace {

enum class Statistic { sum, mean, prod, max, min, logsumexp, var, std };

Statistic parse_statistic(const std::string& name) {
  static const std::map<std::string, Statistic> kNames = {
      {"sum", Statistic::sum}, {"mean", Statistic::mean},           {"prod", Statistic::prod}, {"max", Statistic::max},
      {"min", Statistic::min}, {"logsumexp", Statistic::logsumexp}, {"var", Statistic::var},   {"std", Statistic::std}};
  const auto it = kNames.find(name);
  check(it != kNames.end(), "unknown function. Received: function='", name, "'");
  return it->second;
}

template <class T>
class Reduce final : public Op<T> {
 public:
  explicit Reduce(const OpSetup& s) : statistic_(parse_statistic(s.attrs.text("function", ""))) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    check(!s.inputs[0].integer, "takes floating tensors");
    const Shape& x = s.inputs[0].shape;
    const Shape axes = s.attrs.sizes("axes");
    const bool keepdims = s.attrs.flag("keepdims", false);
    std::vector<bool> reduced(x.size(), false);
    for (Index axis : axes) {
      const bool known = axis >= 0 && axis < static_cast<Index>(x.size()) && !reduced[static_cast<std::size_t>(axis)];
      check(known, "`axes` must be distinct axes of ", to_string(x), ". Received: axes=", to_string(axes));
      reduced[static_cast<std::size_t>(axis)] = true;
    }
    Shape y;
    LoopAxes loops;
    const Shape x_strides = strides_of(x);
    Index y_stride = 1;
    for (std::size_t i = x.size(); i-- > 0;) {
      loops.insert(loops.begin(), {x[i], x_strides[i], reduced[i] ? 0 : y_stride});
      if (!reduced[i]) y_stride *= x[i];
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (reduced[i]) terms_ = multiply(terms_, x[i]);
      if (!reduced[i] || keepdims) y.push_back(reduced[i] ? 1 : x[i]);
    }
    x_size_ = count(x);
    y_size_ = count(y);
    const bool extreme = statistic_ == Statistic::max || statistic_ == Statistic::min;
    check(!extreme || terms_ > 0, "there is no maximum or minimum of no elements of ", to_string(x));
    fold_ = Folding(x, reduced);
    LoopAxes back = loops;
    for (LoopAxis& a : back) std::swap(a.x, a.y);
    spread_copy_ = StridedCopy(back);
    loops = merged(loops);
    run_ = loops.back();
    loops.pop_back();
    runs_ = LoopNest(std::move(loops));
    set_traits(y, !x.empty() && reduced[0]);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const T* x = c.x[0];
    T* const y = c.y[0];
    T* const scratch = c.scratch_values();
    if (!deviation()) {
      fold_.run(*c.kernels, who, fold(), x, y, scratch);
    } else {
      T* const mean = reinterpret_cast<T*>(c.saved);
      T* const squares = scratch + fold_.scratch_size();
      fold_.run(*c.kernels, who, Fold::sum, x, mean, scratch);
      each(who, [&](Index i) { mean[i] /= static_cast<T>(terms_); });
      spread(c, who, Spread::square, mean, mean, squares);
      who.sync();
      fold_.run(*c.kernels, who, Fold::sum, squares, y, scratch);
    }
    if (statistic_ == Statistic::mean || deviation()) each(who, [&](Index i) { y[i] /= static_cast<T>(terms_); });
    if (statistic_ == Statistic::std) each(who, [&](Index i) { y[i] = std::sqrt(y[i]); });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    T* const dy = c.dy[0];
    T* const dx = c.dx[0];
    const T* const y = c.y[0];
    T* const scratch = c.scratch_values();
    T* const first = scratch + fold_.scratch_size();
    switch (statistic_) {
      case Statistic::mean:
        each(who, [&](Index i) { dy[i] /= static_cast<T>(terms_); });
        [[fallthrough]];
      case Statistic::sum:
        return spread_copy_.run(*c.kernels, who, static_cast<const T*>(dy), dx);
      case Statistic::logsumexp:
        return spread(c, who, Spread::exp_times, y, dy, dx);
      case Statistic::max:
      case Statistic::min:
        // All that reach the extreme share the gradient.
        spread(c, who, Spread::equal, y, y, dx);
        who.sync();
        fold_.run(*c.kernels, who, Fold::sum, static_cast<const T*>(dx), first, scratch);
        each(who, [&](Index i) { dy[i] /= first[i]; });
        return spread(c, who, Spread::where_equal, y, dy, dx);
      case Statistic::prod: {
        // dx is the product of the others: without a zero y / x; with one zero it has a gradient only there.
        T* const others = first + y_size_;
        spread(c, who, Spread::zero, dy, dy, dx);
        who.sync();
        fold_.run(*c.kernels, who, Fold::sum, static_cast<const T*>(dx), first, scratch);
        who.sync();
        spread(c, who, Spread::or_one, dy, dy, dx);
        who.sync();
        fold_.run(*c.kernels, who, Fold::product, static_cast<const T*>(dx), others, scratch);
        each(who, [&](Index i) {
          const T whole = others[i] * dy[i], zeros = first[i];
          others[i] = zeros == T(0) ? whole : T(0);
          dy[i] = zeros == T(1) ? whole : T(0);
        });
        return spread(c, who, Spread::quotient, others, dy, dx);
      }
      case Statistic::var:
      case Statistic::std: {
        const T* const mean = reinterpret_cast<const T*>(c.saved);
        const bool root = statistic_ == Statistic::std;
        const T n = static_cast<T>(terms_);
        each(who, [&](Index i) { dy[i] *= root ? (y[i] > T(0) ? T(1) / (n * y[i]) : T(0)) : T(2) / n; });
        return spread(c, who, Spread::difference_times, mean, dy, dx);
      }
    }
  }

 private:
  bool deviation() const { return statistic_ == Statistic::var || statistic_ == Statistic::std; }

  Fold fold() const {
    switch (statistic_) {
      case Statistic::prod:
        return Fold::product;
      case Statistic::max:
        return Fold::max;
      case Statistic::min:
        return Fold::min;
      case Statistic::logsumexp:
        return Fold::log_sum_exp;
      default:
        return Fold::sum;
    }
  }

  void set_traits(const Shape& y, bool over_batch) {
    auto& t = this->traits;
    t.outputs = {{y}};
    t.couples_samples = over_batch;
    const bool linear = statistic_ == Statistic::sum || statistic_ == Statistic::mean;
    t.backward_reads_inputs = linear ? 0 : 1;
    t.backward_reads_outputs = linear || statistic_ == Statistic::prod || statistic_ == Statistic::var ? 0 : 1;
    const Index room = multiply(sizeof(T), fold_.scratch_size());
    t.forward_scratch = room + (deviation() ? multiply(sizeof(T), x_size_) : 0);
    t.saved_bytes = deviation() ? multiply(sizeof(T), y_size_) : 0;
    t.backward_scratch = linear ? 0 : room + multiply(2 * sizeof(T), y_size_);
    const double cost = statistic_ == Statistic::logsumexp ? 20 : deviation() ? 4 : 1;
    t.forward_work = cost * static_cast<double>(x_size_);
    t.backward_work = (linear ? 1 : 4) * t.forward_work;
  }

  // Calls f(i) for this thread's values of y, and waits for the others before and after.
  template <class F>
  void each(const Worker& who, F f) const noexcept {
    who.sync();
    const Range part = who.share(y_size_, 16);
    for (Index i = part.begin; i < part.end; ++i) f(i);
    who.sync();
  }

  // out = f(x, a, b), where a and b hold one value for each of y.
  void spread(const Call<T>& c, const Worker& who, Spread f, const T* a, const T* b, T* out) const noexcept {
    Range runs{0, runs_.items()}, part{0, run_.size};
    if (runs.end >= 4 * who.size) {
      runs = who.share(runs.end);
    } else {
      part = who.share(part.end, c.kernels->lanes);
    }
    for (Index i = runs.begin; i < runs.end; ++i) {
      const LoopNest::Place place = runs_.at(i);
      const Index x = place.x + part.begin, y = place.y + part.begin * run_.y;
      c.kernels->spread(f, part.size(), run_.y, c.x[0] + x, a + y, b + y, out + x);
    }
  }

  Statistic statistic_;
  Folding fold_;
  StridedCopy spread_copy_;
  LoopNest runs_;
  LoopAxis run_{1, 1, 1};
  Index terms_ = 1, x_size_ = 0, y_size_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(reduce, Reduce);

}  // namespace fastgd
