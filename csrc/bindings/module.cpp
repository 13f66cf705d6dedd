// The native module fastgd._core.
#include <pybind11/pybind11.h>

#include "bindings/bind.h"

PYBIND11_MODULE(_core, m) {
  m.doc() = "The native core of fastgd.";
  m.attr("__version__") = FASTGD_VERSION;
  fastgd::bind_executor(m);
  fastgd::bind_kernels(m);
  fastgd::bind_runtime(m);
}
