"""The roofline: operations and bytes of whole networks, counted by hand."""

from __future__ import annotations

import pytest

import fastgd
from fastgd.bench.opponents.native import build_model
from fastgd.bench.roofline import Limits, add_shares, count_arithmetic, count_traffic, make_roofline
from fastgd.bench.workloads import WORKLOADS

LIMITS = Limits(flops=100e9, bandwidth=10e9, cache=2**20)


def test_tiny_by_hand():
    model = build_model(WORKLOADS["tiny"])
    first, second = 64 * 32, 32 * 10
    # Forward, gradient of the kernel, and for the second layer the gradient of its input.
    assert count_arithmetic(model.make_plan(), 32) == 2 * 32 * (2 * first + 3 * second)
    # Adam: weight and two moments, read and written, of 4 bytes each.
    assert count_traffic(model.make_plan(), model.optimizer.update_spec()) == 2 * 3 * 4 * (first + 32 + second + 10)


def test_convolutions_by_hand():
    model = build_model(WORKLOADS["cnn"])
    first, second, third, fourth = 26 * 26 * 9 * 32, 11 * 11 * 9 * 32 * 64, 1600 * 128, 128 * 10
    # The gradient of the images is not needed.
    assert count_arithmetic(model.make_plan(), 64) == 2 * 64 * (2 * first + 3 * (second + third + fourth))


def test_sequences_by_hand():
    model = build_model(WORKLOADS["lstm"])
    # The gradient of the inputs is not needed, that of the state before is.
    assert count_arithmetic(model.make_plan(), 64) == 2 * 64 * (28 * 512 * (2 * 28 + 3 * 128) + 3 * 1280)
    model = build_model(WORKLOADS["attention"])
    projections, scores = 128 * 128, 64 * 128
    first, last = 3 * 2 * projections, 3 * projections
    assert count_arithmetic(model.make_plan(), 32) == 2 * 32 * (64 * (first + last + 3 * 2 * scores) + 3 * 1280)


def test_transposed_convolutions_count_their_input():
    layers = fastgd.layers
    model = fastgd.Sequential(
        [
            fastgd.Input(shape=(4, 5, 2)),
            layers.Conv2DTranspose(3, (2, 3), strides=2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer="sgd", loss="mse")
    outputs = 8 * 11 * 3
    assert count_arithmetic(model.make_plan(), 7) == 2 * 7 * (2 * 4 * 5 * 2 * 3 * 6 + 3 * outputs)


@pytest.mark.parametrize(("name", "passes", "size"), [("seed", 2, 4), ("momentum", 4, 4), ("float64", 6, 8)])
def test_traffic_follows_rule_and_dtype(name, passes, size):
    workload = WORKLOADS[name]
    model = build_model(workload)
    traffic = count_traffic(model.make_plan(), model.optimizer.update_spec())
    assert traffic == passes * size * workload.parameters


def test_frozen_layers_cost_no_gradient():
    model = fastgd.Sequential([fastgd.Input(shape=(5,)), fastgd.layers.Dense(3), fastgd.layers.Dense(2)])
    model.layers[0].trainable = False
    model.compile(optimizer="sgd", loss="mse")
    # Nothing trained lies behind either kernel, so no gradient goes through the second one.
    assert count_arithmetic(model.make_plan(), 7) == 2 * 7 * (15 + 2 * 6)
    assert count_traffic(model.make_plan(), model.optimizer.update_spec()) == 2 * 4 * (6 + 2)


def test_floor_and_shares_by_hand():
    workload = WORKLOADS["tiny"]
    model = build_model(workload)
    roofline = make_roofline(model.make_plan(), model.optimizer.update_spec(), 32, LIMITS)
    assert roofline["floor"] == pytest.approx(323_584 / 100e9 * 1e6)
    add_shares(roofline, 6.0, LIMITS)
    assert roofline["peak_share"] == pytest.approx(323_584 / 6e-6 / 100e9)
    assert roofline["floor_share"] == pytest.approx(roofline["peak_share"])


def test_bytes_cost_time_out_of_cache():
    workload = WORKLOADS["medium"]
    model = build_model(workload)
    roofline = make_roofline(model.make_plan(), model.optimizer.update_spec(), workload.batch, LIMITS)
    seconds = roofline["arithmetic"] / 100e9 + 24 * workload.parameters / 10e9
    assert roofline["floor"] == pytest.approx(seconds * 1e6)
