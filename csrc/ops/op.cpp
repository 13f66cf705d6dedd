// Reading attributes and counting operands, for every op alike.
#include "ops/op.h"

namespace fastgd {

const Attribute* Attrs::find(const std::string& name) const {
  asked_.insert(name);
  const auto it = values_.find(name);
  return it == values_.end() ? nullptr : &it->second;
}

bool Attrs::flag(const std::string& name, bool missing) const {
  const Attribute* value = find(name);
  if (value == nullptr) return missing;
  const bool* flag = std::get_if<bool>(value);
  check(flag != nullptr, "attribute `", name, "` must be a bool");
  return *flag;
}

double Attrs::real(const std::string& name, double missing) const {
  const Attribute* value = find(name);
  if (value == nullptr) return missing;
  if (const double* number = std::get_if<double>(value)) return *number;
  const Index* whole = std::get_if<Index>(value);
  check(whole != nullptr, "attribute `", name, "` must be a number");
  return static_cast<double>(*whole);
}

Index Attrs::integer(const std::string& name) const {
  const Attribute* value = find(name);
  const Index* number = value == nullptr ? nullptr : std::get_if<Index>(value);
  check(number != nullptr, "attribute `", name, "` must be an integer");
  return *number;
}

std::string Attrs::text(const std::string& name, const std::string& missing) const {
  const Attribute* value = find(name);
  if (value == nullptr) return missing;
  const std::string* text = std::get_if<std::string>(value);
  check(text != nullptr, "attribute `", name, "` must be a string");
  return *text;
}

Shape Attrs::sizes(const std::string& name) const {
  const Attribute* value = find(name);
  const Shape* sizes = value == nullptr ? nullptr : std::get_if<Shape>(value);
  check(sizes != nullptr, "attribute `", name, "` must be a tuple of integers");
  return *sizes;
}

std::vector<double> Attrs::reals(const std::string& name) const {
  const Attribute* value = find(name);
  const auto* numbers = value == nullptr ? nullptr : std::get_if<std::vector<double>>(value);
  check(numbers != nullptr, "attribute `", name, "` must be a tuple of floats");
  return *numbers;
}

void Attrs::check_all_known() const {
  for (const auto& [name, value] : values_) check(asked_.contains(name), "unknown attribute `", name, "`");
}

void OpSetup::expect_inputs(std::size_t n) const {
  check(inputs.size() == n, "takes ", n, " inputs. Received: ", inputs.size());
}

void OpSetup::expect_params(std::size_t least, std::size_t most) const {
  check(params.size() >= least && params.size() <= most, "takes ", least, " to ", most,
        " parameters. Received: ", params.size());
}

Activation parse_activation(const std::string& name) {
  if (name == "linear") return Activation::linear;
  if (name == "sigmoid") return Activation::sigmoid;
  if (name == "tanh") return Activation::tanh;
  if (name == "relu") return Activation::relu;
  if (name == "leaky_relu") return Activation::leaky_relu;
  fail("unknown activation '", name, "'");
}

}  // namespace fastgd
