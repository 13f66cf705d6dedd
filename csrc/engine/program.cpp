// A compiled program and its addresses.
#include "engine/program.h"

#include "engine/compiler.h"

namespace fastgd {

template <class T>
Program<T>::Program(const Plan& plan, const Wiring& wiring, const std::vector<Index>& gradient_offsets,
                    const KernelTable& table, Mode mode, Slice slice, double team_work, bool streams)
    : slice_(slice), run_(std::make_unique<RunState>()) {
  streamed_.assign(plan.params.size(), false);
  late_.assign(plan.params.size(), false);
  penalties_.assign(plan.params.size(), {});
  run_->training = mode == Mode::train;
  run_->differentiates = mode == Mode::train || mode == Mode::inspect;
  run_->first_sample = slice.first;
  Compiler<T>(*this, plan, wiring, gradient_offsets, table, mode, team_work, streams).compile();
}

template <class T>
T* Program<T>::resolve(Ref ref, std::byte* arena, const std::vector<T*>& params, T* gradients) const {
  switch (ref.kind) {
    case Ref::Kind::arena:
      return reinterpret_cast<T*>(arena + ref.at);
    case Ref::Kind::input:
      return resolve(input_refs_[static_cast<std::size_t>(ref.at)], arena, params, gradients);
    case Ref::Kind::param:
      return params[static_cast<std::size_t>(ref.at)];
    case Ref::Kind::gradient:
      return gradients + ref.at;
    default:
      return nullptr;
  }
}

template <class T>
void Program<T>::attach(std::byte* arena, const std::vector<T*>& params, T* gradients,
                        const std::vector<GradientSink<T>>& sinks) {
  const auto address = [&](Ref ref) { return resolve(ref, arena, params, gradients); };
  for (std::size_t i = 0; i < refs_.size(); ++i) addresses_[i] = address(refs_[i]);
  for (std::size_t i = 0; i < sinks_.size(); ++i)
    sinks_[i] = sink_params_[i] < 0 ? nullptr : &sinks[static_cast<std::size_t>(sink_params_[i])];
  const auto table = [&](Index begin) { return begin < 0 ? nullptr : addresses_.data() + begin; };
  const auto single = [&](Index begin) {
    return begin < 0 ? nullptr : reinterpret_cast<std::byte*>(addresses_[static_cast<std::size_t>(begin)]);
  };
  for (std::size_t i = 0; i < code_.size(); ++i) {
    const OperandRange& o = operands_[i];
    Call<T>& c = code_[i].call;
    c.x = table(o.x), c.y = table(o.y), c.w = table(o.w), c.written = table(o.written), c.dy = table(o.dy),
    c.dx = table(o.dx), c.dw = table(o.dw);
    c.saved = single(o.saved), c.scratch = single(o.scratch);
    c.sinks = o.sinks < 0 ? nullptr : sinks_.data() + o.sinks;
    c.dw_accumulate = o.flags < 0 ? nullptr : accumulate_.get() + o.flags;
  }
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    terms_[i].values = address(term_refs_[i].values);
    terms_[i].weights = address(term_refs_[i].weights);
    terms_[i].gradient = address(term_refs_[i].gradient);
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    inputs_[i].data = reinterpret_cast<std::byte*>(address(input_refs_[i]));
  input_readers_.assign(inputs_.size(), {});
  const auto follow = [&](Ref ref, T** reader) {
    if (ref.kind == Ref::Kind::input) input_readers_[static_cast<std::size_t>(ref.at)].push_back(reader);
  };
  for (std::size_t i = 0; i < refs_.size(); ++i) follow(refs_[i], &addresses_[i]);
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    follow(term_refs_[i].values, const_cast<T**>(&terms_[i].values));
    follow(term_refs_[i].weights, const_cast<T**>(&terms_[i].weights));
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    outputs_[i].data = reinterpret_cast<std::byte*>(address(output_refs_[i]));
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    seen_[i].value = reinterpret_cast<const std::byte*>(address(seen_values_[i]));
    seen_[i].gradient = reinterpret_cast<const std::byte*>(address(seen_gradients_[i]));
  }
}

template class Program<float>;
template class Program<double>;

}  // namespace fastgd
