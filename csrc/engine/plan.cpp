// Resolving the names of a plan, with every inconsistency refused.
#include "engine/plan.h"

#include <map>

namespace fastgd {
namespace {

constexpr int kUnset = -2;

template <class Spec>
std::map<std::string, int> positions(const std::vector<Spec>& specs, const char* what) {
  std::map<std::string, int> map;
  for (const Spec& spec : specs)
    check(map.emplace(spec.name, static_cast<int>(map.size())).second, "The plan names two ", what, " '", spec.name,
          "'.");
  return map;
}

int find(const std::map<std::string, int>& map, const std::string& name, const char* what) {
  const auto it = map.find(name);
  check(it != map.end(), "The plan uses an unknown ", what, " '", name, "'.");
  return it->second;
}

}  // namespace

Wiring::Wiring(const Plan& plan) {
  const auto tensors = positions(plan.tensors, "tensors");
  const auto params = positions(plan.params, "parameters");
  producer.assign(plan.tensors.size(), kUnset);
  for (const TensorSpec& t : plan.tensors)
    check(t.dtype == plan.dtype || t.dtype == "int32", "Tensor '", t.name, "' must be ", plan.dtype,
          " or int32. Received: dtype='", t.dtype, "'");
  const auto use = [&](const std::string& name) {
    const int id = find(tensors, name, "tensor");
    check(producer[static_cast<std::size_t>(id)] != kUnset, "The plan uses tensor '", name, "' before it is produced.");
    return id;
  };
  const auto produce = [&](const std::string& name, int step) {
    const int id = find(tensors, name, "tensor");
    check(producer[static_cast<std::size_t>(id)] == kUnset, "The plan produces tensor '", name, "' twice.");
    producer[static_cast<std::size_t>(id)] = step;
    return id;
  };
  for (const std::string& name : plan.inputs) {
    const int id = produce(name, -1);
    const Shape& shape = plan.tensors[static_cast<std::size_t>(id)].shape;
    check(!shape.empty() && shape[0] == -1, "Input '", name,
          "' must have the batch as its first axis. Received: shape=", to_string(shape));
    inputs.push_back(id);
  }
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    StepIds ids;
    for (const std::string& name : step.inputs) ids.inputs.push_back(use(name));
    for (const std::string& name : step.outputs) ids.outputs.push_back(produce(name, static_cast<int>(i)));
    for (const std::string& name : step.params) ids.params.push_back(find(params, name, "parameter"));
    steps.push_back(std::move(ids));
  }
  for (const std::string& name : plan.outputs) outputs.push_back(use(name));
  for (const auto* group : {&plan.losses, &plan.metrics}) {
    for (const Term& term : *group) {
      TermIds ids{use(term.tensor)};
      const TensorSpec& spec = plan.tensors[static_cast<std::size_t>(ids.tensor)];
      if (group == &plan.metrics && (spec.dtype == "int32" || term.columns != 1)) {
        const bool numbered = spec.dtype == "int32" && spec.shape.size() == 2 && spec.shape[0] == -1;
        check(term.columns >= 1 && (numbered || spec.shape == Shape{-1, term.columns}), "The metric '", term.name,
              "' needs ", term.columns, " values per sample, or int32 numbers of columns. Received: tensor '",
              spec.name, "' of shape ", to_string(spec.shape));
      } else {
        ids.whole_batch = group == &plan.losses && spec.shape == Shape{1} && !term.sample_weight;
        const bool fits = (spec.shape == Shape{-1} || ids.whole_batch) && spec.dtype == plan.dtype;
        check(fits && term.columns == 1, "The term '", term.name,
              "' needs one value per sample, or a loss without sample weights one for the batch. Received: tensor '",
              spec.name, "' of shape ", to_string(spec.shape));
      }
      if (term.sample_weight) {
        ids.sample_weight = use(*term.sample_weight);
        check(plan.tensors[static_cast<std::size_t>(ids.sample_weight)].shape == Shape{-1}, "The sample weight of '",
              term.name, "' needs one value per sample.");
      }
      terms.push_back(ids);
    }
  }
}

Index count_totals(const Plan& plan) {
  Index rows = 0;
  for (const auto* group : {&plan.losses, &plan.metrics})
    for (const Term& term : *group) rows += term.columns;
  return rows;
}

}  // namespace fastgd
