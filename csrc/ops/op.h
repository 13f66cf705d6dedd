// The contract of an op: what it is built from, what it tells the engine, how it runs.
//
// An op is built once for a step of a plan at one batch size. Its constructor checks attributes and shapes
// (InvalidArgument, prefixed with the op's name by the registry) and fills `traits`. After that nothing can fail and
// nothing allocates.
//
// Said once for all ops:
// - forward overwrites its outputs; backward overwrites the gradients of its inputs (the engine adds where a tensor
// fans out);
// - the gradient of a parameter is overwritten or added to, as `dw_accumulate` says;
// - in training forward may change parameters that no optimizer trains (moving averages), once per batch: it then has
// to declare `couples_samples`, since it must see the whole batch;
// - a null pointer in dx or dw (and no sink) means that nobody needs that gradient; a null dy means that no gradient
// reaches that output;
// - buffers do not overlap, with one exception: the storage of dy belongs to the op during backward and may be
// overwritten;
// - all threads of the team call forward and backward together; the op shares the work through the Worker and calls
// sync() where one
//   thread reads what another wrote; the engine syncs before and after each call; the result does not depend on the
//   team's size.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/host_function.h"
#include "base/linear_steps.h"
#include "base/shape.h"
#include "base/types.h"
#include "dispatch/dispatch.h"
#include "threads/team.h"

namespace fastgd {

using Attribute = std::variant<bool, Index, double, std::string, std::vector<Index>, std::vector<double>,
                               std::shared_ptr<HostFunction>>;

// The attributes of a step. Remembers which were asked for, so that a misspelt one is an error and not silence.
class Attrs {
 public:
  Attrs() = default;
  explicit Attrs(std::map<std::string, Attribute> values) : values_(std::move(values)) {}

  bool flag(const std::string& name, bool missing) const;
  double real(const std::string& name, double missing) const;
  Index integer(const std::string& name) const;
  Index integer(const std::string& name, Index missing) const;
  std::string text(const std::string& name, const std::string& missing) const;
  Shape sizes(const std::string& name) const;
  bool given(const std::string& name) const { return find(name) != nullptr; }
  std::vector<double> reals(const std::string& name) const;
  std::shared_ptr<HostFunction> host_function(const std::string& name) const;

  // These and one more, or another value of it.
  Attrs with(const std::string& name, Attribute value) const;

  // Throws if an attribute was given that no getter asked for.
  void check_all_known() const;

 private:
  const Attribute* find(const std::string& name) const;
  std::map<std::string, Attribute> values_;
  mutable std::set<std::string> asked_;
};

struct TensorInfo {
  Shape shape;
  bool integer = false;  // int32 instead of the plan's floating type
};

// What a step gives the constructor of its op.
struct OpSetup {
  const Attrs& attrs;
  std::span<const TensorInfo> inputs;
  std::span<const Shape> params;
  Index batch;
  const KernelTable& table;

