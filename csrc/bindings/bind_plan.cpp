// fastgd.plan's dataclasses as the engine's structs, field by field.
#include "bindings/bind_plan.h"

#include <pybind11/stl.h>

#include <algorithm>

#include "base/check.h"

namespace fastgd {
namespace {

namespace py = pybind11;

Attribute read_attribute(const py::handle& value, HostFunctions& functions) {
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>();
  // Seeds are unsigned 64-bit numbers; their bits are kept.
  if (py::isinstance<py::int_>(value)) {
    const auto number = py::reinterpret_borrow<py::int_>(value);
    if (number > py::int_(std::numeric_limits<Index>::max())) return static_cast<Index>(value.cast<std::uint64_t>());
    return value.cast<Index>();
  }
  if (py::isinstance<py::float_>(value)) return value.cast<double>();
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  if (py::isinstance<py::tuple>(value)) {
    const auto numbers = py::reinterpret_borrow<py::tuple>(value);
    const bool real = std::any_of(numbers.begin(), numbers.end(), [](auto v) { return py::isinstance<py::float_>(v); });
    if (real) return value.cast<std::vector<double>>();
    return value.cast<Shape>();
  }
  if (py::hasattr(value, "forward") && py::hasattr(value, "backward")) {
    functions.push_back(std::make_shared<PyHostFunction>(py::reinterpret_borrow<py::object>(value)));
    return std::shared_ptr<HostFunction>(functions.back());
  }
  fail("An attribute must be a bool, a number, a string, a tuple of numbers or a HostFunction. Received: ",
       std::string(py::str(py::type::of(value))));
}

std::vector<Term> read_terms(const py::handle& terms) {
  std::vector<Term> all;
  for (const py::handle& t : terms) {
    Term term;
    term.name = t.attr("name").cast<std::string>();
    term.tensor = t.attr("tensor").cast<std::string>();
    term.weight = t.attr("weight").cast<double>();
    term.sample_weight = t.attr("sample_weight").cast<std::optional<std::string>>();
    term.columns = t.attr("columns").cast<Index>();
    const auto reduction = t.attr("reduction").cast<std::string>();
    check(reduction == "sum" || reduction == "sum_over_batch_size", "The reduction of '", term.name,
          "' must be 'sum' or 'sum_over_batch_size'. Received: reduction='", reduction, "'");
    term.reduction = reduction == "sum" ? Reduction::sum : Reduction::sum_over_batch_size;
    all.push_back(std::move(term));
  }
  return all;
}

std::optional<ConstraintSpec> read_constraint(const py::object& c) {
  if (c.is_none()) return std::nullopt;
  return ConstraintSpec{c.attr("kind").cast<std::string>(), c.attr("axes").cast<Shape>(),
                        c.attr("low").cast<double>(),       c.attr("high").cast<double>(),
                        c.attr("rate").cast<double>(),      c.attr("epsilon").cast<double>()};
}

}  // namespace

Plan read_plan(const py::object& plan, HostFunctions& functions) {
  using Names = std::vector<std::string>;
  Plan p;
  p.dtype = plan.attr("dtype").cast<std::string>();
  for (const py::handle& t : plan.attr("tensors"))
    p.tensors.push_back(
        {t.attr("name").cast<std::string>(), t.attr("shape").cast<Shape>(), t.attr("dtype").cast<std::string>()});
  for (const py::handle& w : plan.attr("params"))
    p.params.push_back({w.attr("name").cast<std::string>(), w.attr("shape").cast<Shape>(),
                        w.attr("trainable").cast<bool>(), read_constraint(w.attr("constraint"))});
  for (const py::handle& s : plan.attr("steps")) {
    std::map<std::string, Attribute> attrs;
    for (const py::handle& item : s.attr("attrs").attr("items")()) {
      const auto pair = item.cast<py::tuple>();
      attrs.emplace(pair[0].cast<std::string>(), read_attribute(pair[1], functions));
    }
    p.steps.push_back({s.attr("op").cast<std::string>(), s.attr("inputs").cast<Names>(),
                       s.attr("outputs").cast<Names>(), s.attr("params").cast<Names>(), Attrs(std::move(attrs))});
  }
  p.inputs = plan.attr("inputs").cast<Names>();
  p.outputs = plan.attr("outputs").cast<Names>();
  p.losses = read_terms(plan.attr("losses"));
  p.metrics = read_terms(plan.attr("metrics"));
  return p;
}

UpdateSpec read_update(const py::object& spec) {
  UpdateSpec u;
  u.rule = spec.attr("rule").cast<std::string>();
  for (const py::handle& item : spec.attr("hyper").attr("items")()) {
    const auto pair = item.cast<py::tuple>();
    u.hyper.emplace(pair[0].cast<std::string>(), pair[1].cast<double>());
  }
  u.slots = spec.attr("slots").cast<std::vector<std::string>>();
  u.undecayed = spec.attr("undecayed").cast<std::vector<Index>>();
  return u;
}

}  // namespace fastgd
