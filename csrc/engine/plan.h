// The plan as the engine reads it: the same names as python/fastgd/plan.py, which explains them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/constraint.h"
#include "ops/op.h"

namespace fastgd {

struct TensorSpec {
  std::string name;
  Shape shape;  // negative sizes are multiples of the batch
  std::string dtype;
};

struct ParamSpec {
  std::string name;
  Shape shape;
  bool trainable = true;
  std::optional<ConstraintSpec> constraint;
};

struct Step {
  std::string op;
  std::vector<std::string> inputs, outputs, params;
  Attrs attrs;
};

enum class Reduction { sum_over_batch_size, sum };

struct Term {
  std::string name;
  std::string tensor;
  double weight = 1.0;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::optional<std::string> sample_weight;
  Index columns = 1;  // the numerators of a metric
};

struct Plan {
  std::string dtype;
  std::vector<TensorSpec> tensors;
  std::vector<ParamSpec> params;
  std::vector<Step> steps;
  std::vector<std::string> inputs, outputs;
  std::vector<Term> losses, metrics;
};

// A plan with names replaced by positions, checked: every name known, every tensor produced once and before its use.
struct Wiring {
  struct StepIds {
    std::vector<int> inputs, outputs, params;
  };
  struct TermIds {
    int tensor = -1;
    int sample_weight = -1;    // -1: none
    bool whole_batch = false;  // one value for the batch instead of one per sample
  };
  std::vector<StepIds> steps;
  std::vector<int> inputs, outputs;
  std::vector<TermIds> terms;  // losses, then metrics
  std::vector<int> producer;   // of each tensor: its step, or -1 for an input

  explicit Wiring(const Plan& plan);
};

// The rows of the totals: one per loss and one per column of each metric.
Index count_totals(const Plan& plan);

}  // namespace fastgd
