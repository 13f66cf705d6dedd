// Update rules over flat vectors: an optimizer knows no layers, only stretches of memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "threads/team.h"

namespace fastgd {

// Parameters updated at a time where something is done to them or their gradient before: three or four arrays of this
// fit the first cache.
constexpr Index kUpdatePiece = 1024;

// python/fastgd/plan.py, UpdateSpec.
struct UpdateSpec {
  std::string rule;
  std::map<std::string, double> hyper;
  std::vector<std::string> slots;
};

// A stretch of parameters that lie in one piece in all arrays. Slots and gradient begin at `offset` of their flat
// arrays.
template <class T>
struct Segment {
  T* w = nullptr;
  Index offset = 0;
  Index size = 0;
};

// What a step takes besides the gradient: the learning rate with the rule's own corrections in it.
struct StepNumbers {
  double rate = 0;
  double decay = 0;   // the share of each parameter that weight decay takes before the rule
  double rate_g = 0;  // Nadam's rate for the gradient itself
  double root = 1;    // Nadam's factor before the root
};

template <class T>
class Update {
 public:
  // Throws for an unknown rule, and for missing or unknown numbers and slots.
  explicit Update(const UpdateSpec& spec);

  // The numbers of the step that follows `iteration` steps; by one thread at a time.
  StepNumbers numbers(double learning_rate, std::uint64_t iteration) noexcept;

  // One step of n parameters that lie together; slots begin at slots[i] + at.
  void apply(const Kernels<T>& kernels, const StepNumbers& step, Index n, const T* g, T* w,
             const std::vector<T*>& slots, Index at) const noexcept;

  // One step of all segments, by this worker's share of each.
  void apply(const Kernels<T>& kernels, const StepNumbers& step, const std::vector<Segment<T>>& segments,
             const T* gradients, const std::vector<T*>& slots, const Worker& who) const noexcept;

 private:
  enum class Rule { gradient, sgd, momentum, adam, amsgrad, adamax, nadam, lion, rmsprop, adagrad, adadelta };

  void apply_rule(const Kernels<T>& kernels, const StepNumbers& step, Index n, const T* g, T* w,
                  const std::vector<T*>& slots, Index at) const noexcept;
  // Nadam's beta_1 of step t, and the product of those of the steps 1 to t.
  double nadam_beta(double t) const noexcept;
  double nadam_product(std::uint64_t t) noexcept;

  Rule rule_;
  Index slot_count_ = 0;
  double momentum_ = 0, beta_1_ = 0, beta_2_ = 0, rho_ = 0, epsilon_ = 0, weight_decay_ = 0;
  bool nesterov_ = false, centered_ = false;
  // The product of the last step asked for: mostly the next one follows.
  std::uint64_t product_step_ = 0;
  double product_ = 1;
};

}  // namespace fastgd
