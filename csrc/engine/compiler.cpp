// From a plan to a program: which steps run, which gradients flow, when each buffer lives.
#include "engine/compiler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/late_rows.h"
#include "ops/registry.h"

namespace fastgd {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

constexpr bool bit(unsigned mask, std::size_t i) { return i >= 32 ? mask == ~0u : (mask >> i & 1u) != 0; }

}  // namespace

template <class T>
Compiler<T>::Compiler(Program<T>& program, const Plan& plan, const Wiring& wiring,
                      const std::vector<Index>& gradient_offsets, const KernelTable& table, Mode mode, double team_work,
                      bool streams)
    : p_(program),
      plan_(plan),
      wiring_(wiring),
      gradient_offsets_(gradient_offsets),
      table_(table),
      kernels_(table.of<T>()),
      mode_(mode),
      team_work_(team_work),
      streams_(streams),
      needed_(plan.steps.size()),
      sampled_(plan.tensors.size()),
      joins_update_(plan.steps.size()),
      scaled_by_(plan.tensors.size(), -1),
      op_of_(plan.steps.size(), -1),
      wants_gradient_(plan.tensors.size()),
      value_(plan.tensors.size(), -1),
      gradient_(plan.tensors.size(), -1),
      saved_(plan.steps.size(), -1),
      param_touched_(plan.params.size()) {}

template <class T>
void Compiler<T>::compile() {
  find_needed_steps();
  build_ops();
  find_scaled_inputs();
  if (backward_wanted()) find_gradient_flow();
  if (mode_ == Mode::train && streams_) find_penalties();
  if (updates() && streams_) find_streams();
  emit_gather();
  emit_forward();
  if (gives_outputs()) emit_outputs();
  if (mode_ != Mode::predict) {
    emit_terms();
    if (backward_wanted()) emit_backward();
    if (updates()) {
      double parameters = 0;
      for (std::size_t i = 0; i < plan_.params.size(); ++i)
        if (gradient_offsets_[i] >= 0 && !p_.streamed_[i])
          parameters += static_cast<double>(count(plan_.params[i].shape));
      emit(Kind::update, kUpdateWork * parameters);
      double constrained = 0;
      for (const ParamSpec& spec : plan_.params)
        if (spec.trainable && spec.constraint) constrained += static_cast<double>(count(spec.shape));
      if (constrained > 0) emit(Kind::constrain, kUpdateWork * constrained);
    }
  }
  if (updates() && streams_) find_linear_unit();
  finish();
}

// A loss of parameters alone is left to the first slice of a batch.
template <class T>
bool Compiler<T>::takes_part(std::size_t term) const {
  const auto& ids = wiring_.terms[term];
  return !ids.whole_batch || p_.slice_.first == 0 || sampled_[at(ids.tensor)];
}

template <class T>
void Compiler<T>::find_needed_steps() {
  for (int t : wiring_.inputs) sampled_[at(t)] = true;
  for (const auto& ids : wiring_.steps) {
    const bool any = std::any_of(ids.inputs.begin(), ids.inputs.end(), [&](int t) { return sampled_[at(t)]; });
    for (int t : ids.outputs) sampled_[at(t)] = any;
  }
  std::vector<bool> wanted(plan_.tensors.size());
  if (gives_outputs())
    for (int t : wiring_.outputs) wanted[at(t)] = true;
  if (mode_ != Mode::predict) {
    for (std::size_t i = 0; i < wiring_.terms.size(); ++i) {
      const auto& term = wiring_.terms[i];
      if (!takes_part(i)) continue;
      p_.couples_samples_ = p_.couples_samples_ || (term.whole_batch && sampled_[at(term.tensor)]);
      wanted[at(term.tensor)] = true;
      if (term.sample_weight >= 0) wanted[at(term.sample_weight)] = true;
    }
  }
  if (mode_ == Mode::inspect) std::fill(wanted.begin(), wanted.end(), true);
  for (std::size_t s = plan_.steps.size(); s-- > 0;) {
    const auto& ids = wiring_.steps[s];
    needed_[s] = std::any_of(ids.outputs.begin(), ids.outputs.end(), [&](int t) { return wanted[at(t)]; });
    if (!needed_[s]) continue;
    for (int t : ids.inputs) wanted[at(t)] = true;
  }
  info_.resize(plan_.tensors.size());
  for (std::size_t i = 0; i < plan_.inputs.size(); ++i) {
    const int t = wiring_.inputs[i];
    const TensorSpec& spec = plan_.tensors[at(t)];
    info_[at(t)] = {resolve(spec.shape, p_.slice_.rows), spec.dtype == "int32"};
    if (wanted[at(t)])
      p_.inputs_.push_back({static_cast<int>(i), info_[at(t)].integer, count(info_[at(t)].shape), info_[at(t)].shape});
  }
}

