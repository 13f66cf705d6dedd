// Rewrites of a plan before it is compiled: steps that one op does better together.
#pragma once

#include "engine/plan.h"

namespace fastgd {

// The plan with steps merged whose tensor in between nobody else reads. Parameters, inputs, outputs and terms stay, and
// so do the tensors, some of which no step makes any more. The rewrite:
// - a `convolution` that is linear or ends with relu, and a `max_pool` of it: a `convolution` that pools, if a sample
//   fits a cache until it is pooled;
// - a `batch_normalization` or `group_normalization` and an `activation` of it: one that activates;
// - a sum or mean of the vectors of an `embedding` over their last axis: an `embedding` that pools them.
Plan fused(const Plan& plan);

}  // namespace fastgd
