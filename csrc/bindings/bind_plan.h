// fastgd.plan's dataclasses as the engine's structs: the only translation between the two.
#pragma once

#include <pybind11/pybind11.h>

#include "bindings/host_function.h"
#include "engine/plan.h"
#include "engine/update_spec.h"

namespace fastgd {

// `functions`: takes up those that the plan calls.
Plan read_plan(const pybind11::object& plan, HostFunctions& functions);
UpdateSpec read_update(const pybind11::object& spec);

}  // namespace fastgd
