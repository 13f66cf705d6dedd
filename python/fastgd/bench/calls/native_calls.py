"""fastgd's kernels on arrays, and its models' calls for one batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import kernels, runtime
from fastgd.bench.calls.base import Array, Calls
from fastgd.bench.calls.cases import Case
from fastgd.bench.opponents.native import build_model
from fastgd.bench.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATES, WORKLOADS, make_problem


class Adapter(Calls):
    """`fastgd.kernels`, and `train_on_batch` and `predict_on_batch`."""

    configuration = "fastgd.kernels with out=; train_on_batch; predict_on_batch"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        runtime.set_num_threads(threads)

    def to_array(self, value: Any) -> Array:
        """Return it as it is."""
        array: Array = value
        return array

    def _make_product(self, case: Case) -> Callable[[], Any]:
        a, b, out = (case.arrays()[name] for name in ("a", "b", "out"))
        transpose_a, transpose_b = case.form == "transpose_a", case.form == "transpose_b"
        return lambda: kernels.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b, out=out)

    def _make_convolution(self, case: Case) -> Callable[[], Any]:
        x, w, dy, out = (case.arrays()[name] for name in ("x", "w", "dy", "out"))
        windows = case.windows
        how: dict[str, Any] = {
            "strides": windows.stride,
            "dilations": windows.dilation,
            "padding": [(windows.padding, windows.padding)] * windows.axes,
            "depthwise": windows.depthwise,
            "out": out,
        }
        return {
            "forward": lambda: kernels.convolution(x, w, **how),
            "to_data": lambda: kernels.convolution_to_data(dy, w, x.shape[1:-1], **how),
            "to_weights": lambda: kernels.convolution_to_weights(x, dy, windows.window, **how),
        }[case.form]

    def _make_adam(self, case: Case) -> Callable[[], Any]:
        w, g, m, v = (case.arrays()[name] for name in ("w", "g", "m", "v"))
        step = 0

        def call() -> Any:
            nonlocal step
            step += 1
            rate = LEARNING_RATES["adam"]
            kernels.adam_update(w, g, m, v, step, learning_rate=rate, beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON)
            return w

        return call

    def _make_elementary(self, case: Case) -> Callable[[], Any]:
        x, out = (case.arrays()[name] for name in ("x", "out"))
        function = getattr(kernels, case.form)
        return lambda: function(x, out=out)

    def _make_crossentropy(self, case: Case) -> Callable[[], Any]:
        logits, targets = (case.arrays()[name] for name in ("logits", "targets"))
        # The losses; the gradients come with them.
        return lambda: kernels.softmax_crossentropy(logits, targets)[0]

    def _make_train(self, case: Case) -> Callable[[], Any]:
        problem = make_problem(WORKLOADS[case.form])
        model = build_model(problem.workload)
        for variable, value in zip(model.weights, problem.weights, strict=True):
            variable.assign(value)
        x, y = problem.x[: case.shape[0]], problem.y[: case.shape[0]]
        # Not within the call: the model looks through all layers for the list.
        kernel = model.weights[0]

        def call() -> Any:
            model.train_on_batch(x, y)
            return kernel.value

        return call

    def _make_predict(self, case: Case) -> Callable[[], Any]:
        problem = make_problem(WORKLOADS[case.form])
        model = build_model(problem.workload)
        for variable, value in zip(model.weights, problem.weights, strict=True):
            variable.assign(value)
        x = problem.x[: case.shape[0]]
        return lambda: model.predict_on_batch(x)
