// A batch of samples compiled: one program that a team runs together, or one program for each of several groups of
// samples, which the threads of a team run side by side.
#pragma once

#include "engine/program.h"
#include "engine/team_choice.h"

namespace fastgd {

// Small networks are done with an instruction before a team has met. Their batches are cut into groups of samples, each
// of which goes through the whole forward and backward pass on one thread with an arena and a gradient of its own; the
// gradients add up in the order of the groups. The groups hang on the plan and the batch alone, never on the team, and
// so do the bits of the result.
template <class T>
class Batch {
 public:
  Batch(const Plan& plan, const Wiring& wiring, const std::vector<Index>& gradient_offsets, Index gradient_size,
        const KernelTable& table, Mode mode, Index rows, double team_work, bool streams);

  Index rows() const { return rows_; }
  bool grouped() const { return programs_.size() > 1; }
  Index groups() const { return static_cast<Index>(programs_.size()); }
  Program<T>& program(Index group = 0) { return *programs_[static_cast<std::size_t>(group)]; }
  // The gradient of a group after the first, which has the executor's.
  T* gradient(Index group) { return reinterpret_cast<T*>(gradients_.data()) + (group - 1) * gradient_size_; }
  // The team for the next batches, of at most `most` threads.
  TeamChoice& choice(int most);
  // What a team of this size needs.
  Index arena_bytes(int team) const;

  // Resolves all addresses, for runs by a team of this size. `gradient`: of the first group.
  void attach(int team, std::byte* arena, const std::vector<T*>& params, T* gradient,
              const std::vector<GradientSink<T>>& sinks);
  // The team that it is attached for; 0: none.
  int team() const { return team_; }
  void detach() { team_ = 0; }

 private:
  int useful_threads() const;
  Index slot_bytes() const;

  Index rows_;
  Index gradient_size_;
  double team_work_;
  double work_ = 0;
  TeamChoice choice_;
  int team_ = 0;
  std::vector<std::unique_ptr<Program<T>>> programs_;
  Buffer gradients_;
};

}  // namespace fastgd
