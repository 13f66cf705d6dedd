"""JAX: whole epochs in one jitted function, a scan over batches stacked in advance, with the state donated."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from fastgd.bench.opponents.base import Array, Opponent
from fastgd.bench.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATES, MOMENTUM, Problem, Workload


class Adapter(Opponent):
    """The step in plain jax.numpy, Adam in Keras' form; the loss of every epoch is added up, as trainers do."""

    configuration = "all epochs in one jitted lax.scan over stacked batches, donated state"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._jax: Any = importlib.import_module("jax")

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

        self._train = jax.jit(train, donate_argnums=0)
        self.restart()
        self._batches: Any = None

    def load(self, steps: int) -> None:
        """Stack the batches, and compile for their number."""
        jax, problem = self._jax, self._problem
        shape = (steps, problem.workload.batch)
        rows = steps * problem.workload.batch
        self._batches = tuple(jax.device_put(a[:rows].reshape(*shape, *a.shape[1:])) for a in (problem.x, problem.y))
        self.run(0)

    def restart(self) -> None:
        """Put the initial weights and zeroed slots where the state was."""
        jax = self._jax
        weights = [jax.numpy.array(value) for value in self._problem.weights]
        count = {"sgd": 0, "momentum": 1, "adam": 2}[self._problem.workload.optimizer]
        slots = [[jax.numpy.zeros_like(value) for value in weights] for _ in range(count)]
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


def compute_logits(jax: Any, workload: Workload, weights: Any, x: Any) -> Any:
    """Return what the last layer gives before its activation."""
    jnp = jax.numpy
    functions = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid, "linear": lambda x: x}
    function = functions[workload.activation]
    for k in range(0, len(weights) - 2, 2):
        x = function(x @ weights[k] + weights[k + 1])
    return x @ weights[-2] + weights[-1]


def make_step(jax: Any, workload: Workload) -> Any:
    """Return the step of a scan: (weights, slots, updates, loss), (x, y) -> the same, None."""
    jnp = jax.numpy
    rate = LEARNING_RATES[workload.optimizer]

    def compute_loss(weights: Any, x: Any, y: Any) -> Any:
        z = compute_logits(jax, workload, weights, x)
        if workload.loss == "softmax":
            # A one-hot product becomes one fused loop; indexing would become a gather, and a scatter going back.
            return -jnp.mean(jnp.sum(jax.nn.one_hot(y, z.shape[-1], dtype=z.dtype) * jax.nn.log_softmax(z), -1))
        if workload.loss == "sigmoid":
            return jnp.mean(jax.nn.softplus(z) - y * z)
        return jnp.mean((z - y) ** 2)

    def step(state: Any, batch: Any) -> Any:
        weights, slots, updates, total = state
        loss, gradients = jax.value_and_grad(compute_loss)(weights, *batch)
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
        weights = [w + c for w, c in zip(weights, changes, strict=True)]
        return (weights, slots, updates, total + loss), None

    return step
