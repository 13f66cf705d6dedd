"""Networks as data: shapes and weights by hand, the same network at every opponent, and the arrays of convolutions."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from math import prod

import numpy as np
import pytest

from fastgd.bench.calls.cases import CASES, GRADIENTS, Case
from fastgd.bench.calls.windows import Windows
from fastgd.bench.harness import check_tolerance, drift, relative_error
from fastgd.bench.networks import (
    Convolution,
    DepthwiseConvolution,
    Flatten,
    GlobalAveragePooling,
    MaxPooling,
    dense,
    normalized,
    shapes_of,
)
from fastgd.bench.opponents import OPPONENTS
from fastgd.bench.sequences import Embedding, MeanOverTime, Recurrent, SelfAttention
from fastgd.bench.workloads import WORKLOADS, Workload, make_problem

# Everything that a convolutional workload has, in small, with sizes that differ.
SMALL = Workload(
    "small",
    (9, 8, 3),
    (
        Convolution(3, 2, filters=5, activation="relu"),
        *normalized(Convolution(3, padding="same", filters=4, bias=False)),
        MaxPooling(),
        Flatten(),
        *dense(6, 3),
    ),
    "softmax",
    16,
    "adam",
    64,
)
DEPTHWISE = replace(
    SMALL,
    inputs=(15, 16, 3),
    layers=(
        *normalized(Convolution(3, 2, filters=6, bias=False)),
        *normalized(DepthwiseConvolution(3, padding="same")),
        *normalized(Convolution(1, filters=5, bias=False)),
        *normalized(DepthwiseConvolution(3, 2)),
        GlobalAveragePooling(),
        *dense(3),
    ),
)

# Layers for sequences, those of every kind that give one output and those that give all of them.
SEQUENCES = {
    "lstm": replace(SMALL, inputs=(5, 3), layers=(Recurrent("lstm", 4), *dense(6, 3))),
    "gru": replace(SMALL, inputs=(5, 3), layers=(Recurrent("gru", 4, both=True), *dense(3))),
    "rnn": replace(SMALL, inputs=(5, 3), layers=(Recurrent("simple_rnn", 4, sequences=True), *dense(3))),
    "both": replace(SMALL, inputs=(5, 3), layers=(Recurrent("lstm", 4, True, True), MeanOverTime(), *dense(3))),
    "tokens": replace(SMALL, inputs=(5,), layers=(Embedding(11, 4), Recurrent("gru", 3, True), *dense(11))),
    "attention": replace(SMALL, inputs=(5, 8), layers=(SelfAttention(2), MeanOverTime(), *dense(3))),
}


@pytest.fixture(autouse=True)
def _width_of_jax() -> Iterator[None]:
    # Its adapters choose the width of numbers for their process, which here is that of the tests.
    jax = sys.modules.get("jax")
    before = jax.config.jax_enable_x64 if jax else None
    yield
    if jax:
        jax.config.update("jax_enable_x64", before)


def test_cnn_by_hand():
    workload = WORKLOADS["cnn"]
    shapes = [shape for _, shape in shapes_of(workload.inputs, workload.layers)]
    assert shapes == [(28, 28, 1), (26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (1600,), (128,)]
    assert workload.parameters == 9 * 32 + 32 + 9 * 32 * 64 + 64 + 1600 * 128 + 128 + 128 * 10 + 10
    assert (
        workload.description == "28x28x1, conv 32 3x3, pool, conv 64 3x3, pool, 128, 10, relu, softmax, batch 64, Adam"
    )


def test_cifar_by_hand():
    workload = WORKLOADS["cifar"]
    # Offsets and scales of the normalisations are trained, their averages are not; the convolutions have no bias.
    kernels = 9 * (3 * 32 + 32 * 32 + 32 * 64 + 64 * 64)
    assert workload.parameters == kernels + 2 * 2 * (32 + 64) + 4096 * 128 + 128 + 1290
    assert len(make_problem(workload).weights) == 4 * 5 + 4
    block = "conv {0} 3x3 BN, conv {0} 3x3 BN, pool"
    assert workload.description.startswith(f"32x32x3, {block.format(32)}, {block.format(64)}, 128, 10, relu, softmax")


def test_dense_networks_have_widths():
    workload = WORKLOADS["regression"]
    assert (workload.is_dense, workload.widths, workload.activation) == (True, (13, 64, 64, 1), "relu")
    assert workload.description == "13-64-64-1, relu, mse, batch 32, Adam"
    assert WORKLOADS["online"].description == "30-1, sigmoid, batch 1, SGD"


def test_what_has_dense_layers_only_refuses_the_others():
    for name in ("cython", "sklearn"):
        adapter = OPPONENTS[name].load()
        assert adapter.refusal(WORKLOADS["lenet"]) == "has dense layers only"


def test_sequences_by_hand():
    workload = WORKLOADS["characters"]
    assert workload.description == "64, embedding 80x32, LSTM 128, 80, softmax, batch 32, Adam"
    assert workload.parameters == 80 * 32 + (32 + 128 + 1) * 512 + 128 * 80 + 80
    problem = make_problem(replace(workload, rows=64))
    assert (problem.x.dtype, problem.x.shape, problem.x.max()) == (np.int32, (64, 64), 79)
    assert (problem.y.shape, problem.y.max()) == ((64, 64), 79)
    assert WORKLOADS["bidirectional"].parameters == 2 * (129 + 193) * 256 + 1290
    assert WORKLOADS["attention"].parameters == 4 * (128 * 128 + 128) + 2 * 128 + 1290
    assert OPPONENTS["jax"].load().refusal(workload) == "has no layers for sequences of its own"


@pytest.mark.parametrize("name", ["numpy", "torch", "jax", "keras-jax"])
@pytest.mark.parametrize("workload", [SMALL, DEPTHWISE, *SEQUENCES.values()], ids=["small", "depthwise", *SEQUENCES])
def test_opponents_do_the_same_work(workload, name):
    entry = OPPONENTS[name]
    for module in entry.needs:
        pytest.importorskip(module)
    if entry.load().refusal(workload):
        assert workload.is_sequential
        return
    problem = make_problem(workload)
    results = []
    for other in ("fastgd", name):
        trainer = OPPONENTS[other].load()(1)
        trainer.prepare(problem)
        trainer.load(4)
        trainer.restart()
        trainer.run_check(1)
        results.append(trainer.weights())
    assert [value.shape for value in results[1]] == [value.shape for value in problem.weights]
    assert drift(results[1], results[0], problem.weights) < check_tolerance(workload) / 4
    # The averages as well, which no optimizer makes alike.
    moved = [i for i, variable in enumerate(workload.variables) if not variable.trained]
    for i in moved:
        assert drift([results[1][i]], [results[0][i]], [problem.weights[i]]) < 0.02


WINDOWS = (
    ((2, 9, 8, 3), Windows(5, (3, 2), 2, 1, 1)),
    ((2, 12, 9, 4), Windows(3, (3, 3), 1, 2, 2)),
    ((3, 20, 4), Windows(6, (5,), 1, 1, 2)),
    ((2, 9, 8, 7), Windows(7, (3, 3), 2, 1, 1, depthwise=True)),
)


@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize(("shape", "windows"), WINDOWS)
def test_libraries_compute_the_same_convolutions(library, shape, windows):
    pytest.importorskip(library)
    libraries = importlib.import_module("fastgd.bench.calls").LIBRARIES
    for form in GRADIENTS:
        case = Case("convolution", shape, form, windows=windows)
        ours, theirs = (libraries[name].load()(1) for name in ("fastgd", library))
        results = [calls.sample(calls.make(case)()) for calls in (ours, theirs)]
        assert relative_error(results[1], results[0]) < 1e-5, form


def test_convolution_cases_by_hand():
    case = Case("convolution", (32, 28, 28, 64), "to_data", windows=Windows(128, (3, 3), 2, 1, 1))
    assert case.name == "convolution 32x28x28x64 3x3 to 128 stride 2 to_data"
    assert case.arithmetic == 2 * 32 * 14 * 14 * 9 * 64 * 128
    arrays = case.arrays()
    assert arrays["out"].shape == arrays["x"].shape == (32, 28, 28, 64)
    assert arrays["dy"].shape == (32, 14, 14, 128)
    depthwise = Case("convolution", (2, 8, 8, 5), "forward", windows=Windows(5, (3, 3), 1, 1, 1, depthwise=True))
    assert depthwise.arithmetic == 0
    assert depthwise.traffic == 4 * (2 * 2 * 64 * 5 + 9 * 5)


def test_names_of_cases_differ():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    convolutions = [case for case in CASES if case.family == "convolution"]
    assert {case.form for case in convolutions} == set(GRADIENTS)
    assert all(prod(case.shape) * 4 < 2**26 for case in convolutions)


def test_check_of_averages_begins_where_they_do():
    weights = make_problem(SMALL).weights
    means = [value for value, variable in zip(weights, SMALL.variables, strict=True) if not variable.trained]
    np.testing.assert_array_equal(np.concatenate(means), [0] * 4 + [1] * 4)