template <class T>
void Compiler<T>::build_ops() {
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    if (!needed_[s]) continue;
    const Step& step = plan_.steps[s];
    std::vector<TensorInfo> inputs;
    std::vector<Shape> params;
    for (int t : wiring_.steps[s].inputs) inputs.push_back(info_[at(t)]);
    for (int w : wiring_.steps[s].params) params.push_back(plan_.params[at(w)].shape);
    auto op = make_op<T>(step.op, {step.attrs, inputs, params, p_.slice_.rows, table_});
    const auto& outputs = op->traits.outputs;
    check(outputs.size() >= step.outputs.size(), "[", step.op, "] gives ", outputs.size(),
          " outputs. Received: ", step.outputs.size());
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      const int t = wiring_.steps[s].outputs[i];
      const TensorSpec& spec = plan_.tensors[at(t)];
      const Shape declared = resolve(spec.shape, p_.slice_.rows);
      check(outputs[i].shape == declared && outputs[i].integer == (spec.dtype == "int32"), "[", step.op, "] gives ",
            to_string(outputs[i].shape), " where the plan declares ", to_string(declared), " for '", spec.name, "'");
      info_[at(t)] = outputs[i];
    }
    for (std::size_t i = 0; i < inputs.size(); ++i)
      check(op->traits.view || inputs[i].integer == bit(op->traits.integer_inputs, i), "[", step.op, "] takes ",
            inputs[i].integer ? "floating numbers" : "integers", ". Received: tensor '", step.inputs[i], "'");
    const auto& used = wiring_.steps[s].params;
    for (std::size_t i = 0; i < used.size(); ++i)
      check(!bit(op->traits.writes_params, i) || gradient_offsets_[at(used[i])] < 0, "[", step.op,
            "] writes the parameter '", plan_.params[at(used[i])].name, "', which must not be trainable");
    op_of_[s] = static_cast<int>(p_.ops_.size());
    p_.couples_samples_ = p_.couples_samples_ || op->traits.couples_samples;
    p_.may_fail_ = p_.may_fail_ || op->traits.may_fail;
    p_.ops_.push_back(std::move(op));
  }
}

// How many steps, losses, metrics and outputs read each tensor in this mode.
template <class T>
std::vector<int> Compiler<T>::count_readers() const {
  std::vector<int> readers(plan_.tensors.size());
  for (std::size_t s = 0; s < plan_.steps.size(); ++s)
    if (needed_[s])
      for (int t : wiring_.steps[s].inputs) ++readers[at(t)];
  if (mode_ == Mode::predict) {
    for (int t : wiring_.outputs) ++readers[at(t)];
    return readers;
  }
  for (const auto& term : wiring_.terms) {
    ++readers[at(term.tensor)];
    if (term.sample_weight >= 0) ++readers[at(term.sample_weight)];
  }
  return readers;
}

// An input that nothing reads but a `rescale` by two numbers is scaled while it is gathered: the step is left out, and
// ops know nothing of it. Inspection shows the input as well.
template <class T>
void Compiler<T>::find_scaled_inputs() {
  if (mode_ == Mode::inspect) return;
  const std::vector<int> readers = count_readers();
  // Numbers that a step moves, or that are trained, have to be read when the step runs.
  std::vector<bool> moves(plan_.params.size());
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    if (!needed_[s]) continue;
    const auto& ids = wiring_.steps[s].params;
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (bit(p_.ops_[at(op_of_[s])]->traits.writes_params, i)) moves[at(ids[i])] = true;
  }
  const auto fixed = [&](int param) { return !moves[at(param)] && gradient_offsets_[at(param)] < 0; };
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    const auto& ids = wiring_.steps[s];
    if (!needed_[s] || plan_.steps[s].op != "rescale" || plan_.steps[s].attrs.given("axis")) continue;
    const int x = ids.inputs[0];
    if (wiring_.producer[at(x)] < 0 && readers[at(x)] == 1 && fixed(ids.params[0]) && fixed(ids.params[1]))
      scaled_by_[at(x)] = static_cast<int>(s);
  }
}

