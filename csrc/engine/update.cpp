// The steps around every rule: loss scale, accumulation, clipping and weight decay before it, running averages after
// it.
#include "engine/update.h"

#include <algorithm>
#include <cstring>

#include "base/buffer.h"

namespace fastgd {

template <class T>
Update<T>::Update(SpecNumbers numbers, const std::vector<Range>& params) : rule_(numbers), decays_(params.size(), 1) {
  const UpdateSpec& spec = numbers.spec();
  weight_decay_ = numbers.get_or("weight_decay", 0);
  loss_scale_ = numbers.get_or("loss_scale_factor", 1);
  clip_value_ = numbers.get_or("clipvalue", 0);
  const bool by_norm = numbers.has("clipnorm"), together = numbers.has("global_clipnorm");
  check(by_norm + together + numbers.has("clipvalue") <= 1, "[", spec.rule, "] A gradient is clipped in one way only.");
  if (by_norm || together) norms_.emplace(numbers.get(together ? "global_clipnorm" : "clipnorm"), together, params);
  std::size_t slots = rule_.slot_count();
  if (numbers.has("gradient_accumulation_steps")) {
    const double steps = numbers.get("gradient_accumulation_steps");
    check(steps >= 2, "[", spec.rule, "] `gradient_accumulation_steps` must be 2 or more. Received: ", steps);
    accumulation_ = static_cast<std::uint64_t>(steps);
    accumulator_ = slots++;
  }
  if (numbers.has("ema_momentum")) {
    averages_ = true;
    average_ = slots++;
    average_momentum_ = numbers.get("ema_momentum");
    overwrite_every_ = static_cast<std::uint64_t>(numbers.get_or("ema_overwrite_frequency", 0));
  }
  numbers.check_all_known();
  check(spec.slots.size() == slots, "[", spec.rule, "] needs ", slots, " slots. Received: ", spec.slots.size());
  for (const Index param : spec.undecayed) {
    check(param >= 0 && param < static_cast<Index>(params.size()), "[", spec.rule, "] `undecayed` names parameter ",
          param, " of ", params.size());
    decays_[static_cast<std::size_t>(param)] = 0;
  }
  bare_ = loss_scale_ == 1 && clip_value_ == 0 && !norms_ && accumulation_ == 1 && !averages_;
}

template <class T>
StepNumbers Update<T>::numbers(double learning_rate, std::uint64_t calls) noexcept {
  // Divisions only where there is something to divide: a step of a tiny network has few instructions besides.
  const bool each = accumulation_ == 1;
  const std::uint64_t updates = each ? calls : calls / accumulation_;
  return {.rule = rule_.step(learning_rate, updates),
          .updates = each || (calls + 1) % accumulation_ == 0,
          .decay = weight_decay_ * learning_rate,
          .average_old = updates == 0 ? 0 : average_momentum_,
          .overwrites = overwrite_every_ > 0 && (updates + 1) % overwrite_every_ == 0};
}

template <class T>
const T* Update<T>::prepare(const Kernels<T>& kernels, const StepNumbers& step, const Segment<T>& s, const T* g,
                            const std::vector<T*>& slots, T* piece) const noexcept {
  const Index n = s.size, at = s.offset;
  if (loss_scale_ != 1) {
    kernels.scale(n, static_cast<T>(1 / loss_scale_), g, piece);
    g = piece;
  }
  if (s.penalty != Penalty{}) {
    kernels.penalty_gradient(n, static_cast<T>(s.penalty.l1), static_cast<T>(s.penalty.l2), s.w, g, piece);
    g = piece;
  }
  if (accumulation_ > 1) {
    T* const total = slots[accumulator_] + at;
    if (!step.updates) {
      kernels.add(n, g, total, total);
      return nullptr;
    }
    kernels.add(n, g, total, piece);
    kernels.scale(n, static_cast<T>(1.0 / static_cast<double>(accumulation_)), piece, piece);
    kernels.fill(n, T(0), total);
    g = piece;
  }
  if (clip_value_ > 0) {
    kernels.clip(n, static_cast<T>(clip_value_), g, piece);
    g = piece;
  }
  return g;
}

template <class T>
void Update<T>::apply(const Kernels<T>& kernels, const StepNumbers& step, const Segment<T>& s, const T* g,
                      const std::vector<T*>& slots, std::optional<double> factor) const noexcept {
  const bool decay = step.decay != 0 && decays(s.param);
  if (bare_ && !decay && s.penalty == Penalty{})
    return rule_.apply(kernels, step.rule, s.size, g, s.w, slots, s.offset);
  // In pieces, so that each step finds in the cache what the one before it has left.
  alignas(kAlignment) T piece[kUpdatePiece];
  for (Index i = 0; i < s.size; i += kUpdatePiece) {
    const Index n = std::min(kUpdatePiece, s.size - i), at = s.offset + i;
    T* const w = s.w + i;
    const T* taken = g + i;
    if (!factor) {
      taken = prepare(kernels, step, s.part(i, n), taken, slots, piece);
    } else if (*factor != 1) {
      kernels.scale(n, static_cast<T>(*factor), taken, piece);
      taken = piece;
    }
    if (taken != nullptr) {
      if (decay) kernels.decay(n, static_cast<T>(step.decay), w);
      rule_.apply(kernels, step.rule, n, taken, w, slots, at);
    }
    if (averages_) {
      T* const mean = slots[average_] + at;
      kernels.average(n, static_cast<T>(step.average_old), static_cast<T>(1 - step.average_old), w, mean);
      if (step.overwrites) std::memcpy(w, mean, static_cast<std::size_t>(n) * sizeof(T));
    }
  }
}

template <class T>
void Update<T>::apply(const Kernels<T>& kernels, const StepNumbers& step, const std::vector<Segment<T>>& segments,
                      T* gradients, const std::vector<T*>& slots, const Worker& who) noexcept {
  const bool by_norm = norms_ && step.updates;
  std::optional<double> factor;
  if (by_norm) {
    norms_->measure(who, [&](Index begin, Index size) {
      T* const g = gradients + begin;
      // Penalties are in the gradient already, which then is never given away in pieces.
      prepare(kernels, step, {.w = nullptr, .offset = begin, .size = size}, g, slots, g);
      return kernels.sum_of_squares(size, g);
    });
    who.sync();
    if (norms_->together()) factor = norms_->factor();
  }
  for (const Segment<T>& s : segments) {
    const Range part = who.share(s.size, 64);
    if (part.size() <= 0) continue;
    if (by_norm && !norms_->together()) factor = norms_->factor(static_cast<std::size_t>(s.param));
    apply(kernels, step, s.part(part.begin, part.size()), gradients + s.offset + part.begin, slots, factor);
  }
}

template <class T>
void Update<T>::rest(const Kernels<T>& kernels, const StepNumbers* first, const StepNumbers* last, const Segment<T>& s,
                     const std::vector<T*>& slots) const noexcept {
  alignas(kAlignment) static constexpr T kZeros[kUpdatePiece] = {};
  const bool alone = bare_ && s.penalty == Penalty{} && !(weight_decay_ != 0 && decays(s.param));
  if (alone && rule_.rests()) return;
  if (!alone || !rule_.rests_at_once()) {
    for (; first < last; ++first) apply(kernels, *first, s, kZeros, slots);
    return;
  }
  constexpr Index kMost = 64;
  T rates[kMost];
  while (first < last) {
    Index n = 0;
    for (; n < kMost && first < last; ++first) rates[n++] = static_cast<T>(first->rule.rate);
    rule_.rest(kernels, n, rates, s.size, s.w, slots, s.offset);
  }
}

template class Update<float>;
template class Update<double>;

}  // namespace fastgd
