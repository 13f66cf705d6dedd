// NumPy arrays as the engine sees them: every demand checked here, with the argument's name.
#include "bindings/arrays.h"

#include <cstring>

#include "base/check.h"

namespace fastgd {
namespace {

std::string type_name(const py::array& array) { return py::str(static_cast<const py::object&>(array.dtype())); }

Source source_of(const py::array& array, const std::string& name) {
  const py::dtype dtype = array.dtype();
  const char order = dtype.byteorder();
  const bool native = order == '=' || order == '|';
  const auto bytes = dtype.itemsize();
  if (native) {
    switch (dtype.kind()) {
      case 'f':
        if (bytes == 2) return Source::float16;
        if (bytes == 4) return Source::float32;
        if (bytes == 8) return Source::float64;
        break;
      case 'b':
        return Source::uint8;
      case 'i':
        return bytes == 1 ? Source::int8 : bytes == 2 ? Source::int16 : bytes == 4 ? Source::int32 : Source::int64;
      case 'u':
        return bytes == 1 ? Source::uint8 : bytes == 2 ? Source::uint16 : bytes == 4 ? Source::uint32 : Source::uint64;
      default:
        break;
    }
  }
  fail("`", name,
       "` must be an array of float16, float32, float64, integers or bool in native byte order. Received: dtype=",
       type_name(array));
}

// Texts are made only for errors: this runs on every call.
template <class T>
void check_exact(const py::array& array, const std::string& name, Index size) {
  if (!holds<T>(array))
    fail("`", name, "` must be an array of ", type_name(py::array_t<T>(py::ssize_t{0})),
         ". Received: dtype=", type_name(array));
  if ((array.flags() & py::array::c_style) == 0) fail("`", name, "` must be C-contiguous.");
  if (array.size() != size) fail("`", name, "` must have ", size, " elements. Received: ", array.size());
}

}  // namespace

Feed as_feed(const py::array& array, const std::string& name) {
  Feed feed;
  feed.source = source_of(array, name);
  check(array.ndim() >= 1, "`", name, "` must have at least one axis.");
  feed.data = static_cast<const std::byte*>(array.data());
  feed.rows = array.shape(0);
  feed.row_stride = array.strides(0);
  Index expected = array.itemsize();
  for (py::ssize_t axis = array.ndim() - 1; axis > 0; --axis) {
    if (array.shape(axis) != 1 && array.strides(axis) != expected) feed.contiguous = false;
    expected *= array.shape(axis);
  }
  for (py::ssize_t axis = 1; axis < array.ndim(); ++axis) {
    feed.shape.push_back(array.shape(axis));
    feed.strides.push_back(array.strides(axis));
  }
  feed.settle();
  return feed;
}

template <class T>
T* writeable_data(const py::array& array, const std::string& name, Index size) {
  check_exact<T>(array, name, size);
  check(array.writeable(), "`", name, "` must be writeable.");
  return static_cast<T*>(const_cast<void*>(array.data()));
}

template <class T>
const T* readable_data(const py::array& array, const std::string& name, Index size) {
  check_exact<T>(array, name, size);
  return static_cast<const T*>(array.data());
}

template float* writeable_data(const py::array&, const std::string&, Index);
template double* writeable_data(const py::array&, const std::string&, Index);
template std::int32_t* writeable_data(const py::array&, const std::string&, Index);
template const float* readable_data(const py::array&, const std::string&, Index);
template const double* readable_data(const py::array&, const std::string&, Index);
template const std::int32_t* readable_data(const py::array&, const std::string&, Index);

py::array copy_out(const std::byte* data, const Shape& shape, const py::dtype& dtype) {
  py::array array(dtype, std::vector<py::ssize_t>(shape.begin(), shape.end()));
  std::memcpy(array.mutable_data(), data, static_cast<std::size_t>(array.nbytes()));
  return array;
}

}  // namespace fastgd
