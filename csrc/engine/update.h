// One update of all parameters: the steps around every rule, and the rule. docs/ops.md, Around the rules.
#pragma once

#include <optional>

#include "engine/norms.h"
#include "engine/rule.h"
#include "ops/op.h"

namespace fastgd {

// Parameters updated at a time where something is done to them or their gradient before: three or four arrays of this
// fit the first cache.
constexpr Index kUpdatePiece = 1024;

// What an element of an update counts for beside the floating-point operations of ops. Bytes moved weigh like
// operations here: an update is bound by memory, and a second core brings more of it.
constexpr double kUpdateWork = 20;

// A stretch of parameters that lie in one piece in all arrays. Slots and gradient begin at `offset` of their flat
// arrays.
template <class T>
struct Segment {
  T* w = nullptr;
  Index offset = 0;
  Index size = 0;
  Index param = 0;       // the first of them, counting the trainable ones
  Penalty penalty = {};  // whose gradient joins the gradient on the way

  Segment part(Index begin, Index n) const { return {w + begin, offset + begin, n, param, penalty}; }
};

// What holds for every parameter in the step of one batch.
struct StepNumbers {
  RuleStep rule;
  bool updates = true;      // false: the gradient only joins the accumulator
  double decay = 0;         // the share of each parameter that weight decay takes before the rule
  double average_old = 0;   // the share of the running average that stays
  bool overwrites = false;  // whether the parameters become their averages
};

template <class T>
class Update {
 public:
  // `params`: where each trainable parameter lies in the flat gradient.
  // Throws for an unknown rule, and for missing or unknown numbers and slots.
  Update(const UpdateSpec& spec, const std::vector<Range>& params) : Update(SpecNumbers(spec), params) {}

  // Whether the pieces of a gradient can be used as they come, each on its own.
  bool takes_pieces() const { return !norms_; }
  // Whether two neighbours among the trainable parameters can be one segment.
  bool alike(Index a, Index b) const { return (!norms_ || norms_->together()) && decays(a) == decays(b); }
  // Whether a step is w -= rate g and nothing else.
  bool is_plain() const { return bare_ && weight_decay_ == 0 && rule_.is_plain(); }
  // What the loss is multiplied by; the update divides the gradient by it.
  double loss_scale() const { return loss_scale_; }

  // The numbers of the step that follows `calls` gradients; by one thread at a time.
  StepNumbers numbers(double learning_rate, std::uint64_t calls) noexcept;

  // One step of a segment whose gradient begins at g, for an update that takes pieces.
  void apply(const Kernels<T>& kernels, const StepNumbers& step, const Segment<T>& s, const T* g,
             const std::vector<T*>& slots) const noexcept {
    apply(kernels, step, s, g, slots, std::nullopt);
  }

  // The steps first .. last of a segment of at most kUpdatePiece elements, each with gradient 0, for an update that
  // takes pieces.
  void rest(const Kernels<T>& kernels, const StepNumbers* first, const StepNumbers* last, const Segment<T>& s,
            const std::vector<T*>& slots) const noexcept;

  // One step of all segments, by this worker's share of each. The team meets inside where norms are needed, and the
  // gradients then change.
  void apply(const Kernels<T>& kernels, const StepNumbers& step, const std::vector<Segment<T>>& segments, T* gradients,
             const std::vector<T*>& slots, const Worker& who) noexcept;

 private:
  Update(SpecNumbers numbers, const std::vector<Range>& params);
  bool decays(Index param) const { return decays_[static_cast<std::size_t>(param)] != 0; }
  // The gradient that clipping by norm or the rule is to take: g, or what is made of it in `piece`, which may be g
  // itself. Null where the accumulator has taken it.
  const T* prepare(const Kernels<T>& kernels, const StepNumbers& step, const Segment<T>& s, const T* g,
                   const std::vector<T*>& slots, T* piece) const noexcept;
  // `factor`: of a gradient that is prepared already.
  void apply(const Kernels<T>& kernels, const StepNumbers& step, const Segment<T>& s, const T* g,
             const std::vector<T*>& slots, std::optional<double> factor) const noexcept;

  Rule<T> rule_;
  std::optional<Norms> norms_;
  std::vector<std::uint8_t> decays_;  // per parameter
  double weight_decay_ = 0, clip_value_ = 0, loss_scale_ = 1;
  std::uint64_t accumulation_ = 1;  // gradients per update
  std::size_t accumulator_ = 0;     // its slot
  bool averages_ = false;
  std::size_t average_ = 0;  // its slot
  double average_momentum_ = 0;
  std::uint64_t overwrite_every_ = 0;  // updates; 0: never
  bool bare_ = true;                   // nothing but the rule and weight decay
};

}  // namespace fastgd
