// Update rules: which kernel runs over the segments, and with which numbers.
#include "engine/update.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/check.h"

namespace fastgd {
namespace {

// Reads numbers from a spec and refuses what nobody read.
class Numbers {
 public:
  explicit Numbers(const UpdateSpec& spec) : spec_(spec) {}
  double get(const char* name) {
    const auto it = spec_.hyper.find(name);
    check(it != spec_.hyper.end(), "[", spec_.rule, "] needs the number `", name, "`.");
    read_.insert(name);
    return it->second;
  }
  double get_or(const char* name, double otherwise) { return spec_.hyper.contains(name) ? get(name) : otherwise; }
  void check_all_known() const {
    for (const auto& [name, value] : spec_.hyper)
      check(read_.contains(name), "[", spec_.rule, "] takes no number `", name, "`.");
  }

 private:
  const UpdateSpec& spec_;
  std::set<std::string> read_;
};

}  // namespace

template <class T>
Update<T>::Update(const UpdateSpec& spec) {
  static const std::map<std::string, Rule> kAdamFamily = {
      {"adam", Rule::adam}, {"amsgrad", Rule::amsgrad}, {"adamax", Rule::adamax}, {"nadam", Rule::nadam}};
  Numbers numbers(spec);
  if (spec.rule == "gradient") {
    rule_ = Rule::gradient;
    slot_count_ = 1;
  } else if (spec.rule == "sgd") {
    rule_ = Rule::sgd;
  } else if (spec.rule == "momentum") {
    rule_ = Rule::momentum;
    slot_count_ = 1;
    momentum_ = numbers.get("momentum");
    nesterov_ = numbers.get("nesterov") != 0;
  } else if (const auto family = kAdamFamily.find(spec.rule); family != kAdamFamily.end()) {
    rule_ = family->second;
    slot_count_ = rule_ == Rule::amsgrad ? 3 : 2;
    beta_1_ = numbers.get("beta_1");
    beta_2_ = numbers.get("beta_2");
    epsilon_ = numbers.get("epsilon");
  } else if (spec.rule == "lion") {
    rule_ = Rule::lion;
    slot_count_ = 1;
    beta_1_ = numbers.get("beta_1");
    beta_2_ = numbers.get("beta_2");
  } else if (spec.rule == "rmsprop") {
    rule_ = Rule::rmsprop;
    rho_ = numbers.get("rho");
    momentum_ = numbers.get("momentum");
    epsilon_ = numbers.get("epsilon");
    centered_ = numbers.get("centered") != 0;
    slot_count_ = 1 + (centered_ ? 1 : 0) + (momentum_ != 0 ? 1 : 0);
  } else if (spec.rule == "adagrad") {
    rule_ = Rule::adagrad;
    slot_count_ = 1;
    epsilon_ = numbers.get("epsilon");
  } else if (spec.rule == "adadelta") {
    rule_ = Rule::adadelta;
    slot_count_ = 2;
    rho_ = numbers.get("rho");
    epsilon_ = numbers.get("epsilon");
  } else {
    fail("Unknown update rule. Received: rule='", spec.rule, "'");
  }
  weight_decay_ = numbers.get_or("weight_decay", 0);
  numbers.check_all_known();
  check(static_cast<Index>(spec.slots.size()) == slot_count_, "[", spec.rule, "] needs ", slot_count_,
        " slots. Received: ", spec.slots.size());
}

template <class T>
StepNumbers Update<T>::numbers(double learning_rate, std::uint64_t iteration) noexcept {
  StepNumbers step{.rate = learning_rate, .decay = weight_decay_ * learning_rate};
  const double t = static_cast<double>(iteration) + 1;
  switch (rule_) {
    case Rule::adam:
    case Rule::amsgrad:
      step.rate *= std::sqrt(1 - std::pow(beta_2_, t)) / (1 - std::pow(beta_1_, t));
      break;
    case Rule::adamax:
      step.rate /= 1 - std::pow(beta_1_, t);
      break;
    case Rule::nadam: {
      const double now = nadam_beta(t), next = nadam_beta(t + 1), product = nadam_product(iteration + 1);
      step.rate = learning_rate * next / (1 - product * next);
      step.rate_g = learning_rate * (1 - now) / (1 - product);
      step.root = 1 / std::sqrt(1 - std::pow(beta_2_, t));
      break;
    }
    default:
      break;
  }
  return step;
}

template <class T>
double Update<T>::nadam_beta(double t) const noexcept {
  return beta_1_ * (1 - 0.5 * std::pow(0.96, t));
}

template <class T>
double Update<T>::nadam_product(std::uint64_t t) noexcept {
  if (t < product_step_) product_step_ = 0, product_ = 1;
  // Once the product is 0 it stays so.
  for (; product_step_ < t && product_ > 0; ++product_step_)
    product_ *= nadam_beta(static_cast<double>(product_step_) + 1);
  product_step_ = t;
  return product_;
}

template <class T>
void Update<T>::apply(const Kernels<T>& kernels, const StepNumbers& step, Index n, const T* g, T* w,
                      const std::vector<T*>& slots, Index at) const noexcept {
  if (step.decay == 0) return apply_rule(kernels, step, n, g, w, slots, at);
  // In pieces, so that the rule finds in the cache what was decayed.
  for (Index i = 0; i < n; i += kUpdatePiece) {
    const Index size = std::min(kUpdatePiece, n - i);
    kernels.decay(size, static_cast<T>(step.decay), w + i);
    apply_rule(kernels, step, size, g + i, w + i, slots, at + i);
  }
}

template <class T>
void Update<T>::apply_rule(const Kernels<T>& kernels, const StepNumbers& step, Index n, const T* g, T* w,
                           const std::vector<T*>& slots, Index at) const noexcept {
  const T rate = static_cast<T>(step.rate), epsilon = static_cast<T>(epsilon_), momentum = static_cast<T>(momentum_);
  // 1 - beta in double: in float the difference would lose digits.
  const T rest_1 = static_cast<T>(1 - beta_1_), rest_2 = static_cast<T>(1 - beta_2_), rest = static_cast<T>(1 - rho_);
  const auto slot = [&](std::size_t i) { return slots[i] + at; };
  switch (rule_) {
    case Rule::gradient:
      kernels.sgd(n, -rate, g, slot(0));
      break;
    case Rule::sgd:
      kernels.sgd(n, rate, g, w);
      break;
    case Rule::momentum:
      kernels.momentum(n, rate, momentum, nesterov_, g, w, slot(0));
      break;
    case Rule::adam:
      kernels.adam(n, rate, rest_1, rest_2, epsilon, g, w, slot(0), slot(1));
      break;
    case Rule::amsgrad:
      kernels.amsgrad(n, rate, rest_1, rest_2, epsilon, g, w, slot(0), slot(1), slot(2));
      break;
    case Rule::adamax:
      kernels.adamax(n, rate, rest_1, static_cast<T>(beta_2_), epsilon, g, w, slot(0), slot(1));
      break;
    case Rule::nadam:
      kernels.nadam(n, rate, static_cast<T>(step.rate_g), rest_1, rest_2, static_cast<T>(step.root), epsilon, g, w,
                    slot(0), slot(1));
      break;
    case Rule::lion:
      kernels.lion(n, rate, static_cast<T>(beta_1_), rest_1, rest_2, g, w, slot(0));
      break;
    case Rule::rmsprop:
      kernels.rmsprop(n, rate, rest, momentum, epsilon, g, w, slot(0), centered_ ? slot(1) : nullptr,
                      momentum_ != 0 ? slot(centered_ ? 2 : 1) : nullptr);
      break;
    case Rule::adagrad:
      kernels.adagrad(n, rate, epsilon, g, w, slot(0));
      break;
    case Rule::adadelta:
      kernels.adadelta(n, rate, rest, epsilon, g, w, slot(0), slot(1));
      break;
  }
}

template <class T>
void Update<T>::apply(const Kernels<T>& kernels, const StepNumbers& step, const std::vector<Segment<T>>& segments,
                      const T* gradients, const std::vector<T*>& slots, const Worker& who) const noexcept {
  for (const Segment<T>& s : segments) {
    const Range part = who.share(s.size, 64);
    const Index at = s.offset + part.begin;
    if (part.size() > 0) apply(kernels, step, part.size(), gradients + at, s.w + part.begin, slots, at);
  }
}

template class Update<float>;
template class Update<double>;

}  // namespace fastgd