template <class T>
void Compiler<T>::find_gradient_flow() {
  if (mode_ == Mode::inspect)
    for (int t : wiring_.inputs) wants_gradient_[at(t)] = !info_[at(t)].integer;
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    if (!needed_[s]) continue;
    const OpTraits& traits = p_.ops_[at(op_of_[s])]->traits;
    if (!traits.differentiable) continue;
    const auto& ids = wiring_.steps[s];
    bool flows =
        std::any_of(ids.params.begin(), ids.params.end(), [&](int w) { return gradient_offsets_[at(w)] >= 0; });
    for (std::size_t i = 0; i < ids.inputs.size(); ++i)
      flows = flows || (bit(traits.gradient_inputs, i) && wants_gradient_[at(ids.inputs[i])]);
    for (int t : ids.outputs) wants_gradient_[at(t)] = flows && !info_[at(t)].integer;
  }
}

// A penalty that only its own loss reads has the same slope in every batch: the update adds its gradient where it
// visits the parameter anyway, and the parameter can still be streamed.
template <class T>
void Compiler<T>::find_penalties() {
  const std::vector<int> readers = count_readers();
  for (std::size_t i = 0; i < plan_.losses.size(); ++i) {
    const Term& term = plan_.losses[i];
    const int tensor = wiring_.terms[i].tensor, step = wiring_.producer[at(tensor)];
    if (step < 0 || !needed_[at(step)] || readers[at(tensor)] > 1 || term.reduction != Reduction::sum) continue;
    const auto& penalty = p_.ops_[at(op_of_[at(step)])]->traits.penalty;
    if (!penalty) continue;
    const int param = wiring_.steps[at(step)].params[0];
    joins_update_[at(step)] = true;
    wants_gradient_[at(tensor)] = false;
    if (gradient_offsets_[at(param)] < 0) continue;
    p_.penalties_[at(param)].l1 += term.weight * penalty->l1;
    p_.penalties_[at(param)].l2 += term.weight * penalty->l2;
  }
}

// A parameter that only one step uses can be updated as its gradient comes, if one comes. That step reads it before.
template <class T>
void Compiler<T>::find_streams() {
  // What is updated on the way could not be taken back.
  if (p_.may_fail_) return;
  std::vector<bool> reached(plan_.tensors.size());
  for (std::size_t i = 0; i < plan_.losses.size(); ++i)
    if (plan_.losses[i].weight != 0) reached[at(wiring_.terms[i].tensor)] = true;
  const auto any_reached = [&](const std::vector<int>& tensors) {
    return std::any_of(tensors.begin(), tensors.end(), [&](int t) { return reached[at(t)]; });
  };
  for (std::size_t s = plan_.steps.size(); s-- > 0;) {
    const auto& ids = wiring_.steps[s];
    if (!needed_[s] || !any_reached(ids.outputs)) continue;
    const OpTraits& traits = p_.ops_[at(op_of_[s])]->traits;
    for (std::size_t i = 0; i < ids.inputs.size(); ++i)
      if (traits.differentiable && bit(traits.gradient_inputs, i)) reached[at(ids.inputs[i])] = true;
  }
  std::vector<int> uses(plan_.params.size()), reads(plan_.params.size());
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    if (!needed_[s]) continue;
    for (int w : wiring_.steps[s].params) {
      ++reads[at(w)];
      if (!joins_update_[s]) ++uses[at(w)];
    }
  }
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    if (!needed_[s] || joins_update_[s] || !any_reached(wiring_.steps[s].outputs)) continue;
    const OpTraits& traits = p_.ops_[at(op_of_[s])]->traits;
    const auto& ids = wiring_.steps[s].params;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const ParamSpec& param = plan_.params[at(ids[i])];
      p_.streamed_[at(ids[i])] =
          uses[at(ids[i])] == 1 && bit(traits.streams_params, i) && gradient_offsets_[at(ids[i])] >= 0;
      // Nobody else may look at the parameter, not even a penalty or a constraint.
      p_.late_[at(ids[i])] = p_.streamed_[at(ids[i])] && bit(traits.sparse_params, i) && reads[at(ids[i])] == 1 &&
                             !param.constraint && LateRows<T>::pays(param.shape[0], param.shape[1]);
    }
  }
}

