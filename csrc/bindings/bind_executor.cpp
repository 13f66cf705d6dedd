// The Executor of docs/ops.md over the engine: arrays checked and kept alive, the GIL released while it runs.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdlib>
#include <memory>

#include "base/subnormals.h"
#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/bind_plan.h"
#include "bindings/busy.h"
#include "engine/executor.h"

namespace fastgd {
namespace {

using Arrays = std::vector<py::array>;

Mode parse_mode(const std::string& mode) {
  if (mode == "train") return Mode::train;
  if (mode == "evaluate") return Mode::evaluate;
  if (mode == "predict") return Mode::predict;
  fail("`mode` must be 'train', 'evaluate' or 'predict'. Received: mode='", mode, "'");
}

// Floating-point operations per thread below which another thread does not pay: docs/performance.md.
double team_work() {
  const char* text = std::getenv("FASTGD_TEAM_WORK");
  return text == nullptr ? 2e5 : std::atof(text);
}

bool python_signals() {
  py::gil_scoped_acquire gil;
  const SubnormalScope ordinary(false);
  return PyErr_CheckSignals() != 0;
}

// Numerators and denominators.
py::array_t<double> to_array(const std::vector<Total>& totals, const std::vector<py::ssize_t>& shape) {
  py::array_t<double> array(shape);
  double* to = array.mutable_data();
  for (const Total& total : totals) *to++ = total.numerator, *to++ = total.denominator;
  return array;
}

// What is the same for both floating types.
class PyExecutor {
 public:
  virtual ~PyExecutor() = default;
  virtual std::string isa() const = 0;
  virtual void bind_parameters(const Arrays& arrays) = 0;
  virtual void bind_update(const py::object& spec, const Arrays& slots) = 0;
  virtual void begin(const std::string& mode, const std::vector<std::optional<py::array>>& feeds, Index batch_size,
                     std::optional<std::uint64_t> shuffle_seed, std::uint32_t epoch, std::uint64_t iteration,
                     const Arrays& outputs) = 0;
  virtual Index advance(Index max_batches, double max_seconds,
                        const std::optional<py::array_t<double, py::array::c_style>>& learning_rates) = 0;
  virtual py::array_t<double> totals() const = 0;
  virtual Index run_passes(Index max_passes, double max_seconds, double learning_rate) = 0;
  virtual py::array_t<double> pass_totals() const = 0;
  virtual std::uint64_t iteration() const = 0;
  virtual void update(const Arrays& gradients, double learning_rate, std::uint64_t iteration) = 0;
  virtual py::dict inspect(const std::vector<std::optional<py::array>>& feeds, bool training,
                           std::uint64_t iteration) = 0;

  // What the plan calls, for Python's search for circles: a model may keep an executor that calls one of its methods.
  HostFunctions functions;
};

template <class T>
class PyExecutorOf final : public PyExecutor {
 public:
  PyExecutorOf(Plan plan, const KernelTable& table) : executor_(std::move(plan), table, team_work()) {}

  std::string isa() const override { return executor_.table().name; }

  void bind_parameters(const Arrays& arrays) override {
    const auto hold = acquire();
    const auto& specs = executor_.plan().params;
    check(arrays.size() == specs.size(), "The plan has ", specs.size(), " parameters. Received: ", arrays.size(),
          " arrays");
    std::vector<T*> pointers;
    for (std::size_t i = 0; i < specs.size(); ++i)
      pointers.push_back(writeable_data<T>(arrays[i], specs[i].name, count(specs[i].shape)));
    executor_.bind_parameters(std::move(pointers));
    params_ = arrays;
  }

  void bind_update(const py::object& spec, const Arrays& slots) override {
    const auto hold = acquire();
    const UpdateSpec update = read_update(spec);
    check(slots.size() == update.slots.size(), "The rule '", update.rule, "' names ", update.slots.size(),
          " slots. Received: ", slots.size(), " arrays");
    std::vector<T*> pointers;
    for (std::size_t i = 0; i < slots.size(); ++i)
      pointers.push_back(writeable_data<T>(slots[i], update.slots[i], executor_.gradient_size()));
    executor_.bind_update(update, std::move(pointers));
    slots_ = slots;
  }

