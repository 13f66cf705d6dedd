// What concerns the process and the machine: threads, tiers and probes.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "base/random.h"
#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "dispatch/dispatch.h"
#include "engine/probe.h"
#include "ops/registry.h"
#include "threads/team.h"

namespace fastgd {
namespace {

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const KernelTable* table : available_tables()) names.emplace_back(table->name);
  return names;
}

py::dict build_info() {
  py::dict info;
  info["compiler"] = FASTGD_COMPILER;
  info["openmp"] = openmp_runtime();
  info["version"] = FASTGD_VERSION;
  return info;
}

// Whether every element of a floating array is finite; arrays of integers always are.
bool all_finite(const py::array& array) {
  const Feed feed = as_feed(array, "array");
  py::gil_scoped_release release;
  return feed_is_finite(feed);
}

double measure_flops(const std::optional<std::string>& isa, const std::string& dtype, int threads, double seconds,
                     bool loads) {
  const KernelTable& table = kernel_table(isa.value_or(""));
  check(dtype == "float32" || dtype == "float64", "`dtype` must be 'float32' or 'float64'. Received: dtype='", dtype,
        "'");
  py::gil_scoped_release release;
  return dtype == "float32" ? peak_flops<float>(table, threads, seconds, loads)
                            : peak_flops<double>(table, threads, seconds, loads);
}

}  // namespace

void bind_runtime(py::module_& m) {
  m.def("get_num_threads", &num_threads, "The number of threads that a run may use.");
  m.def("set_num_threads", &set_num_threads, py::arg("num_threads"));
  m.def("available_threads", &available_threads, "The least of CPU affinity, cgroup quota and physical cores.");
  m.def("available_isas", &available_isas, "The tiers that this processor runs, best first.");
  m.def("isa", [] { return std::string(kernel_table().name); }, "The tier in use: FASTGD_ISA or the best.");
  m.def("build_info", &build_info);
  m.def("op_names", &op_names, "The ops that a plan may name.");
  m.def("all_finite", &all_finite, py::arg("array"));
  m.def(
      "permutation",
      [](Index n, std::uint64_t seed, std::uint32_t epoch) {
        const auto order = permutation(n, seed, epoch);
        return py::array_t<Index>(static_cast<py::ssize_t>(order.size()), order.data());
      },
      py::arg("n"), py::arg("seed"), py::arg("epoch"), "The shuffle of an epoch.");
  m.def("peak_flops", &measure_flops, py::arg("isa"), py::arg("dtype"), py::arg("threads"), py::arg("seconds"),
        py::arg("loads"), "Measures floating-point operations per second of multiply-adds.");
  m.def(
      "bandwidth",
      [](int threads, double seconds) {
        py::gil_scoped_release release;
        return bandwidth(threads, seconds);
      },
      py::arg("threads"), py::arg("seconds"),
      "Measures bytes per second of a triad out of cache, 12 bytes per element.");
}

}  // namespace fastgd
