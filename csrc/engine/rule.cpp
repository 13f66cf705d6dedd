// Update rules: which kernel runs, and with which numbers.
#include "engine/rule.h"

#include <cmath>

namespace fastgd {
namespace {

// 1 - beta^t. Once (1 - beta) t > 40, beta^t < e^-40 is lost in the rounding, so the power need not be taken.
double one_minus_power(double beta, double t) { return (1 - beta) * t > 40 ? 1.0 : 1 - std::pow(beta, t); }

}  // namespace

template <class T>
Rule<T>::Rule(SpecNumbers& numbers) {
  const std::string& name = numbers.spec().rule;
  static const std::map<std::string, Kind> kAdamFamily = {
      {"adam", Kind::adam}, {"amsgrad", Kind::amsgrad}, {"adamax", Kind::adamax}, {"nadam", Kind::nadam}};
  if (name == "gradient") {
    kind_ = Kind::gradient;
    slot_count_ = 1;
  } else if (name == "sgd") {
    kind_ = Kind::sgd;
  } else if (name == "momentum") {
    kind_ = Kind::momentum;
    slot_count_ = 1;
    momentum_ = numbers.get("momentum");
    nesterov_ = numbers.get("nesterov") != 0;
  } else if (const auto family = kAdamFamily.find(name); family != kAdamFamily.end()) {
    kind_ = family->second;
    slot_count_ = kind_ == Kind::amsgrad ? 3 : 2;
    beta_1_ = numbers.get("beta_1");
    beta_2_ = numbers.get("beta_2");
    epsilon_ = numbers.get("epsilon");
    if (kind_ == Kind::adam || kind_ == Kind::amsgrad) corrects_epsilon_ = numbers.get_or("corrects_epsilon", 0) != 0;
  } else if (name == "lion") {
    kind_ = Kind::lion;
    slot_count_ = 1;
    beta_1_ = numbers.get("beta_1");
    beta_2_ = numbers.get("beta_2");
  } else if (name == "rmsprop") {
    kind_ = Kind::rmsprop;
    rho_ = numbers.get("rho");
    momentum_ = numbers.get("momentum");
    epsilon_ = numbers.get("epsilon");
    centered_ = numbers.get("centered") != 0;
    slot_count_ = 1 + (centered_ ? 1 : 0) + (momentum_ != 0 ? 1 : 0);
  } else if (name == "adagrad") {
    kind_ = Kind::adagrad;
    slot_count_ = 1;
    epsilon_ = numbers.get("epsilon");
  } else if (name == "adadelta") {
    kind_ = Kind::adadelta;
    slot_count_ = 2;
    rho_ = numbers.get("rho");
    epsilon_ = numbers.get("epsilon");
  } else if (name == "ftrl") {
    kind_ = Kind::ftrl;
    slot_count_ = 2;
    power_ = -numbers.get("learning_rate_power");
    l1_ = numbers.get("l1");
    l2_ = numbers.get("l2");
    shrinkage_ = numbers.get("l2_shrinkage");
    beta_ = numbers.get("beta");
  } else {
    fail("Unknown update rule. Received: rule='", name, "'");
  }
}

template <class T>
RuleStep Rule<T>::step(double learning_rate, std::uint64_t updates) noexcept {
  RuleStep step{.rate = learning_rate};
  const double t = static_cast<double>(updates) + 1;
  switch (kind_) {
    case Kind::adam:
    case Kind::amsgrad: {
      const double root = std::sqrt(one_minus_power(beta_2_, t));
      step.rate *= root / one_minus_power(beta_1_, t);
      step.epsilon = corrects_epsilon_ ? epsilon_ * root : epsilon_;
      break;
    }
    case Kind::adamax:
      step.rate /= one_minus_power(beta_1_, t);
      break;
    case Kind::nadam: {
      const double now = nadam_beta(t), next = nadam_beta(t + 1), product = nadam_product(updates + 1);
      step.rate = learning_rate * next / (1 - product * next);
      step.rate_g = learning_rate * (1 - now) / (1 - product);
      step.root = 1 / std::sqrt(one_minus_power(beta_2_, t));
      break;
    }
    default:
      break;
  }
  return step;
}

template <class T>
double Rule<T>::nadam_beta(double t) const noexcept {
  return beta_1_ * (1 - 0.5 * std::pow(0.96, t));
}

template <class T>
double Rule<T>::nadam_product(std::uint64_t t) noexcept {
  if (t < product_step_) product_step_ = 0, product_ = 1;
  // Once the product is 0 it stays so.
  for (; product_step_ < t && product_ > 0; ++product_step_)
    product_ *= nadam_beta(static_cast<double>(product_step_) + 1);
  product_step_ = t;
  return product_;
}

template <class T>
void Rule<T>::apply(const Kernels<T>& kernels, const RuleStep& step, Index n, const T* g, T* w,
                    const std::vector<T*>& slots, Index at) const noexcept {
  const T rate = static_cast<T>(step.rate), epsilon = static_cast<T>(epsilon_), momentum = static_cast<T>(momentum_);
  // 1 - beta in double: in float the difference would lose digits.
  const T rest_1 = static_cast<T>(1 - beta_1_), rest_2 = static_cast<T>(1 - beta_2_), rest = static_cast<T>(1 - rho_);
  const auto slot = [&](std::size_t i) { return slots[i] + at; };
  switch (kind_) {
    case Kind::gradient:
      kernels.sgd(n, -rate, g, slot(0));
      break;
    case Kind::sgd:
      kernels.sgd(n, rate, g, w);
      break;
    case Kind::momentum:
      kernels.momentum(n, rate, momentum, nesterov_, g, w, slot(0));
      break;
    case Kind::adam:
      kernels.adam(n, rate, rest_1, rest_2, static_cast<T>(step.epsilon), g, w, slot(0), slot(1));
      break;
    case Kind::amsgrad:
      kernels.amsgrad(n, rate, rest_1, rest_2, static_cast<T>(step.epsilon), g, w, slot(0), slot(1), slot(2));
      break;
    case Kind::adamax:
      kernels.adamax(n, rate, rest_1, static_cast<T>(beta_2_), epsilon, g, w, slot(0), slot(1));
      break;
    case Kind::nadam:
      kernels.nadam(n, rate, static_cast<T>(step.rate_g), rest_1, rest_2, static_cast<T>(step.root), epsilon, g, w,
                    slot(0), slot(1));
      break;
    case Kind::lion:
      kernels.lion(n, rate, static_cast<T>(beta_1_), rest_1, rest_2, g, w, slot(0));
      break;
    case Kind::rmsprop:
      kernels.rmsprop(n, rate, rest, momentum, epsilon, g, w, slot(0), centered_ ? slot(1) : nullptr,
                      momentum_ != 0 ? slot(centered_ ? 2 : 1) : nullptr);
      break;
    case Kind::adagrad:
      kernels.adagrad(n, rate, epsilon, g, w, slot(0));
      break;
    case Kind::adadelta:
      kernels.adadelta(n, rate, rest, epsilon, g, w, slot(0), slot(1));
      break;
    case Kind::ftrl:
      // The formula divides by the rate; at 0 it is taken to stand still.
      if (step.rate != 0)
        kernels.ftrl(n, static_cast<T>(1 / step.rate), static_cast<T>(power_), static_cast<T>(l1_),
                     static_cast<T>(l2_ + beta_ / (2 * step.rate)), static_cast<T>(shrinkage_), g, w, slot(0), slot(1));
      break;
  }
}

template <class T>
void Rule<T>::rest(const Kernels<T>& kernels, Index steps, const T* rates, Index n, T* w, const std::vector<T*>& slots,
                   Index at) const noexcept {
  kernels.adam_rest(n, steps, rates, static_cast<T>(1 - beta_1_), static_cast<T>(1 - beta_2_), static_cast<T>(epsilon_),
                    w, slots[0] + at, slots[1] + at);
}

template class Rule<float>;
template class Rule<double>;

}  // namespace fastgd