  void begin(const std::string& mode, const std::vector<std::optional<py::array>>& feeds, Index batch_size,
             std::optional<std::uint64_t> shuffle_seed, std::uint32_t epoch, std::uint64_t iteration,
             const Arrays& outputs) override {
    const auto hold = acquire();
    RunRequest request = read_feeds(feeds);
    request.mode = parse_mode(mode);
    request.batch_size = batch_size;
    request.shuffle = shuffle_seed.has_value();
    request.shuffle_seed = shuffle_seed.value_or(0);
    request.epoch = epoch;
    request.iteration = iteration;
    const auto& names = executor_.plan().outputs;
    for (std::size_t i = 0; i < outputs.size() && i < names.size(); ++i) {
      const TensorSpec& spec = tensor(names[i]);
      const Index per_sample = count(resolve(spec.shape, 1));
      const Index size = multiply(per_sample, request.rows);
      const bool integer = spec.dtype == "int32";
      auto* data = integer ? reinterpret_cast<std::byte*>(writeable_data<std::int32_t>(outputs[i], names[i], size))
                           : reinterpret_cast<std::byte*>(writeable_data<T>(outputs[i], names[i], size));
      const auto item = static_cast<Index>(integer ? sizeof(std::int32_t) : sizeof(T));
      request.sinks.push_back({data, per_sample * item});
    }
    executor_.begin(std::move(request));
    keep(feeds);
    outputs_ = outputs;
  }

  Index advance(Index max_batches, double max_seconds,
                const std::optional<py::array_t<double, py::array::c_style>>& learning_rates) override {
    const auto hold = acquire();
    std::span<const double> rates;
    if (learning_rates) rates = {learning_rates->data(), static_cast<std::size_t>(learning_rates->size())};
    return run([&] { return executor_.advance(max_batches, max_seconds, rates, &python_signals); });
  }

  py::array_t<double> totals() const override {
    return to_array(executor_.totals(), {static_cast<py::ssize_t>(executor_.totals().size()), 2});
  }

  Index run_passes(Index max_passes, double max_seconds, double learning_rate) override {
    const auto hold = acquire();
    return run([&] { return executor_.run_passes(max_passes, max_seconds, learning_rate, &python_signals); });
  }

  py::array_t<double> pass_totals() const override {
    const auto each = static_cast<py::ssize_t>(executor_.totals().size());
    const auto all = static_cast<py::ssize_t>(executor_.pass_totals().size());
    return to_array(executor_.pass_totals(), {each > 0 ? all / each : 0, each, 2});
  }

  std::uint64_t iteration() const override { return executor_.iteration(); }

  void update(const Arrays& gradients, double learning_rate, std::uint64_t iteration) override {
    const auto hold = acquire();
    std::vector<const ParamSpec*> trained;
    for (const ParamSpec& spec : executor_.plan().params)
      if (spec.trainable) trained.push_back(&spec);
    check(gradients.size() == trained.size(), "The plan has ", trained.size(),
          " trainable parameters. Received: ", gradients.size(), " gradients");
    std::vector<const T*> pointers;
    for (std::size_t i = 0; i < trained.size(); ++i)
      pointers.push_back(readable_data<T>(gradients[i], trained[i]->name, count(trained[i]->shape)));
    py::gil_scoped_release release;
    executor_.update(pointers, learning_rate, iteration);
  }

  py::dict inspect(const std::vector<std::optional<py::array>>& feeds, bool training,
                   std::uint64_t iteration) override {
    const auto hold = acquire();
    RunRequest request = read_feeds(feeds);
    request.mode = Mode::inspect;
    request.iteration = iteration;
    const Program<T>* const program = run([&] { return &executor_.inspect(std::move(request), training); });
    const Plan& plan = executor_.plan();
    const auto real = py::dtype::of<T>();
    py::dict result;
    const auto& seen = program->seen();
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const auto& s = seen[i];
      if (s.value == nullptr) continue;
      const std::string& name = plan.tensors[i].name;
      result[py::str(name)] = copy_out(s.value, s.shape, s.integer ? py::dtype::of<std::int32_t>() : real);
      const bool is_input = std::find(plan.inputs.begin(), plan.inputs.end(), name) != plan.inputs.end();
      if (is_input && s.gradient != nullptr) result[py::str("d:" + name)] = copy_out(s.gradient, s.shape, real);
    }
    if (!plan.losses.empty()) {
      for (std::size_t i = 0; i < plan.params.size(); ++i) {
        const Index offset = executor_.gradient_offsets()[i];
        if (offset < 0) continue;
        const T* gradient = executor_.gradients() + offset;
        result[py::str("d:" + plan.params[i].name)] =
            copy_out(reinterpret_cast<const std::byte*>(gradient), plan.params[i].shape, real);
      }
    }
    return result;
  }

 private:
  std::unique_ptr<Busy::Hold> acquire() {
    if (!busy_.try_acquire()) {
      py::gil_scoped_release release;
      busy_.wait();
    }
    return std::make_unique<Busy::Hold>(busy_);
  }

