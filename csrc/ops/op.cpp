// Reading attributes and counting operands, for every op alike.
#include "ops/op.h"

#include <algorithm>
#include <cmath>

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

Index Attrs::integer(const std::string& name, Index missing) const {
  return find(name) == nullptr ? missing : integer(name);
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

std::shared_ptr<HostFunction> Attrs::host_function(const std::string& name) const {
  const Attribute* value = find(name);
  const auto* function = value == nullptr ? nullptr : std::get_if<std::shared_ptr<HostFunction>>(value);
  check(function != nullptr, "attribute `", name, "` must be a function");
  return *function;
}

Attrs Attrs::with(const std::string& name, Attribute value) const {
  auto values = values_;
  values.insert_or_assign(name, std::move(value));
  return Attrs(std::move(values));
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

namespace {

struct ActivationEntry {
  const char* name;
  bool from_output;
  std::vector<const char*> numbers;
};

// In the order of the enumeration.
const std::vector<ActivationEntry>& activation_entries() {
  constexpr bool output = true, input = false;
#define FASTGD_ENTRY(name, source, ...) {#name, source, {__VA_ARGS__}},
  static const std::vector<ActivationEntry> entries = {FASTGD_ACTIVATIONS(FASTGD_ENTRY)};
#undef FASTGD_ENTRY
  return entries;
}

}  // namespace

template <class T>
ActivationSpec<T> parse_activation(const Attrs& attrs, const std::string& attribute) {
  const std::string name = attrs.text(attribute, "linear");
  const auto& entries = activation_entries();
  const auto entry =
      std::find_if(entries.begin(), entries.end(), [&](const ActivationEntry& known) { return name == known.name; });
  check(entry != entries.end(), "unknown activation '", name, "'");
  T values[3] = {};
  for (std::size_t i = 0; i < entry->numbers.size(); ++i) {
    const double value = attrs.real(entry->numbers[i], std::nan(""));
    check(!std::isnan(value), "the function ", name, " needs the attribute `", entry->numbers[i], "`");
    values[i] = static_cast<T>(value);
  }
  return {static_cast<Activation>(entry - entries.begin()), values[0], values[1], values[2]};
}

template ActivationSpec<float> parse_activation(const Attrs&, const std::string&);
template ActivationSpec<double> parse_activation(const Attrs&, const std::string&);

bool derives_from_output(Activation function) {
  return activation_entries()[static_cast<std::size_t>(function)].from_output;
}

template <class T>
ActivationSpec<T> parse_fused_activation(const Attrs& attrs) {
  const ActivationSpec<T> activation = parse_activation<T>(attrs, "activation");
  check(derives_from_output(activation.function), "`activation` must be a function whose derivative follows from ",
        "its output. Received: activation='", attrs.text("activation", ""), "'");
  return activation;
}

template ActivationSpec<float> parse_fused_activation(const Attrs&);
template ActivationSpec<double> parse_fused_activation(const Attrs&);

}  // namespace fastgd
