// Shapes and their products, with overflow refused.
#include "base/shape.h"

#include "base/check.h"

namespace fastgd {

Index multiply(Index a, Index b) {
  Index product = 0;
  check(!__builtin_mul_overflow(a, b, &product), "The size ", a, " * ", b, " does not fit into 64 bits.");
  return product;
}

Index count(std::span<const Index> shape) {
  Index n = 1;
  for (Index d : shape) n = multiply(n, d);
  return n;
}

std::tuple<Index, Index, Index> cut_around(std::span<const Index> shape, Index axis, Index axes) {
  check(axis >= 0 && axes >= 0 && axis <= static_cast<Index>(shape.size()) - axes, "`axis` must be an axis of ",
        to_string(shape), ". Received: axis=", axis);
  const auto first = static_cast<std::size_t>(axis), number = static_cast<std::size_t>(axes);
  return {count(shape.first(first)), count(shape.subspan(first, number)), count(shape.subspan(first + number))};
}

std::string to_string(std::span<const Index> shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

Shape resolve(std::span<const Index> shape, Index batch) {
  Shape sizes;
  sizes.reserve(shape.size());
  for (Index d : shape) sizes.push_back(d >= 0 ? d : multiply(-d, batch));
  return sizes;
}

}  // namespace fastgd
