"""What a model costs: parameters, operations and memory of the layers, counted by hand, and their table."""

from __future__ import annotations

import pytest

import fastgd
from fastgd import ops
from fastgd.layers import BatchNormalization, Dense, Dropout, Flatten, Reshape
from fastgd.models.costs import Cost, cost_below, costs_by_scope, step_flops
from fastgd.plan import Step

DENSE = 2 * 6 * 4 + 4 + 4  # multiply-adds, biases, activations


def nested():
    inner = fastgd.Sequential([fastgd.Input((6,)), Dense(4, "tanh", name="a"), BatchNormalization(name="b")], name="in")
    x = fastgd.Input((3, 2))
    return fastgd.Model(x, Dense(1, use_bias=False, name="c")(Dropout(0.5, name="d")(inner(Flatten(name="f")(x)))))


def test_costs_by_hand():
    model = nested()
    costs = costs_by_scope(model)
    assert cost_below(costs, "in/a") == Cost(DENSE, 4 * 4)
    assert cost_below(costs, "in/b") == Cost(4, 4 * 4)
    assert cost_below(costs, "in") == Cost(DENSE + 4, 8 * 4)
    assert cost_below(costs, "c") == Cost(2 * 4, 4)
    assert cost_below(costs, "f") == Cost(0, 0)
    assert model.count_flops() == DENSE + 4 + 4 + 8
    assert model.activation_memory() == 4 * (4 + 4 + 4 + 1)
    assert model.activation_memory(batch_size=10) == 10 * model.activation_memory()
    assert model.count_params() == 28 + 16 + 4


def test_a_shared_layer_costs_as_often_as_it_is_called():
    shared, x = Dense(5, use_bias=False), fastgd.Input((5,))
    assert fastgd.Model(x, shared(shared(shared(x)))).count_flops() == 3 * 2 * 25


def test_ops_without_a_layer_count_in_the_total():
    class Own(fastgd.Model):
        def __init__(self):
            super().__init__()
            self.head = Dense(2, use_bias=False)

        def call(self, x):
            return self.head(ops.tanh(Reshape((4,))(x)))

    model = Own()
    with pytest.raises(ValueError, match="not built"):
        model.count_flops()
    model.build((None, 2, 2))
    assert model.count_flops() == 4 + 2 * 4 * 2
    assert cost_below(costs_by_scope(model), "").flops == model.count_flops()


@pytest.mark.parametrize(
    ("op", "x", "kernel", "y", "attrs", "flops"),
    [
        ("convolution", (1, 7, 7, 4), (3, 3, 2, 8), (1, 5, 5, 8), {"groups": 2}, 2 * 200 * 18 + 200),
        ("convolution", (1, 7, 4), (3, 4, 8), (1, 5, 8), {"activation": "relu"}, 2 * 40 * 12 + 40 + 40),
        ("depthwise_convolution", (1, 7, 7, 4), (3, 3, 4, 2), (1, 5, 5, 8), {}, 2 * 200 * 9 + 200),
        ("transposed_convolution", (1, 4, 4, 3), (2, 2, 5, 3), (1, 8, 8, 5), {}, 2 * 48 * 20 + 320),
        ("max_pool", (1, 8, 8, 3), None, (1, 4, 4, 3), {"window": (2, 2)}, 48 * 4),
        ("reduce", (1, 8, 8, 3), None, (1, 3), {"function": "mean"}, 192),
        ("transpose", (1, 8, 3), None, (1, 3, 8), {}, 0),
    ],
)
def test_operations_of_single_steps(op, x, kernel, y, attrs, flops):
    params = () if kernel is None else ("k", "b")
    step = Step(op, ("x",), ("y",), params, attrs)
    assert step_flops(step, {"x": x, "y": y}, {"k": kernel or (), "b": y[-1:]}) == flops


def test_recurrent_layers():
    # Two steps of x (5) and h (3), four gates each: their products, and three operations on every element of a gate.
    model = fastgd.Sequential([fastgd.Input((2, 5)), fastgd.layers.LSTM(3)])
    assert model.count_flops() == 2 * (2 * (5 + 3) * 4 * 3 + 3 * 4 * 3)


def test_the_table_shows_costs():
    shown = []
    nested().summary(print_fn=shown.append, expand_nested=True, batch_size=64)
    text = shown[0]
    assert "FLOPs" in text and "Memory" in text and "  a (Dense)" in text
    row = next(line for line in text.splitlines() if "a (Dense)" in line)
    assert [cell.strip() for cell in row.split("│")[1:-1]] == ["a (Dense)", "(None, 4)", "28", "56", "16.00 B"]
    assert "Forward pass: 72 FLOPs per sample" in text
    assert "Activation memory: 52.00 B per sample, 3.25 KB for a batch of 64" in text
    with pytest.raises(ValueError, match="`batch_size`"):
        nested().summary(batch_size=0)


def test_large_numbers_are_short():
    shown = []
    model = fastgd.Sequential([fastgd.Input((2000,)), Dense(3000, use_bias=False), Dense(1, use_bias=False)])
    model.summary(print_fn=shown.append)
    assert "12 M" in shown[0] and "11.72 KB" in shown[0]


def test_a_class_without_a_call_shows_its_models():
    class Pair(fastgd.Model):
        def __init__(self):
            super().__init__()
            self.one = fastgd.Sequential([fastgd.Input((6,)), Dense(4, "tanh")], name="one")

        def train_step(self, data):
            return {}

    shown = []
    Pair().summary(print_fn=shown.append, expand_nested=True)
    assert "Total params: 28" in shown[0] and shown[0].count(" 56 ") == 2
