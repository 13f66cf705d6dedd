// fastgd.plan's HostFunction for the engine: called with the GIL, on copies of the arrays.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <vector>

#include "base/host_function.h"

namespace fastgd {

// An exception in Python stays the error of the calling thread, to be thrown when that is back from the engine.
class PyHostFunction final : public HostFunction {
 public:
  explicit PyHostFunction(pybind11::object function);

  const std::string& name() const override { return name_; }
  const std::vector<Shape>& shapes() const override { return shapes_; }
  bool differentiable() const override { return differentiable_; }
  bool forward(std::span<const HostArray> x, std::span<const HostArray> y) noexcept override;
  bool backward(std::span<const HostArray> dy, std::span<const HostArray> y, std::span<const HostArray> x,
                std::span<const HostArray> dx) noexcept override;

  // For Python's search for circles: the object that is held, and letting it go.
  PyObject* held() const { return function_.ptr(); }
  void release() { function_ = pybind11::none(); }

 private:
  pybind11::object function_;
  std::string name_;
  std::vector<Shape> shapes_;
  bool differentiable_;
};

using HostFunctions = std::vector<std::shared_ptr<PyHostFunction>>;

}  // namespace fastgd