  void expect_inputs(std::size_t n) const;
  void expect_params(std::size_t least, std::size_t most) const;
};

// The penalty l1 sum |w| + l2 sum w^2 on a parameter, whose gradient is l1 sign(w) + 2 l2 w.
struct Penalty {
  double l1 = 0;
  double l2 = 0;
  bool operator==(const Penalty&) const = default;
};

// What the op tells the engine.
struct OpTraits {
  std::vector<TensorInfo> outputs;
  // The output is the input's storage under another shape: forward and backward are never called.
  bool view = false;
  // Whether a sample's outputs and gradients hang on other samples of the batch too. If not, the engine may run the op
  // over parts of a batch, built for the samples of each; parameter gradients then add up.
  bool couples_samples = false;
  // Whether backward exists, and what it reads besides dy: bit i stands for input or output i.
  bool differentiable = true;
  unsigned backward_reads_inputs = 0;
  unsigned backward_reads_outputs = 0;
  // Parameters, not trained ones, that forward changes when a plan is trained: see Call::written.
  unsigned writes_params = 0;
  // Whether those hold a state that goes on from batch to batch in evaluation and prediction as well.
  bool carries_state = false;
  // Parameters whose gradient backward can give away piece by piece instead of writing it to dw: see GradientSink.
  unsigned streams_params = 0;
  // Inputs that are int32; the others must not be, since they would be read as T. A view takes both.
  unsigned integer_inputs = 0;
  // Those among them of which forward reads and backward gives away only some rows, the others having the gradient 0:
  // see GradientSink::catch_up.
  unsigned sparse_params = 0;
  // Given where the output is this penalty on the only parameter: the engine may add its gradient in the update, and
  // leave backward out.
  std::optional<Penalty> penalty;
  // Whether a run can fail here: the op then sets `failed` of the RunState, on rank 0, and the engine ends the run
  // before anything is made of the outputs. Nothing is updated then, so parameters are not streamed beside such an op.
  bool may_fail = false;
  // Why a plan that needs a gradient through the op must be refused; empty where it need not be.
  std::string refuses_gradient;
  // Inputs that a gradient can flow to (targets take none).
  unsigned gradient_inputs = ~0u;
  // Bytes kept from forward to backward, and bytes needed only within one call.
  Index saved_bytes = 0;
  Index forward_scratch = 0;
  Index backward_scratch = 0;
  // Floating-point operations, to decide whether a team pays.
  double forward_work = 0;
  double backward_work = 0;
};

// What holds for every step of one batch.
struct RunState {
  bool training = false;
  bool differentiates = false;  // whether backward may follow: not in evaluation and prediction
  std::uint64_t iteration = 0;
  Index first_sample = 0;  // the place in its batch of the first sample that the op sees
  bool failed = false;     // set by an op, see OpTraits::may_fail
};

// Takes the gradient of one parameter as it comes, so that it need not travel through memory: elements
// begin .. begin + size, each element once. What happens to them is not the op's business, except that the parameter
// may change: backward has to be done with it before.
template <class T>
struct GradientSink {
  void (*take)(const GradientSink& self, Index begin, Index size, const T* gradient) noexcept = nullptr;
  // Null, or what forward has to call for all elements, in whole rows, that it reads and that backward will give away;
  // backward then leaves out the others, whose gradient is 0. They are updated when they are next read.
  void (*catch_up)(const GradientSink& self, Index begin, Index size) noexcept = nullptr;
  // Beside it: says that these elements come soon, whether to `catch_up` or to `take`. They lie too far apart for the
  // processor to know.
  void (*announce)(const GradientSink& self, Index begin, Index size) noexcept = nullptr;
  void* owner = nullptr;
  Index param = 0;

  void operator()(Index begin, Index size, const T* gradient) const noexcept { take(*this, begin, size, gradient); }
};

// The operands of one step. Integer tensors come through the same arrays: see `ints`.
template <class T>
struct Call {
  const Kernels<T>* kernels = nullptr;
  RunState* run = nullptr;
  const T* const* x = nullptr;
  T* const* y = nullptr;
  const T* const* w = nullptr;
  // Per parameter, those of traits.writes_params while training, or also in evaluation and prediction if the op carries
  // a state; else null, as in inspection.
  T* const* written = nullptr;
  T* const* dy = nullptr;
  T* const* dx = nullptr;
  T* const* dw = nullptr;
  const bool* dw_accumulate = nullptr;
  // Per parameter; where one is given, dw is null. In forward given where it has to catch up, else null.
  const GradientSink<T>* const* sinks = nullptr;
  std::byte* saved = nullptr;
  std::byte* scratch = nullptr;

  const std::int32_t* ints(int input) const { return reinterpret_cast<const std::int32_t*>(x[input]); }
  T* scratch_values() const { return reinterpret_cast<T*>(scratch); }
};

template <class T>
class Op {
 public:
  virtual ~Op() = default;
  virtual void forward(const Call<T>& c, const Worker& who) const noexcept = 0;
  virtual void backward(const Call<T>&, const Worker&) const noexcept {}

  // What an op is for a batch of one sample, so that the engine can do whole steps of a linear unit at once
  // (engine/linear_unit.h). Given by an op whose output is one number, x w + b; b is there if it has two parameters.
  virtual bool is_linear_unit() const noexcept { return false; }
  // Given by a loss of one number and a target of one number; its gradient is that by input 0.
  virtual std::optional<NumberLoss<T>> number_loss() const noexcept { return std::nullopt; }

  OpTraits traits;
};

template <class T>
using OpFactory = std::unique_ptr<Op<T>> (*)(const OpSetup& setup);

// The elementwise function that the text attribute `attribute` names ("linear" if it is missing), with its numbers,
// which are attributes too. Throws for an unknown name and for a missing number.
template <class T>
ActivationSpec<T> parse_activation(const Attrs& attrs, const std::string& attribute);

// The function of the attribute `activation`, for an op that applies it to its output in place and keeps no input of
// it. Throws also where the derivative does not follow from the output.
template <class T>
ActivationSpec<T> parse_fused_activation(const Attrs& attrs);

// Whether the derivative of a function is taken from its output; if not, from its input.
bool derives_from_output(Activation function);

}  // namespace fastgd
