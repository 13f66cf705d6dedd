// A plan compiled for one batch size and one purpose: a flat list of instructions over one arena.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/buffer.h"
#include "engine/plan.h"
#include "engine/update.h"
#include "ops/op.h"

namespace fastgd {

enum class Mode {
  train,     // forward, outputs, terms, backward, update
  evaluate,  // forward, terms
  predict,   // forward, outputs
  inspect    // forward, terms, backward; every tensor kept, gradients of inputs as well
};

// The samples that a program runs over: all of a batch, or some that lie together.
struct Slice {
  Index first = 0;
  Index rows = 0;
  Index batch = 0;
  bool whole() const { return rows == batch; }
};

// One sum of a loss or metric and what it is divided by.
struct Total {
  double numerator = 0;
  double denominator = 0;
};

// An address that is known only when the program is attached to its memory.
struct Ref {
  enum class Kind : std::uint8_t { null, arena, input, param, gradient };
  Kind kind = Kind::null;
  Index at = 0;  // arena: bytes, after lay-out; input: its place among the ports; param: its number; gradient: elements
};

template <class T>
struct Instruction {
  enum class Kind : std::uint8_t { gather, forward, terms, backward, add, update, constrain, scatter };
  Kind kind;
  bool team = false;        // run by the whole team, else by rank 0 alone
  bool sync_after = false;  // the team meets afterwards
  double work = 0;
  const Op<T>* op = nullptr;
  Call<T> call;
  // add: *to += *from, `size` elements.
  Index size = 0;
};

// A loss or a metric at work: where its values are and where the gradient by them goes.
template <class T>
struct TermCode {
  const T* values = nullptr;   // null: another slice of the batch takes care of it
  const T* weights = nullptr;  // null: all ones
  T* gradient = nullptr;       // null: only observed
  double weight = 1;
  Reduction reduction = Reduction::sum_over_batch_size;
  bool metric = false;
  bool whole_batch = false;  // one value instead of one per sample
  // A metric with several numerators: its values are rows of `columns`, or of `width` int32 numbers of columns, in each
  // of which the sample then counts.
  bool tabular = false;
  bool numbered = false;
  Index columns = 1;
  Index width = 1;
  Index first = 0;  // its place among the totals
};

// A plan's input or output with its place in the arena.
struct Port {
  int position = 0;  // among plan.inputs or plan.outputs
  bool integer = false;
  Index elements = 0;  // for the whole batch
  Shape shape;
  std::byte* data = nullptr;
  // Of an input: whether a run may leave its samples where the caller has them instead of gathering them.
  bool movable = false;
  // Of an input: the parameters of one element that scale it as it is gathered, x scale + offset; -1: none.
  int scale = -1, offset = -1;
};

// A program that trains one linear unit on one sample, told by its parts: so small that the instructions around its
// arithmetic are most of it, and its steps are left to Kernels::linear_steps.
template <class T>
struct LinearUnit {
  NumberLoss<T> loss;
  T scale = 1;               // the gradient by the loss
  Index inputs = 0;          // elements
  std::size_t x = 0, t = 0;  // the places of sample and target among the program's inputs
  int kernel = 0, bias = 0;  // parameters; no bias: -1
};

template <class T>
class Program {
 public:
  // `gradient_offsets`: for each parameter its place in the flat gradient, or -1 if it is not trained.
  // `streams`: whether the update takes the pieces of a gradient as they come.
  // A program for a part of a batch is for one thread, and leaves the update to those who have all parts.
  Program(const Plan& plan, const Wiring& wiring, const std::vector<Index>& gradient_offsets, const KernelTable& table,
          Mode mode, Slice slice, double team_work, bool streams);

  // Parameters that give their gradient to a sink instead of the flat gradient, by number.
  const std::vector<bool>& streamed() const { return streamed_; }
  // Those among them whose rows may be updated late: see LateRows.
  const std::vector<bool>& late() const { return late_; }
  // The penalty of each parameter whose gradient the update adds, all zeros for the others.
  const std::vector<Penalty>& penalties() const { return penalties_; }

