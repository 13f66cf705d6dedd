"""LSTM, GRU and simple recurrent networks against PyTorch's: several layers, both directions, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers
from parity.gradients import of_fastgd

torch: Any = pytest.importorskip("torch")

N, STEPS, FEATURES, UNITS = 4, 5, 3, 4
# The blocks of ours, in PyTorch's order.
BLOCKS = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "SimpleRNN": (0,)}
CLOSE = 1e-11


class Stack(fastgd.Layer, abstract=True):
    """Several layers behind one another."""

    def __init__(self, parts: list[Any]) -> None:
        super().__init__(dtype="float64")
        self.parts = parts

    def call(self, inputs: Any) -> Any:
        for part in self.parts:
            inputs = part(inputs)
        return inputs


def reorder(name: str, w: Any, axis: int) -> Any:
    """Return a weight of ours, or its gradient, with the blocks in PyTorch's order."""
    blocks = np.split(w, len(BLOCKS[name]), axis)
    return np.concatenate([blocks[k] for k in BLOCKS[name]], axis)


def to_torch(name: str, kernel: Any, recurrent: Any, bias: Any) -> list[Any]:
    """Return our weights as PyTorch's: weight_ih, weight_hh, bias_ih, bias_hh."""
    first, second = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
    turned = [reorder(name, w, 1).T for w in (kernel, recurrent)]
    return [*turned, reorder(name, first, 0), reorder(name, second, 0)]


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("name", BLOCKS)
def test_whole_networks(name: str, depth: int, both: bool) -> None:
    parts: list[Any] = [getattr(layers, name)(UNITS, return_sequences=True) for _ in range(depth)]
    stack = Stack([layers.Bidirectional(part) if both else part for part in parts])
    rng = np.random.default_rng(4)
    x, factors = rng.normal(size=(N, STEPS, FEATURES)), rng.normal(size=(N, STEPS, UNITS * (1 + both)))
    stack(x)
    weights = [rng.normal(size=w.shape) / w.shape[0] ** 0.5 for w in stack.weights]
    stack.set_weights(weights)
    y, (dx, *gradients) = of_fastgd(stack, factors, [x])

    kind = {"SimpleRNN": "RNN"}.get(name, name)
    other = getattr(torch.nn, kind)(FEATURES, UNITS, depth, batch_first=True, bidirectional=both).double()
    groups = [weights[k : k + 3] for k in range(0, len(weights), 3)]
    given = [w for group in groups for w in to_torch(name, *group)]
    with torch.no_grad():
        for parameter, value in zip(other.parameters(), given, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
    fed = torch.from_numpy(x).requires_grad_()
    expected = other(fed)[0]
    expected.backward(torch.from_numpy(factors))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=CLOSE, atol=CLOSE)
    np.testing.assert_allclose(dx, fed.grad.numpy(), rtol=CLOSE, atol=CLOSE)
    found = [parameter.grad.numpy() for parameter in other.parameters()]
    for k, (kernel, recurrent, bias) in enumerate(gradients[j : j + 3] for j in range(0, len(gradients), 3)):
        wanted = found[4 * k : 4 * k + 4]
        # A single bias of ours has the gradient of either of PyTorch's.
        count = 4 if bias.ndim == 2 else 3
        for got, want in zip(to_torch(name, kernel, recurrent, bias)[:count], wanted, strict=False):
            np.testing.assert_allclose(got, want, rtol=CLOSE, atol=CLOSE)
