// Finding steps that can be merged.
#include "engine/fusion.h"

#include <algorithm>
#include <map>

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

}  // namespace

Plan fused(const Plan& plan) {
  Plan made = plan;
  const auto readers = count_readers(plan);
  std::map<std::string, const Shape*> shapes;
  for (const TensorSpec& spec : plan.tensors) shapes[spec.name] = &spec.shape;
  std::map<std::string, std::size_t> embeddings;  // by their outputs, the steps of `made`
  std::vector<bool> gone(made.steps.size());
  for (std::size_t i = 0; i < made.steps.size(); ++i) {
    Step& step = made.steps[i];
    if (step.op == "embedding" && !step.attrs.given("pool") && step.outputs.size() == 1)
      embeddings[step.outputs[0]] = i;
    if (step.inputs.size() != 1) continue;
    const auto found = embeddings.find(step.inputs[0]);
    if (found == embeddings.end() || readers.at(step.inputs[0]) != 1 ||
        !pools_vectors(step, *shapes.at(step.inputs[0])))
      continue;
    const Step& embedding = made.steps[found->second];
    const Attrs attrs = embedding.attrs.with("pool", step.attrs.text("function", ""));
    step = {embedding.op, embedding.inputs, step.outputs, embedding.params, attrs};
    gone[found->second] = true;
  }
  std::vector<Step> kept;
  for (std::size_t i = 0; i < made.steps.size(); ++i)
    if (!gone[i]) kept.push_back(std::move(made.steps[i]));
  made.steps = std::move(kept);
  return made;
}

}  // namespace fastgd
