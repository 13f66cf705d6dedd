// The parts of the module, one function per file.
#pragma once

#include <pybind11/pybind11.h>

namespace fastgd {

void bind_executor(pybind11::module_& m);
void bind_kernels(pybind11::module_& m);
void bind_runtime(pybind11::module_& m);

}  // namespace fastgd
