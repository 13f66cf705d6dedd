// The raw kernels on NumPy arrays, for people who measure: checked, never converted, the GIL released.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <map>

#include "base/buffer.h"
#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "dispatch/dispatch.h"
#include "ops/matmul.h"
#include "ops/registry.h"
#include "threads/team.h"

namespace fastgd {
namespace {

// Elements that a thread must have before another one pays.
constexpr Index kElementsPerThread = 1 << 16;
constexpr double kWorkPerThread = 5e5;

int threads_for(double pieces) {
  return std::max(1, std::min(num_threads(), static_cast<int>(std::min(pieces, 1024.0))));
}

bool is_double(const py::array& x, const std::string& name) {
  if (holds<double>(x)) return true;
  if (!holds<float>(x))
    fail("`", name, "` must be an array of float32 or float64. Received: dtype=",
         std::string(py::str(static_cast<const py::object&>(x.dtype()))));
  return false;
}

template <class T>
void elementary_of(const std::string& name, const py::array& x, const py::array& out, const std::string& isa) {
  const Kernels<T>& k = kernel_table(isa).of<T>();
  const Index n = x.size();
  const T* in = readable_data<T>(x, "x", n);
  T* y = writeable_data<T>(out, "out", n);
  void (*f)(Index, const T*, T*) noexcept = nullptr;
  if (name == "exp") f = k.exp;
  if (name == "log") f = k.log;
  if (name == "tanh") f = k.tanh;
  if (name == "sigmoid") f = k.sigmoid;
  check(f != nullptr, "`name` must be 'exp', 'log', 'tanh' or 'sigmoid'. Received: name='", name, "'");
  py::gil_scoped_release release;
  run_team(threads_for(static_cast<double>(n / kElementsPerThread)), [&](const Worker& who) {
    const Range part = who.share(n, 64);
    f(part.size(), in + part.begin, y + part.begin);
  });
}

void elementary(const std::string& name, const py::array& x, const py::array& out,
                const std::optional<std::string>& isa) {
  if (is_double(x, "x")) return elementary_of<double>(name, x, out, isa.value_or(""));
  elementary_of<float>(name, x, out, isa.value_or(""));
}

template <class T>
void matmul_of(const py::array& a, const py::array& b, const py::array& out, const ProductShape& s,
               const std::string& isa) {
  const Kernels<T>& k = kernel_table(isa).of<T>();
  const T* x = readable_data<T>(a, "a", s.m * s.k);
  const T* y = readable_data<T>(b, "b", s.k * s.n);
  T* c = writeable_data<T>(out, "out", s.m * s.n);
  py::gil_scoped_release release;
  const Product<T> product(k, s);
  // Kept between calls: a fresh buffer costs a page fault for every page.
  thread_local Buffer scratch;
  if (scratch.size() < product.scratch_bytes()) scratch = Buffer(product.scratch_bytes());
  T* const space = reinterpret_cast<T*>(scratch.data());
  run_team(threads_for(product.work() / kWorkPerThread),
           [&](const Worker& who) { product.run(k, x, y, c, false, {}, space, who); });
}

void matmul(const py::array& a, const py::array& b, const py::array& out, bool transpose_a, bool transpose_b,
            const std::optional<std::string>& isa) {
  for (const auto& [array, name] : {std::pair<const py::array&, const char*>(a, "a"), {b, "b"}, {out, "out"}})
    check(array.ndim() == 2, "`", name, "` must have two axes. Received: ", array.ndim());
  const ProductShape s{a.shape(transpose_a ? 1 : 0), b.shape(transpose_b ? 0 : 1), a.shape(transpose_a ? 0 : 1),
                       transpose_a, transpose_b};
  const Index depth = b.shape(transpose_b ? 1 : 0);
  check(depth == s.k, "`a` and `b` do not fit: they are summed over ", s.k, " and ", depth, " elements.");
  check(out.shape(0) == s.m && out.shape(1) == s.n, "`out` must have the shape (", s.m, ", ", s.n, "). Received: (",
        out.shape(0), ", ", out.shape(1), ")");
  if (is_double(a, "a")) return matmul_of<double>(a, b, out, s, isa.value_or(""));
  matmul_of<float>(a, b, out, s, isa.value_or(""));
}

// Which of the arrays x, w and y of a convolution is computed from the other two.
enum class Target { output, data, weights };

struct ConvolutionCall {
  std::string op;
  Target target;
  Attrs attrs;
};

Shape shape_of(const py::array& array) { return {array.shape(), array.shape() + array.ndim()}; }

// The gradients are those of the op itself, with its packing and its fixed order of sums.
template <class T>
void convolution_of(const ConvolutionCall& call, const py::array& x, const py::array& w, const py::array& y,
                    const std::string& isa) {
  const KernelTable& table = kernel_table(isa);
  const TensorInfo input{shape_of(x)};
  const Shape kernel = shape_of(w), output = shape_of(y);
  check(!input.shape.empty(), "`x` must have a first axis of samples.");
  const auto op = make_op<T>(call.op, {call.attrs, {&input, 1}, {&kernel, 1}, input.shape[0], table});
  const OpTraits& traits = op->traits;
  check(output == traits.outputs[0].shape, "`", call.target == Target::output ? "out" : "dy", "` must have the shape ",
        to_string(traits.outputs[0].shape), ". Received: ", to_string(output));
  const auto data = [&](const py::array& array, Target target, const char* read, Index size) {
    return call.target == target ? writeable_data<T>(array, "out", size)
                                 : const_cast<T*>(readable_data<T>(array, read, size));
  };
  T* const px = data(x, Target::data, "x", count(input.shape));
  T* const pw = data(w, Target::weights, "w", count(kernel));
  T* const py_ = data(y, Target::output, "dy", count(output));
  py::gil_scoped_release release;
  const Index bytes = std::max(traits.forward_scratch, traits.backward_scratch);
  thread_local Buffer scratch;
  if (scratch.size() < bytes) scratch = Buffer(bytes);
  RunState run;
  run.training = true;
  T* const dx = call.target == Target::data ? px : nullptr;
  T* const dw = call.target == Target::weights ? pw : nullptr;
  const bool accumulate = false;
  const GradientSink<T>* const sink = nullptr;
  T* const written = nullptr;
  Call<T> c;
  c.kernels = &table.of<T>(), c.run = &run;
  c.x = &px, c.w = &pw, c.y = &py_, c.written = &written;
  c.dy = &py_, c.dx = &dx, c.dw = &dw, c.dw_accumulate = &accumulate, c.sinks = &sink;
  c.scratch = scratch.data();
  run_team(threads_for(traits.forward_work / kWorkPerThread), [&](const Worker& who) {
    if (call.target == Target::output) {
      op->forward(c, who);
    } else {
      op->backward(c, who);
    }
  });
}

void convolution(const std::string& op, const std::string& target, const py::array& x, const py::array& w,
                 const py::array& y, const std::map<std::string, Shape>& windows, std::optional<Index> groups,
                 const std::optional<std::string>& isa) {
  std::map<std::string, Attribute> attrs(windows.begin(), windows.end());
  if (groups) attrs.emplace("groups", *groups);
  const ConvolutionCall call{op,
                             target == "output" ? Target::output
                             : target == "data" ? Target::data
                                                : Target::weights,
                             Attrs(attrs)};
  const bool reads_w = call.target != Target::weights;
  if (is_double(reads_w ? w : x, reads_w ? "w" : "x")) return convolution_of<double>(call, x, w, y, isa.value_or(""));
  convolution_of<float>(call, x, w, y, isa.value_or(""));
}

// Runs work(kernels, begin, size) over the shares of n elements.
template <class T, class F>
void each_share(Index n, F work) {
  const Kernels<T>& k = kernel_table().of<T>();
  py::gil_scoped_release release;
  run_team(threads_for(static_cast<double>(n / kElementsPerThread)), [&](const Worker& who) {
    const Range part = who.share(n, 64);
    if (part.size() > 0) work(k, part.begin, part.size());
  });
}

template <class T>
void adam_of(const py::array& w, const py::array& g, const py::array& m, const py::array& v, double step, double rate,
             double beta_1, double beta_2, double epsilon) {
  const Index n = w.size();
  T* pw = writeable_data<T>(w, "w", n);
  const T* pg = readable_data<T>(g, "g", n);
  T* pm = writeable_data<T>(m, "m", n);
  T* pv = writeable_data<T>(v, "v", n);
  const double corrected = rate * std::sqrt(1 - std::pow(beta_2, step)) / (1 - std::pow(beta_1, step));
  each_share<T>(n, [=](const Kernels<T>& k, Index at, Index size) {
    k.adam(size, static_cast<T>(corrected), static_cast<T>(1 - beta_1), static_cast<T>(1 - beta_2),
           static_cast<T>(epsilon), pg + at, pw + at, pm + at, pv + at);
  });
}

void adam_update(const py::array& w, const py::array& g, const py::array& m, const py::array& v, Index step,
                 double rate, double beta_1, double beta_2, double epsilon) {
  check(step >= 1, "`step` counts from 1. Received: step=", step);
  if (is_double(w, "w")) return adam_of<double>(w, g, m, v, static_cast<double>(step), rate, beta_1, beta_2, epsilon);
  adam_of<float>(w, g, m, v, static_cast<double>(step), rate, beta_1, beta_2, epsilon);
}

template <class T>
void sgd_of(const py::array& w, const py::array& g, double rate) {
  const Index n = w.size();
  T* pw = writeable_data<T>(w, "w", n);
  const T* pg = readable_data<T>(g, "g", n);
  each_share<T>(
      n, [=](const Kernels<T>& k, Index at, Index size) { k.sgd(size, static_cast<T>(rate), pg + at, pw + at); });
}

void sgd_update(const py::array& w, const py::array& g, double rate) {
  if (is_double(w, "w")) return sgd_of<double>(w, g, rate);
  sgd_of<float>(w, g, rate);
}

template <class T>
void momentum_of(const py::array& w, const py::array& g, const py::array& v, double rate, double momentum,
                 bool nesterov) {
  const Index n = w.size();
  T* pw = writeable_data<T>(w, "w", n);
  const T* pg = readable_data<T>(g, "g", n);
  T* pv = writeable_data<T>(v, "v", n);
  each_share<T>(n, [=](const Kernels<T>& k, Index at, Index size) {
    k.momentum(size, static_cast<T>(rate), static_cast<T>(momentum), nesterov, pg + at, pw + at, pv + at);
  });
}

void momentum_update(const py::array& w, const py::array& g, const py::array& v, double rate, double momentum,
                     bool nesterov) {
  if (is_double(w, "w")) return momentum_of<double>(w, g, v, rate, momentum, nesterov);
  momentum_of<float>(w, g, v, rate, momentum, nesterov);
}

template <class T>
void crossentropy_of(const py::array& z, const py::array& t, const py::array& loss, const py::array& dz) {
  const Index rows = z.shape(0), cols = z.shape(1);
  const T* pz = readable_data<T>(z, "logits", rows * cols);
  const auto* pt = readable_data<std::int32_t>(t, "labels", rows);
  T* pl = writeable_data<T>(loss, "loss", rows);
  T* pd = writeable_data<T>(dz, "gradient", rows * cols);
  const Kernels<T>& k = kernel_table().of<T>();
  py::gil_scoped_release release;
  run_team(threads_for(static_cast<double>(rows * cols / kElementsPerThread)), [&](const Worker& who) {
    const Range part = who.share(rows);
    const Index at = part.begin * cols;
    k.sparse_softmax_crossentropy(part.size(), cols, kNoLabel, pz + at, pt + part.begin, pl + part.begin, pd + at);
    for (Index i = part.begin; i < part.end; ++i) {
      // The probabilities become the gradient of the mean: (p - onehot) / rows.
      const T share = T{1} / static_cast<T>(rows);
      for (Index j = 0; j < cols; ++j) pd[i * cols + j] *= share;
      if (pt[i] >= 0 && pt[i] < cols) pd[i * cols + pt[i]] -= share;
    }
  });
}

void softmax_crossentropy(const py::array& logits, const py::array& labels, const py::array& loss,
                          const py::array& gradient) {
  check(logits.ndim() == 2, "`logits` must have two axes. Received: ", logits.ndim());
  if (is_double(logits, "logits")) return crossentropy_of<double>(logits, labels, loss, gradient);
  crossentropy_of<float>(logits, labels, loss, gradient);
}

}  // namespace

void bind_kernels(py::module_& m) {
  m.def("elementary", &elementary, py::arg("name"), py::arg("x"), py::arg("out"), py::arg("isa") = py::none());
  m.def("matmul", &matmul, py::arg("a"), py::arg("b"), py::arg("out"), py::arg("transpose_a"), py::arg("transpose_b"),
        py::arg("isa") = py::none());
  m.def("convolution", &convolution, py::arg("op"), py::arg("target"), py::arg("x"), py::arg("w"), py::arg("y"),
        py::arg("windows"), py::arg("groups"), py::arg("isa") = py::none());
  m.def("adam_update", &adam_update, py::arg("w"), py::arg("g"), py::arg("m"), py::arg("v"), py::arg("step"),
        py::arg("learning_rate"), py::arg("beta_1"), py::arg("beta_2"), py::arg("epsilon"));
  m.def("sgd_update", &sgd_update, py::arg("w"), py::arg("g"), py::arg("learning_rate"));
  m.def("momentum_update", &momentum_update, py::arg("w"), py::arg("g"), py::arg("v"), py::arg("learning_rate"),
        py::arg("momentum"), py::arg("nesterov"));
  m.def("softmax_crossentropy", &softmax_crossentropy, py::arg("logits"), py::arg("labels"), py::arg("loss"),
        py::arg("gradient"));
}

}  // namespace fastgd
