// fastgd.plan's HostFunction for the engine: called with the GIL, on copies of the arrays.
#include "bindings/host_function.h"

#include <pybind11/stl.h>

#include <cstring>

#include "base/subnormals.h"
#include "bindings/arrays.h"

namespace fastgd {
namespace {

py::dtype dtype_of(Source type) {
  if (type == Source::int32) return py::dtype::of<std::int32_t>();
  return type == Source::float32 ? py::dtype::of<float>() : py::dtype::of<double>();
}

// Copies, because users keep what they are given, and the engine's memory is used again. Zeros where there is none.
py::tuple copies(std::span<const HostArray> arrays) {
  py::tuple made(arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const HostArray& a = arrays[i];
    if (a.data != nullptr) {
      made[i] = copy_out(static_cast<const std::byte*>(a.data), a.shape, dtype_of(a.type));
    } else {
      py::array zeros(dtype_of(a.type), std::vector<py::ssize_t>(a.shape.begin(), a.shape.end()));
      std::memset(zeros.mutable_data(), 0, static_cast<std::size_t>(zeros.nbytes()));
      made[i] = std::move(zeros);
    }
  }
  return made;
}

py::tuple shapes_of(std::span<const HostArray> arrays) {
  py::tuple shapes(arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) shapes[i] = py::tuple(py::cast(arrays[i].shape));
  return shapes;
}

// The results, whose shapes and types Python has seen to, into the engine's memory; None is 0 everywhere.
void store(const py::sequence& results, std::span<const HostArray> arrays) {
  check(results.size() == arrays.size(), "[numpy_function] needs ", arrays.size(),
        " results. Received: ", results.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const HostArray& to = arrays[i];
    if (to.data == nullptr) continue;
    const py::object result = results[i];
    const Index size = count(to.shape);
    const bool single = to.type == Source::float32;
    const auto bytes = static_cast<std::size_t>(multiply(size, single ? sizeof(float) : sizeof(double)));
    if (result.is_none()) {
      std::memset(to.data, 0, bytes);
      continue;
    }
    const auto array = result.cast<py::array>();
    const void* from = single ? static_cast<const void*>(readable_data<float>(array, "result", size))
                              : static_cast<const void*>(readable_data<double>(array, "result", size));
    if (bytes > 0) std::memcpy(to.data, from, bytes);
  }
}

template <class F>
bool with_python(F&& work) noexcept {
  py::gil_scoped_acquire gil;
  const SubnormalScope ordinary(false);
  try {
    work();
    return true;
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return false;
}

}  // namespace

PyHostFunction::PyHostFunction(py::object function)
    : function_(std::move(function)),
      name_(function_.attr("name").cast<std::string>()),
      shapes_(function_.attr("shapes").cast<std::vector<Shape>>()),
      differentiable_(!function_.attr("backward").is_none()) {}

bool PyHostFunction::forward(std::span<const HostArray> x, std::span<const HostArray> y) noexcept {
  return with_python([&] { store(function_.attr("forward")(copies(x), shapes_of(y)), y); });
}

bool PyHostFunction::backward(std::span<const HostArray> dy, std::span<const HostArray> y, std::span<const HostArray> x,
                              std::span<const HostArray> dx) noexcept {
  return with_python([&] { store(function_.attr("backward")(copies(dy), copies(y), copies(x)), dx); });
}

}  // namespace fastgd