template <class T>
Index Compiler<T>::tensor_size(int tensor) const {
  return count(info_[at(tensor)].shape);
}

template <class T>
Index Compiler<T>::tensor_bytes(int tensor) const {
  return multiply(tensor_size(tensor), info_[at(tensor)].integer ? sizeof(std::int32_t) : sizeof(T));
}

template <class T>
int Compiler<T>::new_buffer(Index bytes) {
  buffers_.push_back({bytes, position_, position_});
  return static_cast<int>(buffers_.size()) - 1;
}

template <class T>
void Compiler<T>::use(int buffer) {
  buffers_[at(buffer)].last = std::max(buffers_[at(buffer)].last, position_);
}

template <class T>
typename Compiler<T>::Operands& Compiler<T>::emit(Kind kind, double work) {
  Instruction<T> instruction{};
  instruction.kind = kind;
  instruction.work = work;
  // Terms add up in one order and outputs are one copy each: rank 0 does both.
  instruction.team = p_.slice_.whole() && work >= 2 * team_work_ && kind != Kind::terms && kind != Kind::scatter;
  instruction.call.kernels = &kernels_;
  instruction.call.run = p_.run_.get();
  p_.code_.push_back(instruction);
  p_.operands_.push_back({-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1});
  return p_.operands_.back();
}

template <class T>
Index Compiler<T>::push(const std::vector<Ref>& refs) {
  const auto begin = static_cast<Index>(p_.refs_.size());
  p_.refs_.insert(p_.refs_.end(), refs.begin(), refs.end());
  return begin;
}

// Views of an input are read where it lies.
template <class T>
Ref Compiler<T>::value_ref(int tensor) const {
  const int buffer = value_[at(tensor)];
  return at(buffer) < p_.inputs_.size() ? Ref{Ref::Kind::input, buffer} : arena_ref(buffer);
}

template <class T>
void Compiler<T>::emit_gather() {
  double bytes = 0;
  for (Port& port : p_.inputs_) {
    const int t = wiring_.inputs[at(port.position)];
    value_[at(t)] = new_buffer(tensor_bytes(t));
    if (const int step = scaled_by_[at(t)]; step >= 0) {
      const auto& ids = wiring_.steps[at(step)];
      port.scale = ids.params[0], port.offset = ids.params[1];
      value_[at(ids.outputs[0])] = value_[at(t)];
    }
    p_.input_refs_.push_back(arena_ref(value_[at(t)]));
    port.movable = port.scale < 0 && mode_ != Mode::inspect;
    bytes += static_cast<double>(tensor_bytes(t));
  }
  // A byte that is gathered costs about as much as ten operations.
  emit(Kind::gather, 10 * bytes);
  ++position_;
}

