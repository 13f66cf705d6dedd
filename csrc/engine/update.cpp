// Update rules: which kernel runs over the segments, and with which numbers.
#include "engine/update.h"

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
  Numbers numbers(spec);
  if (spec.rule == "sgd") {
    rule_ = Rule::sgd;
  } else if (spec.rule == "momentum") {
    rule_ = Rule::momentum;
    slot_count_ = 1;
    momentum_ = numbers.get("momentum");
    nesterov_ = numbers.get("nesterov") != 0;
  } else if (spec.rule == "adam") {
    rule_ = Rule::adam;
    slot_count_ = 2;
    beta_1_ = numbers.get("beta_1");
    beta_2_ = numbers.get("beta_2");
    epsilon_ = numbers.get("epsilon");
  } else {
    fail("Unknown update rule. Received: rule='", spec.rule, "'");
  }
  numbers.check_all_known();
  check(static_cast<Index>(spec.slots.size()) == slot_count_, "[", spec.rule, "] needs ", slot_count_,
        " slots. Received: ", spec.slots.size());
}

template <class T>
double Update<T>::rate(double learning_rate, std::uint64_t iteration) const noexcept {
  if (rule_ != Rule::adam) return learning_rate;
  const double t = static_cast<double>(iteration) + 1;
  return learning_rate * std::sqrt(1 - std::pow(beta_2_, t)) / (1 - std::pow(beta_1_, t));
}

template <class T>
void Update<T>::apply(const Kernels<T>& kernels, double rate, Index n, const T* g, T* w, const std::vector<T*>& slots,
                      Index at) const noexcept {
  switch (rule_) {
    case Rule::sgd:
      kernels.sgd(n, static_cast<T>(rate), g, w);
      break;
    case Rule::momentum:
      kernels.momentum(n, static_cast<T>(rate), static_cast<T>(momentum_), nesterov_, g, w, slots[0] + at);
      break;
    case Rule::adam:
      kernels.adam(n, static_cast<T>(rate), static_cast<T>(1 - beta_1_), static_cast<T>(1 - beta_2_),
                   static_cast<T>(epsilon_), g, w, slots[0] + at, slots[1] + at);
      break;
  }
}

template <class T>
void Update<T>::apply(const Kernels<T>& kernels, double rate, const std::vector<Segment<T>>& segments,
                      const T* gradients, const std::vector<T*>& slots, const Worker& who) const noexcept {
  for (const Segment<T>& s : segments) {
    const Range part = who.share(s.size, 64);
    const Index at = s.offset + part.begin;
    if (part.size() > 0) apply(kernels, rate, part.size(), gradients + at, s.w + part.begin, slots, at);
  }
}

template class Update<float>;
template class Update<double>;

}  // namespace fastgd