  // What f returns, which runs the executor without the GIL; throws the exception that an interrupt or an op has set.
  template <class F>
  auto run(const F& f) {
    const auto result = [&] {
      py::gil_scoped_release release;
      return f();
    }();
    if (executor_.interrupted()) throw py::error_already_set();
    return result;
  }

  const TensorSpec& tensor(const std::string& name) const {
    for (const TensorSpec& spec : executor_.plan().tensors)
      if (spec.name == name) return spec;
    fail("The plan has no tensor '", name, "'.");
  }

  RunRequest read_feeds(const std::vector<std::optional<py::array>>& feeds) const {
    const auto& names = executor_.plan().inputs;
    check(feeds.size() == names.size(), "The plan has ", names.size(), " inputs. Received: ", feeds.size(), " feeds");
    RunRequest request;
    for (std::size_t i = 0; i < feeds.size(); ++i) {
      request.feeds.push_back(feeds[i] ? as_feed(*feeds[i], names[i]) : Feed{});
      if (request.rows == 0) request.rows = request.feeds.back().rows;
    }
    return request;
  }

  void keep(const std::vector<std::optional<py::array>>& feeds) {
    feeds_.clear();
    for (const auto& feed : feeds)
      if (feed) feeds_.push_back(*feed);
  }

  Executor<T> executor_;
  Busy busy_;
  Arrays params_, slots_, feeds_, outputs_;
};

std::unique_ptr<PyExecutor> make_executor(const py::object& plan, const std::optional<std::string>& isa) {
  HostFunctions functions;
  Plan p = read_plan(plan, functions);
  const KernelTable& table = kernel_table(isa.value_or(""));
  check(p.dtype == "float32" || p.dtype == "float64",
        "The plan's dtype must be 'float32' or 'float64'. Received: dtype='", p.dtype, "'");
  std::unique_ptr<PyExecutor> made;
  if (p.dtype == "float32") {
    made = std::make_unique<PyExecutorOf<float>>(std::move(p), table);
  } else {
    made = std::make_unique<PyExecutorOf<double>>(std::move(p), table);
  }
  made->functions = std::move(functions);
  return made;
}

// The executor in a Python object; null while that is being made.
PyExecutor* executor_in(PyObject* self) {
  const auto holder = reinterpret_cast<py::detail::instance*>(self)->get_value_and_holder();
  return holder.holder_constructed() ? holder.value_ptr<PyExecutor>() : nullptr;
}

void let_python_find_circles(PyHeapTypeObject* heap_type) {
  PyTypeObject& type = heap_type->ht_type;
  type.tp_flags |= Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (const PyExecutor* executor = executor_in(self))
      for (const auto& function : executor->functions) Py_VISIT(function->held());
    return 0;
  };
  type.tp_clear = [](PyObject* self) {
    if (const PyExecutor* executor = executor_in(self))
      for (const auto& function : executor->functions) function->release();
    return 0;
  };
}

}  // namespace

void bind_executor(py::module_& m) {
  py::class_<PyExecutor>(m, "Executor", "Runs a plan natively. docs/ops.md, Executors, says what each method does.",
                         py::custom_type_setup(&let_python_find_circles))
      .def(py::init(&make_executor), py::arg("plan"), py::arg("isa") = py::none())
      .def_property_readonly("isa", &PyExecutor::isa, "The tier whose kernels run.")
      .def_property_readonly("iteration", &PyExecutor::iteration, "The number of updates done, counted on from begin.")
      .def("bind_parameters", &PyExecutor::bind_parameters, py::arg("arrays"))
      .def("bind_update", &PyExecutor::bind_update, py::arg("spec"), py::arg("slots"))
      .def("begin", &PyExecutor::begin, py::arg("mode"), py::arg("feeds"), py::arg("batch_size"),
           py::arg("shuffle_seed") = py::none(), py::arg("epoch") = 0, py::arg("iteration") = 0,
           py::arg("outputs") = py::tuple())
      .def("advance", &PyExecutor::advance, py::arg("max_batches"), py::arg("max_seconds"),
           py::arg("learning_rates") = py::none())
      .def("totals", &PyExecutor::totals)
      .def("run_passes", &PyExecutor::run_passes, py::arg("max_passes"), py::arg("max_seconds"),
           py::arg("learning_rate"))
      .def("pass_totals", &PyExecutor::pass_totals)
      .def("update", &PyExecutor::update, py::arg("gradients"), py::arg("learning_rate"), py::arg("iteration") = 0)
      .def("inspect", &PyExecutor::inspect, py::arg("feeds"), py::arg("training") = true, py::arg("iteration") = 0);
}

}  // namespace fastgd
