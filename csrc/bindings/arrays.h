// NumPy arrays as the engine sees them: inputs of any numeric type, outputs checked and never converted.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "engine/executor.h"

namespace fastgd {

namespace py = pybind11;

// A data array as a feed: numeric or bool, native byte order, any strides. `name` is the argument in error messages.
Feed as_feed(const py::array& array, const std::string& name);

// Whether an array's dtype is T, in native byte order.
template <class T>
bool holds(const py::array& array) {
  // Almost always NumPy's own dtype, which is one object: comparing what dtypes mean takes five times as long.
  static const PyObject* const own = py::dtype::of<T>().release().ptr();
  return py::detail::array_proxy(array.ptr())->descr == own || py::isinstance<py::array_t<T>>(array);
}

// The data of an array that the engine writes: dtype T, C-contiguous, writeable, of exactly `size` elements.
template <class T>
T* writeable_data(const py::array& array, const std::string& name, Index size);

// The data of an array that is only read, with the same demands but for writing.
template <class T>
const T* readable_data(const py::array& array, const std::string& name, Index size);

// A new array of `shape` filled from `data`.
py::array copy_out(const std::byte* data, const Shape& shape, const py::dtype& dtype);

}  // namespace fastgd
