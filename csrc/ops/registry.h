// All ops by name.
#pragma once

#include "ops/op.h"

namespace fastgd {

// Builds the op called `name`; errors carry the prefix "[name] ".
template <class T>
std::unique_ptr<Op<T>> make_op(const std::string& name, const OpSetup& setup);

// The names of all ops, sorted.
std::vector<std::string> op_names();

}  // namespace fastgd
