// Finding steps that can be merged.
#include "engine/fusion.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace fastgd {
namespace {

// How often each tensor is read: by steps, as an output, or by a term.
std::map<std::string, int> count_readers(const Plan& plan) {
  std::map<std::string, int> readers;
  for (const Step& step : plan.steps)
    for (const std::string& name : step.inputs) ++readers[name];
  for (const std::string& name : plan.outputs) ++readers[name];
  for (const auto* group : {&plan.losses, &plan.metrics}) {
    for (const Term& term : *group) {
      ++readers[term.tensor];
      if (term.sample_weight) ++readers[*term.sample_weight];
    }
  }
  return readers;
}

// Whether the step sums, or takes the mean of, the vectors along the axis before the last of `shape`.
bool pools_vectors(const Step& step, const Shape& shape) {
  if (step.op != "reduce" || shape.size() < 3 || shape[shape.size() - 2] < 1) return false;
  const std::string function = step.attrs.text("function", "");
  return (function == "sum" || function == "mean") && !step.attrs.flag("keepdims", false) &&
         step.attrs.sizes("axes") == Shape{static_cast<Index>(shape.size()) - 2};
}

// More bytes of a sample would not stay in a second cache until they are pooled.
constexpr Index kPooledBytes = 512 * 1024;

// `step` and the one before it, which makes its only input of shape `between`, as one step; nothing if they stay two.
std::optional<Step> merged(const Step& before, const Step& step, const Shape& between, Index element_bytes) {
  if (before.op == "embedding" && !before.attrs.given("pool") && pools_vectors(step, between))
    return Step{before.op, before.inputs, step.outputs, before.params,
                before.attrs.with("pool", step.attrs.text("function", ""))};
  if ((before.op == "batch_normalization" || before.op == "group_normalization") && !before.attrs.given("activation") &&
      step.op == "activation") {
    const std::string function = step.attrs.text("function", "linear");
    if (function != "relu" && function != "leaky_relu" && function != "sigmoid" && function != "tanh")
      return std::nullopt;
    Attrs attrs = before.attrs.with("activation", function);
    if (function == "leaky_relu") attrs = attrs.with("negative_slope", step.attrs.real("negative_slope", 0.0));
    return Step{before.op, before.inputs, step.outputs, before.params, attrs};
  }
  if (before.op == "convolution" && !before.attrs.given("pool_window") && step.op == "max_pool") {
    const std::string activation = before.attrs.text("activation", "linear");
    Index bytes = element_bytes;
    for (std::size_t i = 1; i < between.size(); ++i) bytes = multiply(bytes, between[i]);
    if ((activation != "linear" && activation != "relu") || bytes > kPooledBytes) return std::nullopt;
    Attrs attrs = before.attrs;
    for (const auto& [name, of_pool] :
         {std::pair{"pool_window", "window"}, std::pair{"pool_strides", "strides"},
          std::pair{"pool_before", "padding_before"}, std::pair{"pool_after", "padding_after"}})
      attrs = attrs.with(name, step.attrs.sizes(of_pool));
    return Step{before.op, before.inputs, step.outputs, before.params, attrs};
  }
  return std::nullopt;
}

}  // namespace

Plan fused(const Plan& plan) {
  Plan made = plan;
  const auto readers = count_readers(plan);
  std::map<std::string, const Shape*> shapes;
  for (const TensorSpec& spec : plan.tensors) shapes[spec.name] = &spec.shape;
  const Index element_bytes = plan.dtype == "float64" ? 8 : 4;
  std::map<std::string, std::size_t> makers;  // of tensors with one reader, the steps of `made`
  std::vector<bool> gone(made.steps.size());
  for (std::size_t i = 0; i < made.steps.size(); ++i) {
    Step& step = made.steps[i];
    const auto maker = step.inputs.size() == 1 ? makers.find(step.inputs[0]) : makers.end();
    if (maker != makers.end()) {
      const std::size_t before = maker->second;
      if (auto both = merged(made.steps[before], step, *shapes.at(step.inputs[0]), element_bytes)) {
        step = std::move(*both);
        gone[before] = true;
      }
    }
    if (step.outputs.size() != 1) continue;
    const auto read = readers.find(step.outputs[0]);
    if (read != readers.end() && read->second == 1) makers[step.outputs[0]] = i;
  }
  std::vector<Step> kept;
  for (std::size_t i = 0; i < made.steps.size(); ++i)
    if (!gone[i]) kept.push_back(std::move(made.steps[i]));
  made.steps = std::move(kept);
  return made;
}

}  // namespace fastgd
