// A function of arrays that the engine is given from outside, such as one written in Python.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/shape.h"
#include "base/types.h"

namespace fastgd {

// An array that such a function reads or fills: C-contiguous float32, float64 or int32.
struct HostArray {
  Shape shape;
  Source type = Source::float32;
  // Null where there is none: a gradient that does not arrive, or that nobody needs.
  void* data = nullptr;
};

class HostFunction {
 public:
  virtual ~HostFunction() = default;
  // For messages.
  virtual const std::string& name() const = 0;
  // The shapes of the outputs; negative sizes are multiples of the batch.
  virtual const std::vector<Shape>& shapes() const = 0;
  virtual bool differentiable() const = 0;
  // Both are called by the thread that called the engine. False means an error, which is left where that thread's own
  // caller finds it; what they should have filled is then undefined.
  virtual bool forward(std::span<const HostArray> x, std::span<const HostArray> y) noexcept = 0;
  virtual bool backward(std::span<const HostArray> dy, std::span<const HostArray> y, std::span<const HostArray> x,
                        std::span<const HostArray> dx) noexcept = 0;
};

}  // namespace fastgd