template <class T>
void Compiler<T>::emit_forward() {
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    if (!needed_[s]) continue;
    const Op<T>& op = *p_.ops_[at(op_of_[s])];
    const auto& ids = wiring_.steps[s];
    if (!ids.inputs.empty() && scaled_by_[at(ids.inputs[0])] == static_cast<int>(s)) continue;
    if (op.traits.view) {
      value_[at(ids.outputs[0])] = value_[at(ids.inputs[0])];
      continue;
    }
    std::vector<Ref> x, y, w, written;
    for (int t : ids.inputs) {
      use_value(t);
      x.push_back(value_ref(t));
    }
    for (std::size_t i = 0; i < op.traits.outputs.size(); ++i) {
      // An output that the plan leaves out is written all the same, and dies at once.
      const TensorInfo& out = op.traits.outputs[i];
      const int buffer = new_buffer(multiply(count(out.shape), out.integer ? sizeof(std::int32_t) : sizeof(T)));
      if (i < ids.outputs.size()) value_[at(ids.outputs[i])] = buffer;
      y.push_back(arena_ref(buffer));
    }
    for (std::size_t i = 0; i < ids.params.size(); ++i) {
      const Ref param{Ref::Kind::param, ids.params[i]};
      w.push_back(param);
      const bool moves = mode_ == Mode::train || (mode_ != Mode::inspect && op.traits.carries_state);
      written.push_back(moves && bit(op.traits.writes_params, i) ? param : Ref{});
    }
    const auto sinks = static_cast<Index>(p_.sink_params_.size());
    double work = op.traits.forward_work;
    for (int i : ids.params) {
      p_.sink_params_.push_back(p_.late_[at(i)] ? i : -1);
      // In the long run every row is updated once per batch.
      if (p_.late_[at(i)]) work += kUpdateWork * static_cast<double>(count(plan_.params[at(i)].shape));
    }
    Operands& o = emit(Kind::forward, work);
    p_.code_.back().op = &op;
    o.x = push(x), o.y = push(y), o.w = push(w), o.written = push(written), o.sinks = sinks;
    if (op.traits.saved_bytes > 0) {
      saved_[s] = new_buffer(op.traits.saved_bytes);
      o.saved = push({arena_ref(saved_[s])});
    }
    if (op.traits.forward_scratch > 0) o.scratch = push({arena_ref(new_buffer(op.traits.forward_scratch))});
    ++position_;
  }
}

template <class T>
void Compiler<T>::emit_terms() {
  Index columns = 0;
  for (std::size_t i = 0; i < wiring_.terms.size(); ++i) {
    const bool metric = i >= plan_.losses.size();
    const Term& term = metric ? plan_.metrics[i - plan_.losses.size()] : plan_.losses[i];
    const auto& ids = wiring_.terms[i];
    typename Program<T>::TermRefs refs;
    if (takes_part(i)) {
      use_value(ids.tensor);
      refs.values = value_ref(ids.tensor);
    }
    if (ids.sample_weight >= 0) {
      use_value(ids.sample_weight);
      refs.weights = value_ref(ids.sample_weight);
    }
    if (backward_wanted() && !metric && term.weight != 0 && wants_gradient_[at(ids.tensor)]) {
      check(gradient_[at(ids.tensor)] < 0, "Two losses read the same tensor '", term.tensor, "'.");
      gradient_[at(ids.tensor)] = new_buffer(tensor_bytes(ids.tensor));
      refs.gradient = arena_ref(gradient_[at(ids.tensor)]);
    }
    p_.term_refs_.push_back(refs);
    TermCode<T> code;
    code.weight = term.weight, code.reduction = term.reduction, code.metric = metric;
    code.whole_batch = ids.whole_batch;
    code.numbered = info_[at(ids.tensor)].integer;
    code.tabular = code.numbered || term.columns != 1;
    code.columns = term.columns, code.first = columns;
    if (code.tabular) code.width = info_[at(ids.tensor)].shape[1];
    columns += term.columns;
    p_.terms_.push_back(code);
  }
  p_.totals_.resize(static_cast<std::size_t>(columns));
  emit(Kind::terms, 0);
  ++position_;
}

template <class T>
void Compiler<T>::emit_backward() {
  for (std::size_t s = plan_.steps.size(); s-- > 0;)
    if (needed_[s]) emit_backward_step(s);
}

template <class T>
int Compiler<T>::gradient_target(int tensor, std::vector<std::pair<int, int>>& adds) {
  int& total = gradient_[at(tensor)];
  const int buffer = new_buffer(tensor_bytes(tensor));
  if (total < 0) {
    total = buffer;
  } else {
    adds.emplace_back(tensor, buffer);
  }
  return buffer;
}

