// Running a plan over data: epochs of training, evaluation, prediction. Knows nothing of Python.
#pragma once

#include <map>
#include <memory>
#include <span>

#include "engine/batch.h"
#include "engine/feed.h"
#include "engine/group_sums.h"
#include "engine/late_rows.h"
#include "engine/update.h"

namespace fastgd {

// Where a prediction goes: rows of one output array.
struct Sink {
  std::byte* data = nullptr;
  Index bytes_per_sample = 0;
};

// What begin() is told: docs/ops.md, Executors.
struct RunRequest {
  Mode mode = Mode::predict;
  std::vector<Feed> feeds;  // one per plan.inputs; data may be null where the mode does not need it
  Index rows = 0;
  Index batch_size = 0;
  bool shuffle = false;
  std::uint64_t shuffle_seed = 0;
  std::uint32_t epoch = 0;
  std::uint64_t iteration = 0;
  std::vector<Sink> sinks;  // one per plan.outputs; in train mode there may be none
};

// Asked from time to time by the calling thread; true ends the run at the next step.
using Interrupt = bool (*)();

template <class T>
class Executor {
 public:
  Executor(Plan plan, const KernelTable& table, double team_work);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  const Plan& plan() const { return plan_; }
  const KernelTable& table() const { return table_; }

  // Pointers to each parameter; sizes were checked by the caller, who keeps the memory alive.
  void bind_parameters(std::vector<T*> params);
  void bind_update(const UpdateSpec& spec, std::vector<T*> slots);
  // Elements of the flat gradient, and so of each slot.
  Index gradient_size() const { return gradient_size_; }
  const std::vector<Index>& gradient_offsets() const { return gradient_offsets_; }
  const T* gradients() const { return reinterpret_cast<const T*>(gradients_.data()); }

  void begin(RunRequest request);
  // Returns the number of batches run. When `interrupt` said so or an op failed, stops early with interrupted() true.
  Index advance(Index max_batches, double max_seconds, std::span<const double> learning_rates, Interrupt interrupt);
  // The pass that has begun, in train mode, and further ones over the same rows, each as if begun with the next epoch;
  // none begins after `max_seconds` but the first. Returns how many were finished; interrupted() as above.
  Index run_passes(Index max_passes, double max_seconds, double learning_rate, Interrupt interrupt);
  // The totals of the passes that the last `run_passes` has finished, one after the other.
  const std::vector<Total>& pass_totals() const { return pass_totals_; }
  bool interrupted() const { return interrupted_; }
  std::uint64_t iteration() const { return request_.iteration; }
  const std::vector<Total>& totals() const { return totals_; }

  // One step of the bound update, by gradients that the caller has: one for each trainable parameter. Ends a run that
  // has begun.
  void update(const std::vector<const T*>& gradients, double learning_rate, std::uint64_t iteration);

  // One batch of all rows of `request`, nothing updated; the program keeps every tensor until the next call. When an op
  // failed, interrupted() is true.
  const Program<T>& inspect(RunRequest request, bool training);

 private:
  struct Pace;
  // What every rank does after a batch; unfinished: it was cut short and counts for nothing.
  enum class After { go_on, leave, leave_unfinished };

  // The first row of a pass is the next, in the order of the request's epoch.
  void begin_pass();
  Batch<T>& compiled(Mode mode, Index rows);
  // Gives it memory for a team of this size.
  void prepare(Batch<T>& batch, int team);
  std::vector<Segment<T>> segments_of(const std::vector<bool>& streamed, const std::vector<Penalty>& penalties) const;
  // The samples of an input from row `first` on, where they can be read where they lie; else null.
  const std::byte* ready_samples(const Port& port, Index first, Index rows) const noexcept;
  void gather_input(const Port& port, Index first, Index rows, const Worker& who) noexcept;
  void find_ready_feeds();
  void check_feeds(const RunRequest& request, const Program<T>& p) const;
  After run_batch(Batch<T>& batch, Index first_row, double learning_rate, std::uint64_t iteration, std::int64_t& tick,
                  Pace& pace, const Worker& who) noexcept;
  After run_alone(Program<T>& p, Index first_row, std::int64_t& tick, Pace& pace) noexcept;
  // Whether batches, which are single samples, can be done by Kernels::linear_steps. Doing some of them by one thread,
  // each with a rate of its own or all with one; returns how many those were.
  bool runs_linear_steps(const Program<T>& p) const;
  Index run_linear_steps(const Program<T>& p, Index steps, std::span<const double> rates, bool one_rate,
                         std::int64_t& tick, Pace& pace) noexcept;
  After run_together(Program<T>& p, Index first_row, std::int64_t& tick, Pace& pace, const Worker& who) noexcept;
  After run_groups(Batch<T>& batch, Index first_row, std::int64_t& tick, Pace& pace, const Worker& who) noexcept;
  T* gradient_data() { return reinterpret_cast<T*>(gradients_.data()); }
  GroupSums<T> group_sums(Batch<T>& batch, const Worker& who);
  void update_from_groups(Batch<T>& batch, const Worker& who) noexcept;
  void constrain(const Worker& who) noexcept;
  void run_instruction(const Instruction<T>& instruction, Program<T>& p, Index first_row, const Worker& who) noexcept;
  void run_other(const Instruction<T>& instruction, Program<T>& p, Index first_row, const Worker& who) noexcept;
  bool takes_pieces() const { return !update_ || update_->takes_pieces(); }
  static void take_gradient(const GradientSink<T>& sink, Index begin, Index size, const T* gradient) noexcept;
  static void catch_up(const GradientSink<T>& sink, Index begin, Index size) noexcept;
  static void announce(const GradientSink<T>& sink, Index begin, Index size) noexcept;
  // All of a parameter that is updated on the way.
  Segment<T> streamed_segment(std::size_t param) const;
  // Updates what has waited, by a team.
  void finish_late_rows(int team) noexcept;
  void run_terms(Program<T>& p) noexcept;
  void add_totals(Program<T>& p) noexcept;
  void scatter(const Program<T>& p, Index first_row) noexcept;

  Plan plan_;
  Wiring wiring_;
  // What runs; the plan as it was given is what can be inspected.
  Plan fused_;
  Wiring fused_wiring_;
  const KernelTable& table_;
  const Kernels<T>& kernels_;
  const double team_work_;
  std::vector<Index> param_sizes_;
  std::vector<Index> gradient_offsets_;
  std::vector<Index> trained_;  // per parameter: how many trainable ones stand before it
  Index gradient_size_ = 0;
  Buffer gradients_;
  std::vector<T*> params_;
  std::unique_ptr<Update<T>> update_;
  std::vector<T*> slots_;
  std::vector<Constraint<T>> constraints_;
  std::vector<GradientSink<T>> sinks_;  // one per parameter
  std::vector<Penalty> penalties_;      // one per parameter, for the sinks
  StepNumbers step_;                    // of the running batch, for the sinks
  LateRows<T> late_;
  std::map<std::pair<Mode, Index>, std::unique_ptr<Batch<T>>> batches_;
  std::unique_ptr<Program<T>> inspected_;
  Buffer inspected_arena_;
  Buffer arena_;

  RunRequest request_;
  bool begun_ = false;
  std::vector<Index> order_;
  std::vector<bool> ready_;  // per feed: whether its samples are of the kind that programs read
  Index next_row_ = 0;
  TeamChoice update_choice_;  // for `update`
  bool interrupted_ = false;
  std::vector<Total> totals_, pass_totals_;
};

}  // namespace fastgd
