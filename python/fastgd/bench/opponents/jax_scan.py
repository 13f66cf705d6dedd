"""JAX: whole epochs in one jitted function, a scan over batches stacked in advance, with the state donated.

Convolutional networks go step by step, for XLA's convolutions on a CPU are several times as slow inside of a loop.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgd.bench.opponents.base import Array, Opponent
from fastgd.bench.opponents.jax_network import compute_logits
from fastgd.bench.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATES, MOMENTUM, Problem, Workload


class Adapter(Opponent):
    """The step in plain jax.numpy, Adam in Keras' form; the loss of every epoch is added up, as trainers do."""

    configuration = (
        "all epochs in one jitted lax.scan over stacked batches, donated state; "
        "of convolutional networks one jitted step after the other"
    )

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._jax: Any = importlib.import_module("jax")

    @staticmethod
    def refusal(workload: Workload) -> str | None:
        """Refuse networks for sequences."""
        return "has no layers for sequences of its own" if workload.is_sequential else None

    @staticmethod
    def environment(threads: int) -> dict[str, str]:
        """Limit XLA's threads: its client sizes its pool by NPROC, and a single thread needs no pool for products."""
        flags = "--xla_cpu_multi_thread_eigen=false" if threads == 1 else ""
        return {"JAX_PLATFORMS": "cpu", "NPROC": str(threads), "XLA_FLAGS": flags}

    def prepare(self, problem: Problem) -> None:
        """Define the epochs as a function."""
        jax, workload = self._jax, problem.workload
        self._problem = problem
        jax.config.update("jax_enable_x64", workload.dtype == "float64")
        step = make_step(jax, workload)

        def train(state: Any, batches: Any, epochs: Any) -> Any:
            return jax.lax.fori_loop(0, epochs, lambda _, s: jax.lax.scan(step, s, batches)[0], state)

        self.restart()
        self._batches: Any = None
        if workload.is_dense:
            self._train = jax.jit(train, donate_argnums=0)
            return
        first = tuple(jax.device_put(array[: workload.batch]) for array in (problem.x, problem.y))
        compiled = jax.jit(step, donate_argnums=0).lower(self.state, first).compile()

        def train_in_steps(state: Any, batches: Any, epochs: int) -> Any:
            for _ in range(epochs):
                for batch in batches:
                    state, _ = compiled(state, batch)
            return state

        self._train = train_in_steps

    def load(self, steps: int) -> None:
        """Stack the batches, and compile for their number; or keep a list of them."""
        jax, problem = self._jax, self._problem
        shape = (steps, problem.workload.batch)
        rows = steps * problem.workload.batch
        stacked = tuple(a[:rows].reshape(*shape, *a.shape[1:]) for a in (problem.x, problem.y))
        if problem.workload.is_dense:
            self._batches = jax.device_put(stacked)
            self.run(0)
        else:
            self._batches = [jax.device_put(batch) for batch in zip(*stacked, strict=True)]

    def restart(self) -> None:
        """Put the initial weights and zeroed slots where the state was."""
        jax = self._jax
        weights = [jax.numpy.array(value) for value in self._problem.weights]
        count = {"sgd": 0, "momentum": 1, "adam": 2}[self._problem.workload.optimizer]
        trained, _ = split(self._problem.workload, weights)
        slots = [[jax.numpy.zeros_like(value) for value in trained] for _ in range(count)]
        # Two arrays, for the same one cannot be donated twice.
        updates, loss = (jax.numpy.zeros((), self._problem.workload.dtype) for _ in range(2))
        self.state: Any = jax.block_until_ready((weights, slots, updates, loss))

    def run(self, epochs: int) -> None:
        """Train."""
        self.state = self._jax.block_until_ready(self._train(self.state, self._batches, epochs))

    def weights(self) -> list[Array]:
        """Return copies of the weights."""
        return [np.array(value) for value in self.state[0]]

    def facts(self) -> dict[str, str]:
        """Return the version of the platform."""
        return {"platform": str(self._jax.devices()[0].client.platform_version)}


def split(workload: Workload, weights: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the variables that are trained, and the averages."""
    pairs = list(zip(workload.variables, weights, strict=True))
    return [value for v, value in pairs if v.trained], [value for v, value in pairs if not v.trained]


def join(workload: Workload, trained: Sequence[Any], averages: Sequence[Any]) -> list[Any]:
    """Return all variables in their order."""
    parts = {True: iter(trained), False: iter(averages)}
    return [next(parts[variable.trained]) for variable in workload.variables]


def make_step(jax: Any, workload: Workload) -> Any:
    """Return the step of a scan: (weights, slots, updates, loss), (x, y) -> the same, None."""
    jnp = jax.numpy
    rate = LEARNING_RATES[workload.optimizer]

    def compute_loss(trained: Any, averages: Any, x: Any, y: Any) -> Any:
        z, moved = compute_logits(jax, workload, join(workload, trained, averages), x)
        return compare(z, y), moved

    def compare(z: Any, y: Any) -> Any:
        if workload.loss == "softmax":
            # A one-hot product becomes one fused loop; indexing would become a gather, and a scatter going back.
            return -jnp.mean(jnp.sum(jax.nn.one_hot(y, z.shape[-1], dtype=z.dtype) * jax.nn.log_softmax(z), -1))
        if workload.loss == "sigmoid":
            return jnp.mean(jax.nn.softplus(z) - y * z)
        return jnp.mean((z - y) ** 2)

    def step(state: Any, batch: Any) -> Any:
        weights, slots, updates, total = state
        trained, averages = split(workload, weights)
        (loss, averages), gradients = jax.value_and_grad(compute_loss, has_aux=True)(trained, averages, *batch)
        updates = updates + 1
        if workload.optimizer == "adam":
            m = [m + (g - m) * (1 - BETA_1) for m, g in zip(slots[0], gradients, strict=True)]
            v = [v + (g * g - v) * (1 - BETA_2) for v, g in zip(slots[1], gradients, strict=True)]
            a = rate * jnp.sqrt(1 - BETA_2**updates) / (1 - BETA_1**updates)
            changes = [-a * m / (jnp.sqrt(v) + EPSILON) for m, v in zip(m, v, strict=True)]
            slots = [m, v]
        elif workload.optimizer == "momentum":
            changes = [MOMENTUM * v - rate * g for v, g in zip(slots[0], gradients, strict=True)]
            slots = [changes]
        else:
            changes = [-rate * g for g in gradients]
        trained = [w + c for w, c in zip(trained, changes, strict=True)]
        return (join(workload, trained, averages), slots, updates, total + loss), None

    return step