template <class T>
void Compiler<T>::emit_backward_step(std::size_t s) {
  const Op<T>& op = *p_.ops_[at(op_of_[s])];
  const OpTraits& traits = op.traits;
  const auto& ids = wiring_.steps[s];
  const bool reached =
      std::any_of(ids.outputs.begin(), ids.outputs.end(), [&](int t) { return gradient_[at(t)] >= 0; });
  if (!reached || !traits.differentiable || !wants_gradient_[at(ids.outputs[0])]) return;
  if (!traits.refuses_gradient.empty()) fail("[", plan_.steps[s].op, "] ", traits.refuses_gradient);
  std::vector<std::pair<int, int>> adds;  // tensor whose gradient grows, buffer to add
  if (traits.view) {
    const int from = gradient_[at(ids.outputs[0])];
    int& to = gradient_[at(ids.inputs[0])];
    if (!wants_gradient_[at(ids.inputs[0])]) return;
    if (to < 0) {
      to = from;
    } else {
      adds.emplace_back(ids.inputs[0], from);
    }
  } else {
    std::vector<Ref> x, y, w, dy, dx, dw;
    for (std::size_t i = 0; i < ids.inputs.size(); ++i) {
      const bool read = bit(traits.backward_reads_inputs, i);
      if (read) use_value(ids.inputs[i]);
      x.push_back(read ? value_ref(ids.inputs[i]) : Ref{});
    }
    for (std::size_t i = 0; i < ids.outputs.size(); ++i) {
      const int t = ids.outputs[i];
      const bool read = bit(traits.backward_reads_outputs, i);
      if (read) use_value(t);
      y.push_back(read ? value_ref(t) : Ref{});
      if (gradient_[at(t)] >= 0) use(gradient_[at(t)]);
      dy.push_back(gradient_[at(t)] >= 0 ? arena_ref(gradient_[at(t)]) : Ref{});
    }
    // Outputs that the plan leaves out.
    y.resize(traits.outputs.size());
    dy.resize(traits.outputs.size());
    for (std::size_t i = 0; i < ids.inputs.size(); ++i) {
      const bool flows = bit(traits.gradient_inputs, i) && wants_gradient_[at(ids.inputs[i])];
      dx.push_back(flows ? arena_ref(gradient_target(ids.inputs[i], adds)) : Ref{});
    }
    const auto flags = static_cast<Index>(flags_.size());
    const auto sinks = static_cast<Index>(p_.sink_params_.size());
    for (int i : ids.params) {
      const Index offset = gradient_offsets_[at(i)];
      w.push_back({Ref::Kind::param, i});
      dw.push_back(offset >= 0 && !p_.streamed_[at(i)] ? Ref{Ref::Kind::gradient, offset} : Ref{});
      p_.sink_params_.push_back(p_.streamed_[at(i)] ? i : -1);
      flags_.push_back(param_touched_[at(i)]);
      param_touched_[at(i)] = true;
    }
    Operands& o = emit(Kind::backward, traits.backward_work);
    p_.code_.back().op = &op;
    o.x = push(x), o.y = push(y), o.w = push(w), o.dy = push(dy), o.dx = push(dx), o.dw = push(dw), o.flags = flags,
    o.sinks = sinks;
    if (saved_[s] >= 0) {
      use(saved_[s]);
      o.saved = push({arena_ref(saved_[s])});
    }
    if (traits.backward_scratch > 0) o.scratch = push({arena_ref(new_buffer(traits.backward_scratch))});
    ++position_;
  }
  for (const auto& [tensor, buffer] : adds) {
    use(buffer);
    use(gradient_[at(tensor)]);
    Operands& o = emit(Kind::add, static_cast<double>(tensor_size(tensor)));
    p_.code_.back().size = tensor_size(tensor);
    o.x = push({arena_ref(buffer)});
    o.y = push({arena_ref(gradient_[at(tensor)])});
    ++position_;
  }
}

template <class T>
void Compiler<T>::emit_outputs() {
  for (std::size_t i = 0; i < wiring_.outputs.size(); ++i) {
    const int t = wiring_.outputs[i];
    use_value(t);
    p_.outputs_.push_back({static_cast<int>(i), info_[at(t)].integer, tensor_size(t), info_[at(t)].shape});
    const Ref value = value_ref(t);
    if (value.kind == Ref::Kind::input) p_.inputs_[at(static_cast<int>(value.at))].movable = false;
    p_.output_refs_.push_back(value);
  }
  emit(Kind::scatter, 0);
  ++position_;
}

