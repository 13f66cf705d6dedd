"""JAX: every call jitted, its arguments on the device, waited for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgd.bench.calls.base import Array, Calls
from fastgd.bench.calls.cases import Case
from fastgd.bench.opponents import jax_network, jax_scan
from fastgd.bench.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATES, WORKLOADS, make_problem


class Adapter(Calls):
    """Functions under jax.jit, state donated where there is one."""

    configuration = "jax.jit, arguments on the device, block_until_ready"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._jax: Any = importlib.import_module("jax")
        self._wait: Any = self._jax.block_until_ready

    @staticmethod
    def environment(threads: int) -> dict[str, str]:
        """Limit XLA's threads as for training."""
        return jax_scan.Adapter.environment(threads)

    def make(self, case: Case) -> Callable[[], Any] | None:
        """Choose the width of numbers first."""
        self._jax.config.update("jax_enable_x64", case.dtype == "float64")
        return super().make(case)

    def to_array(self, value: Any) -> Array:
        """Return a device array as an array."""
        return np.array(value)

    def _put(self, case: Case, *names: str) -> list[Any]:
        arrays = case.arrays()
        return [self._jax.device_put(arrays[name]) for name in names]

    def _make_product(self, case: Case) -> Callable[[], Any]:
        a, b = self._put(case, "a", "b")
        left = 0 if case.form == "transpose_a" else 1
        right = 1 if case.form == "transpose_b" else 0
        product = self._jax.jit(lambda a, b: self._jax.lax.dot_general(a, b, (((left,), (right,)), ((), ()))))
        return lambda: self._wait(product(a, b))

    def _make_convolution(self, case: Case) -> Callable[[], Any]:
        jax, windows = self._jax, case.windows
        x, w, dy = self._put(case, "x", "w", "dy")
        space = "DHW"[3 - windows.axes :]

        def forward(x: Any, w: Any) -> Any:
            if windows.depthwise:
                # One channel for each filter, instead of one filter for each channel.
                w = w.reshape(*windows.window, 1, windows.filters)
            return jax.lax.conv_general_dilated(
                x,
                w,
                (windows.stride,) * windows.axes,
                [(windows.padding, windows.padding)] * windows.axes,
                rhs_dilation=(windows.dilation,) * windows.axes,
                dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
                feature_group_count=windows.filters if windows.depthwise else 1,
            )

        arguments = {"forward": (x, w), "to_data": (w, dy), "to_weights": (x, dy)}[case.form]
        function = {
            "forward": forward,
            "to_data": lambda w, dy: jax.linear_transpose(lambda x: forward(x, w), x)(dy)[0],
            "to_weights": lambda x, dy: jax.linear_transpose(lambda w: forward(x, w), w)(dy)[0],
        }[case.form]
        jitted = jax.jit(function)
        return lambda: self._wait(jitted(*arguments))

    def _make_adam(self, case: Case) -> Callable[[], Any]:
        jax, jnp = self._jax, self._jax.numpy
        w, g, m, v = self._put(case, "w", "g", "m", "v")
        state = (w, m, v, jnp.zeros((), case.dtype))

        def update(state: Any, g: Any) -> Any:
            w, m, v, step = state
            step = step + 1
            m = m + (g - m) * (1 - BETA_1)
            v = v + (g * g - v) * (1 - BETA_2)
            scale = LEARNING_RATES["adam"] * jnp.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
            return w - scale * m / (jnp.sqrt(v) + EPSILON), m, v, step

        jitted = jax.jit(update, donate_argnums=0)

        def call() -> Any:
            nonlocal state
            state = self._wait(jitted(state, g))
            return state[0]

        return call

    def _make_elementary(self, case: Case) -> Callable[[], Any]:
        (x,) = self._put(case, "x")
        names = {"sigmoid": self._jax.nn.sigmoid}
        function = self._jax.jit(names.get(case.form) or getattr(self._jax.numpy, case.form))
        return lambda: self._wait(function(x))

    def _make_crossentropy(self, case: Case) -> Callable[[], Any]:
        jax, jnp = self._jax, self._jax.numpy
        logits, targets = self._put(case, "logits", "targets")

        def losses(z: Any) -> Any:
            value = -jnp.sum(jax.nn.one_hot(targets, z.shape[-1], dtype=z.dtype) * jax.nn.log_softmax(z), -1)
            return value.sum(), value

        function = jax.jit(jax.value_and_grad(losses, has_aux=True))
        return lambda: self._wait(function(logits))[0][1]

    def _make_train(self, case: Case) -> Callable[[], Any]:
        trainer = jax_scan.Adapter(self.threads)
        trainer.prepare(make_problem(WORKLOADS[case.form]))
        trainer.load(1)

        def call() -> Any:
            trainer.run(1)
            return trainer.state[0][0]

        return call

    def _make_predict(self, case: Case) -> Callable[[], Any]:
        jax = self._jax
        problem = make_problem(WORKLOADS[case.form])

        def predict(weights: Any, x: Any) -> Any:
            logits, _ = jax_network.compute_logits(jax, problem.workload, weights, x)
            return jax.nn.softmax(logits)

        forward = jax.jit(predict)
        weights = [jax.device_put(value) for value in problem.weights]
        x = jax.device_put(problem.x[: case.shape[0]])
        return lambda: self._wait(forward(weights, x))