  // Resolves all addresses. `arena` has at least arena_bytes().
  // `sinks` holds one for each parameter.
  void attach(std::byte* arena, const std::vector<T*>& params, T* gradients, const std::vector<GradientSink<T>>& sinks);

  // Makes all that read an input (its place among `inputs`) find it at `data`: at its place in the arena again where
  // that is null.
  void move_input(std::size_t input, const std::byte* data) noexcept {
    T* const to = reinterpret_cast<T*>(data == nullptr ? inputs_[input].data : const_cast<std::byte*>(data));
    for (T** const reader : input_readers_[input]) *reader = to;
  }

  // What the update instruction runs over.
  const std::vector<Segment<T>>& segments() const { return segments_; }
  void set_segments(std::vector<Segment<T>> segments) { segments_ = std::move(segments); }

  const Slice& slice() const { return slice_; }
  // Whether a batch of this plan can be cut into slices.
  bool couples_samples() const { return couples_samples_; }
  // Whether a run can end in the middle of a batch: see OpTraits::may_fail.
  bool may_fail() const { return may_fail_; }
  // Floating-point operations of the forward and backward pass.
  double work() const { return work_; }
  Index arena_bytes() const { return arena_bytes_; }
  // The largest team that any instruction can use.
  int useful_threads() const { return useful_threads_; }

  const std::vector<Instruction<T>>& code() const { return code_; }
  // Where the program is the training of one linear unit on one sample.
  const std::optional<LinearUnit<T>>& linear_unit() const { return linear_unit_; }
  const std::vector<TermCode<T>>& terms() const { return terms_; }
  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }
  RunState& run_state() { return *run_; }
  // Of the losses and metrics, one per column, for the samples of the last run.
  std::vector<Total>& totals() { return totals_; }

  // inspect mode: where a tensor's value, and the gradient by it, can be read (null if there is none).
  struct Seen {
    const std::byte* value = nullptr;
    const std::byte* gradient = nullptr;
    Shape shape;
    bool integer = false;
  };
  const std::vector<Seen>& seen() const { return seen_; }

 private:
  template <class>
  friend class Compiler;

  struct TermRefs {
    Ref values, weights, gradient;
  };

  T* resolve(Ref ref, std::byte* arena, const std::vector<T*>& params, T* gradients) const;

  Slice slice_;
  bool couples_samples_ = false, may_fail_ = false;
  double work_ = 0;
  Index arena_bytes_ = 0;
  int useful_threads_ = 1;
  std::vector<std::unique_ptr<Op<T>>> ops_;
  std::vector<Instruction<T>> code_;
  // Operand tables: `refs_` says what, `addresses_` holds the resolved pointers that the calls' arrays point into.
  std::vector<Ref> refs_;
  std::vector<T*> addresses_;
  std::unique_ptr<bool[]> accumulate_;
  std::vector<int> sink_params_;  // -1: none
  std::vector<const GradientSink<T>*> sinks_;
  std::vector<bool> streamed_, late_;
  std::vector<Penalty> penalties_;
  std::vector<Segment<T>> segments_;
  struct OperandRange {
    Index x, y, w, written, dy, dx, dw, saved, scratch, flags, sinks;
  };
  std::vector<OperandRange> operands_;  // one per instruction, positions in refs_ (-1: none)
  std::vector<TermCode<T>> terms_;
  std::vector<TermRefs> term_refs_;
  std::vector<Total> totals_;
  std::vector<Port> inputs_, outputs_;
  std::vector<Ref> input_refs_, output_refs_;
  std::vector<std::vector<T**>> input_readers_;  // per input: the addresses that follow it
  std::vector<Seen> seen_;
  std::vector<Ref> seen_values_, seen_gradients_;
  std::unique_ptr<RunState> run_;
  std::optional<LinearUnit<T>> linear_unit_;
};

}  // namespace fastgd
