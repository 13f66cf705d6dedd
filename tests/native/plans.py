"""Plans of whole networks, written by hand, for tests of the engine below the public API."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from fastgd.plan import ParamSpec, Plan, Step, TensorSpec, Term, UpdateSpec, flat_layout

Array = np.ndarray[Any, Any]


def classifier(widths: tuple[int, ...], dtype: str = "float32", activation: str = "relu", dropout: float = 0.0) -> Plan:
    """Return a dense classifier with sparse labels: x (n, widths[0]), labels (n), logits (n, widths[-1])."""
    tensors = [TensorSpec("x", (-1, widths[0]), dtype), TensorSpec("t", (-1,), "int32")]
    params, steps = [], []
    name = "x"
    for i, (a, b) in enumerate(pairwise(widths)):
        last = i == len(widths) - 2
        out = "logits" if last else f"h{i}"
        tensors.append(TensorSpec(out, (-1, b), dtype))
        params += [ParamSpec(f"w{i}", (a, b)), ParamSpec(f"b{i}", (b,))]
        function = "linear" if last else activation
        steps.append(Step("dense", (name,), (out,), (f"w{i}", f"b{i}"), {"activation": function}))
        name = out
        if dropout and not last:
            tensors.append(TensorSpec(f"d{i}", (-1, b), dtype))
            steps.append(Step("dropout", (name,), (f"d{i}",), (), {"rate": dropout, "seed": 77 + i}))
            name = f"d{i}"
    tensors += [
        TensorSpec("v", (-1,), dtype),
        TensorSpec("p", (-1, widths[-1]), dtype),
        TensorSpec("hit", (-1,), dtype),
    ]
    steps += [
        Step("sparse_softmax_crossentropy", ("logits", "t"), ("v", "p")),
        Step("sparse_categorical_accuracy", ("p", "t"), ("hit",)),
    ]
    return Plan(
        dtype, tuple(tensors), tuple(params), tuple(steps), ("x", "t"), ("logits",),
        (Term("loss", "v"),), (Term("accuracy", "hit"),),
    )  # fmt: skip


def random_params(plan: Plan, seed: int = 0) -> list[Array]:
    """Return random parameters of order 1 / sqrt(fan-in)."""
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=p.shape) / p.shape[0] ** 0.5).astype(plan.dtype) for p in plan.params]


def adam_slots(plan: Plan) -> tuple[UpdateSpec, list[Array]]:
    """Return Adam with Keras' defaults and its zeroed slots."""
    size = flat_layout((p.size for p in plan.params if p.trainable), plan.dtype).size
    spec = UpdateSpec("adam", {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}, ("m", "v"))
    return spec, [np.zeros(size, plan.dtype) for _ in range(2)]


def train(executor: Any, plan: Plan, x: Array, t: Array, epochs: int = 2, batch: int = 32) -> tuple[list[Array], Array]:
    """Train for some epochs of Adam; return the parameters and the totals of every epoch."""
    params = random_params(plan)
    executor.bind_parameters(params)
    executor.bind_update(*adam_slots(plan))
    totals = []
    iteration = 0
    for epoch in range(epochs):
        executor.begin("train", [x, t], batch, shuffle_seed=2**63 + 5, epoch=epoch, iteration=iteration)
        while executor.advance(7, 1.0, np.array([1e-3])):
            pass
        iteration = executor.iteration
        totals.append(executor.totals())
    return params, np.array(totals)
