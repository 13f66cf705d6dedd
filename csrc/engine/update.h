// Update rules over flat vectors: an optimizer knows no layers, only stretches of memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "threads/team.h"

namespace fastgd {

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

template <class T>
class Update {
 public:
  // Throws for an unknown rule, and for missing or unknown numbers and slots.
  explicit Update(const UpdateSpec& spec);

  // The rate of the step that follows `iteration` steps, with the rule's own corrections in it.
  double rate(double learning_rate, std::uint64_t iteration) const noexcept;

  // One step of n parameters that lie together; slots begin at slots[i] + at.
  void apply(const Kernels<T>& kernels, double rate, Index n, const T* g, T* w, const std::vector<T*>& slots,
             Index at) const noexcept;

  // One step of all segments, by this worker's share of each.
  void apply(const Kernels<T>& kernels, double rate, const std::vector<Segment<T>>& segments, const T* gradients,
             const std::vector<T*>& slots, const Worker& who) const noexcept;

 private:
  enum class Rule { sgd, momentum, adam };
  Rule rule_;
  Index slot_count_ = 0;
  double momentum_ = 0, beta_1_ = 0, beta_2_ = 0, epsilon_ = 0;
  bool nesterov_ = false;
};

}  // namespace fastgd