// One sample, one linear unit and the loss of its number, with nothing beside them.
template <class T>
void Compiler<T>::find_linear_unit() {
  std::vector<std::size_t> steps;
  for (std::size_t s = 0; s < plan_.steps.size(); ++s)
    if (needed_[s] && !p_.ops_[at(op_of_[s])]->traits.view) steps.push_back(s);
  if (steps.size() != 2 || wiring_.terms.size() != 1) return;
  const auto &unit = wiring_.steps[steps[0]], &loss = wiring_.steps[steps[1]];
  const auto number = p_.ops_[at(op_of_[steps[1]])]->number_loss();
  if (!p_.ops_[at(op_of_[steps[0]])]->is_linear_unit() || !number) return;
  const auto input = [&](int tensor) -> std::optional<std::size_t> {
    const Ref value = value_ref(tensor);
    if (value.kind != Ref::Kind::input || !p_.inputs_[at(static_cast<int>(value.at))].movable) return std::nullopt;
    return static_cast<std::size_t>(value.at);
  };
  const auto x = input(unit.inputs[0]), t = input(loss.inputs[1]);
  const auto& term = wiring_.terms[0];
  const bool chained = value_[at(loss.inputs[0])] == value_[at(unit.outputs[0])] && term.tensor == loss.outputs[0];
  if (!x || !t || !chained || term.sample_weight >= 0 || term.whole_batch || plan_.losses.empty()) return;
  for (const int w : unit.params)
    if (gradient_offsets_[at(w)] < 0 || plan_.params[at(w)].constraint) return;
  if (!p_.streamed_[at(unit.params[0])]) return;
  const int bias = unit.params.size() == 2 ? unit.params[1] : -1;
  p_.linear_unit_ = LinearUnit<T>{
      *number, static_cast<T>(plan_.losses[0].weight), tensor_size(unit.inputs[0]), *x, *t, unit.params[0], bias};
}

template <class T>
void Compiler<T>::finish() {
  if (mode_ == Mode::inspect) {
    for (Lifetime& b : buffers_) b = {b.bytes, 0, position_};
    for (std::size_t t = 0; t < plan_.tensors.size(); ++t) {
      p_.seen_.push_back({nullptr, nullptr, info_[t].shape, info_[t].integer});
      p_.seen_values_.push_back(value_[t] >= 0 ? arena_ref(value_[t]) : Ref{});
      p_.seen_gradients_.push_back(gradient_[t] >= 0 ? arena_ref(gradient_[t]) : Ref{});
    }
  }
  const ArenaLayout layout = lay_out(buffers_);
  p_.arena_bytes_ = layout.bytes;
  const auto place = [&](Ref& ref) {
    if (ref.kind == Ref::Kind::arena) ref.at = layout.offsets[at(static_cast<int>(ref.at))];
  };
  for (auto* refs : {&p_.refs_, &p_.input_refs_, &p_.output_refs_, &p_.seen_values_, &p_.seen_gradients_})
    std::for_each(refs->begin(), refs->end(), place);
  for (auto& term : p_.term_refs_) place(term.values), place(term.weights), place(term.gradient);
  p_.addresses_.resize(p_.refs_.size());
  p_.sinks_.resize(p_.sink_params_.size());
  p_.accumulate_ = std::make_unique<bool[]>(flags_.size());
  std::copy(flags_.begin(), flags_.end(), p_.accumulate_.get());
  // Between two instructions of rank 0 nobody else has to wait, unless the run may end there.
  double widest = 0;
  for (std::size_t i = 0; i < p_.code_.size(); ++i) {
    if (p_.code_[i].op != nullptr) p_.work_ += p_.code_[i].work;
    const bool next_team = i + 1 == p_.code_.size() || p_.code_[i + 1].team;
    const bool may_fail = p_.code_[i].op != nullptr && p_.code_[i].op->traits.may_fail;
    p_.code_[i].sync_after = p_.code_[i].team || next_team || may_fail;
    widest = std::max(widest, p_.code_[i].work);
  }
  const double threads = team_work_ > 0 ? widest / team_work_ : std::numeric_limits<int>::max();
  p_.useful_threads_ = threads >= 1024 ? 1024 : std::max(1, static_cast<int>(threads));
}

template class Compiler<float>;
template class Compiler<double>;

}  // namespace fastgd
