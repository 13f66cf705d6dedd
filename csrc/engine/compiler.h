// From a plan to a program: which steps run, which gradients flow, when each buffer lives.
#pragma once

#include "engine/memory.h"
#include "engine/program.h"

namespace fastgd {

template <class T>
class Compiler {
 public:
  Compiler(Program<T>& program, const Plan& plan, const Wiring& wiring, const std::vector<Index>& gradient_offsets,
           const KernelTable& table, Mode mode, double team_work, bool streams);

  void compile();

 private:
  using Kind = typename Instruction<T>::Kind;
  using Operands = typename Program<T>::OperandRange;

  bool backward_wanted() const { return mode_ == Mode::train || mode_ == Mode::inspect; }
  bool updates() const { return mode_ == Mode::train && p_.slice_.whole(); }
  bool gives_outputs() const { return !plan_.outputs.empty() && (mode_ == Mode::predict || mode_ == Mode::train); }
  void find_needed_steps();
  void build_ops();
  bool takes_part(std::size_t term) const;
  void find_gradient_flow();
  std::vector<int> count_readers() const;
  void find_scaled_inputs();
  void find_penalties();
  void find_streams();
  void emit_gather();
  void emit_forward();
  void emit_terms();
  void emit_backward();
  void emit_backward_step(std::size_t step);
  void emit_outputs();
  void find_linear_unit();
  void finish();

  // Buffers of the arena, by number.
  int new_buffer(Index bytes);
  void use(int buffer);
  void use_value(int tensor) { use(value_[static_cast<std::size_t>(tensor)]); }
  Ref arena_ref(int buffer) const { return {Ref::Kind::arena, buffer}; }
  Ref value_ref(int tensor) const;
  Index tensor_bytes(int tensor) const;
  Index tensor_size(int tensor) const;

  Operands& emit(Kind kind, double work);
  Index push(const std::vector<Ref>& refs);
  // Makes the gradient of `tensor` receive another contribution: returns the buffer that the step writes.
  int gradient_target(int tensor, std::vector<std::pair<int, int>>& adds);

  Program<T>& p_;
  const Plan& plan_;
  const Wiring& wiring_;
  const std::vector<Index>& gradient_offsets_;
  const KernelTable& table_;
  const Kernels<T>& kernels_;
  const Mode mode_;
  const double team_work_;
  const bool streams_;

  std::vector<bool> needed_;           // steps
  std::vector<bool> sampled_;          // tensors that hang on the samples, not on parameters alone
  std::vector<bool> joins_update_;     // steps that are penalties whose gradient the update adds
  std::vector<int> scaled_by_;         // inputs' tensors -> the steps done while they are gathered, -1: none
  std::vector<TensorInfo> info_;       // tensors, sizes for this batch
  std::vector<int> op_of_;             // steps -> ops, -1 where skipped
  std::vector<bool> wants_gradient_;   // tensors
  std::vector<int> value_, gradient_;  // tensors -> buffers, -1: none yet
  std::vector<int> saved_;             // steps -> buffers
  std::vector<bool> param_touched_;    // parameters whose gradient has been written in this pass
  std::vector<Lifetime> buffers_;      // the inputs' come first, in the order of their ports
  std::vector<bool> flags_;
  Index position_ = 0;
};

}  // namespace fastgd
