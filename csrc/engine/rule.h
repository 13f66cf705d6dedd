// Update rules over flat vectors: an optimizer knows no layers, only stretches of memory.
#pragma once

#include "engine/update_spec.h"
#include "kernels/kernels.h"

namespace fastgd {

// What a rule takes besides the gradient: the learning rate with the rule's own corrections in it.
struct RuleStep {
  double rate = 0;
  double rate_g = 0;   // Nadam's rate for the gradient itself
  double root = 1;     // Nadam's factor before the root
  double epsilon = 0;  // of Adam and AMSGrad
};

template <class T>
class Rule {
 public:
  // Throws for an unknown rule and for missing numbers.
  explicit Rule(SpecNumbers& numbers);

  std::size_t slot_count() const { return slot_count_; }

  // The numbers of the step that follows `updates` steps; by one thread at a time.
  RuleStep step(double learning_rate, std::uint64_t updates) noexcept;

  // One step of n parameters that lie together; slots begin at slots[i] + at.
  void apply(const Kernels<T>& kernels, const RuleStep& step, Index n, const T* g, T* w, const std::vector<T*>& slots,
             Index at) const noexcept;

  // Whether a step is w -= rate g.
  bool is_plain() const { return kind_ == Kind::sgd; }
  // Whether a step with gradient 0 changes nothing, and whether `rest` takes several of them at once.
  bool rests() const { return kind_ == Kind::sgd || kind_ == Kind::adagrad; }
  bool rests_at_once() const { return kind_ == Kind::adam && !corrects_epsilon_; }
  // The bits of steps of these rates with gradient 0.
  void rest(const Kernels<T>& kernels, Index steps, const T* rates, Index n, T* w, const std::vector<T*>& slots,
            Index at) const noexcept;

 private:
  enum class Kind { gradient, sgd, momentum, adam, amsgrad, adamax, nadam, lion, rmsprop, adagrad, adadelta, ftrl };

  // Nadam's beta_1 of step t, and the product of those of the steps 1 to t.
  double nadam_beta(double t) const noexcept;
  double nadam_product(std::uint64_t t) noexcept;

  Kind kind_;
  std::size_t slot_count_ = 0;
  double momentum_ = 0, beta_1_ = 0, beta_2_ = 0, rho_ = 0, epsilon_ = 0;
  bool nesterov_ = false, centered_ = false, corrects_epsilon_ = false;
  double power_ = 0, l1_ = 0, l2_ = 0, shrinkage_ = 0, beta_ = 0;
  // The product of the last step asked for: mostly the next one follows.
  std::uint64_t product_step_ = 0;
  double product_ = 1;
};

}  // namespace fastgd
