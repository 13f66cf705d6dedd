"""Masks against Keras: what layers make of masked inputs, which masks they pass on, and losses and metrics of them."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest

import fastgd
from parity.gradients import compare_layers, numbers

Array = np.ndarray[Any, Any]

pytestmark = pytest.mark.usefixtures("own_float64")

# Sequences (steps, features), and how many of them are trained on.
STEPS, FEATURES, ROWS = 5, 3, 8

LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("Activation", {"activation": "tanh"}),
    ("ReLU", {}),
    ("LeakyReLU", {}),
    ("ELU", {}),
    ("PReLU", {}),
    ("Dense", {"units": 4, "activation": "sigmoid"}),
    ("Dropout", {"rate": 0.3}),
    ("SpatialDropout1D", {"rate": 0.3}),
    ("AlphaDropout", {"rate": 0.3}),
    ("GaussianDropout", {"rate": 0.3}),
    ("GaussianNoise", {"stddev": 0.3}),
    ("ActivityRegularization", {"l2": 0.1}),
    ("Identity", {}),
    ("BatchNormalization", {}),
    ("LayerNormalization", {}),
    ("GroupNormalization", {"groups": 3}),
    ("UnitNormalization", {}),
    ("RMSNormalization", {}),
    ("Rescaling", {"scale": 2.0}),
    ("GlobalAveragePooling1D", {}),
    ("GlobalAveragePooling1D", {"keepdims": True}),
    ("GlobalMaxPooling1D", {}),
    ("MaxPooling1D", {}),
    ("UpSampling1D", {}),
    ("ZeroPadding1D", {}),
    ("Cropping1D", {}),
    ("Conv1D", {"filters": 2, "kernel_size": 2}),
    ("DepthwiseConv1D", {"kernel_size": 2}),
    ("SeparableConv1D", {"filters": 2, "kernel_size": 2}),
    ("Flatten", {}),
    ("Reshape", {"target_shape": (15,)}),
    ("Permute", {"dims": (2, 1)}),
    ("Masking", {"mask_value": 1.5}),
]

MERGES: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")),
    ("Concatenate", {}),
    ("Concatenate", {"axis": 1}),
    ("Dot", {"axes": 2}),
]


def data(seed: int = 0, rows: int = 4) -> Array:
    """Return sequences some of whose steps are 0, each with one step at least that is not."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, STEPS, FEATURES)) * rng.choice([0.3, 1.0, 2.0], (rows, STEPS, FEATURES))
    x[rng.uniform(size=(rows, STEPS)) < 0.4] = 0.0
    x[:, seed % STEPS] = rng.normal(size=(rows, FEATURES))
    return x


def values_and_masks(name: str, config: dict[str, Any], masked: list[bool]) -> list[tuple[list[Array], bool]]:
    """Return what a model of the layer on masked inputs gives in both libraries: its output, and -1 or the mask."""
    found = []
    arrays = [data(k) for k in range(len(masked))]
    for lib in (fastgd, keras):

        class Shows(lib.layers.Layer):  # type: ignore[name-defined, misc]
            supports_masking = True

            def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
                return None

            def call(self, inputs: Any, mask: Any = None, ops: Any = lib.ops) -> Any:
                return (
                    inputs * 0.0 - 1.0
                    if mask is None
                    else inputs * 0.0 + ops.expand_dims(ops.cast(mask, "float64"), -1)
                )

        if lib is keras:
            Shows.supports_masking = keras.layers.Layer.supports_masking  # type: ignore[attr-defined]
        inputs = [lib.Input((STEPS, FEATURES)) for _ in masked]
        given = [lib.layers.Masking()(x) if is_masked else x for x, is_masked in zip(inputs, masked, strict=True)]
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            y = getattr(lib.layers, name)(**config)(given if len(given) > 1 else given[0])
            model = lib.Model(inputs, [y, Shows()(y)])
        lost = any("destroy the mask" in str(each.message) and "Shows" not in str(each.message) for each in seen)
        weights = [np.abs(np.random.default_rng(8).normal(size=w.shape)) for w in model.weights]
        model.set_weights(weights)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(([np.asarray(each) for each in model(arrays if len(arrays) > 1 else arrays[0])], lost))
    return found


@pytest.mark.parametrize(
    ("name", "config", "masked"),
    [
        *((name, config, [True]) for name, config in LAYERS),
        *((name, config, masked) for name, config in MERGES for masked in ([True, True], [True, False])),
        ("Maximum", {}, [False, True, True]),
        ("Multiply", {}, [True, False, True]),
        ("Concatenate", {}, [False, True, True]),
    ],
    ids=str,
)
def test_layers_on_masked_inputs(name: str, config: dict[str, Any], masked: list[bool]) -> None:
    (ours, lost), (theirs, loses) = values_and_masks(name, config, masked)
    assert lost == loses
    for got, want in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def trained(lib: Any, make: Any, compiled: dict[str, Any], x: Array, y: Array, weight: Array | None) -> list[Array]:
    """Return the losses of two epochs, what `evaluate` says then, and the weights."""
    model = make(lib)
    told = {key: value(lib) if callable(value) else value for key, value in compiled.items()}
    model.compile(lib.optimizers.SGD(0.3), **told)
    rng = np.random.default_rng(6)
    model.set_weights([rng.uniform(0.2, 0.9, w.shape) * (1 if "variance" in w.name else 1.3) for w in model.weights])
    # On JAX the masks of predictions do not reach the metrics of Keras' `fit`, as they do those of `evaluate`.
    losses = model.fit(x, y, sample_weight=weight, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]
    logs = model.evaluate(x, y, sample_weight=weight, batch_size=4, verbose=0)
    return [np.asarray(losses), np.asarray(logs), *map(np.asarray, model.get_weights())]


def compare_training(make: Any, compiled: dict[str, Any], y: Array, weighted: bool = False) -> None:
    """Train the same model in both libraries on the same masked data."""
    x = data(1, ROWS)
    weight = np.random.default_rng(2).uniform(0.2, 2.0, ROWS) if weighted else None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Layer .* was passed an input with a mask")
        ours = trained(fastgd, make, compiled, x, y, weight)
        # Keras multiplies weights (n,) with masks (n, steps) as NumPy would; with an axis of size 1 they fit.
        theirs = trained(keras, make, compiled, x, y, None if weight is None else weight[:, None])
    assert len(ours) == len(theirs)
    for got, want in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


def chain(*inner: Any) -> Any:
    """Return what makes a chain of layers behind a Masking in a library."""

    def make(lib: Any) -> Any:
        made = [layer(lib.layers) for layer in inner]
        return lib.Sequential([lib.Input((STEPS, FEATURES)), lib.layers.Masking(), *made])

    return make


CLASSES = 4
HEADS: dict[str, Any] = {
    "one": lambda layers: layers.Dense(1),
    "three": lambda layers: layers.Dense(FEATURES, activation="tanh"),
    "sigmoid": lambda layers: layers.Dense(1, activation="sigmoid"),
    "softmax": lambda layers: layers.Dense(CLASSES, activation="softmax"),
    "logits": lambda layers: layers.Dense(CLASSES),
}


def targets(kind: str) -> Array:
    rng = np.random.default_rng(12)
    if kind == "labels":
        return rng.integers(0, CLASSES, (ROWS, STEPS))
    if kind == "one_hot":
        return np.eye(CLASSES)[rng.integers(0, CLASSES, (ROWS, STEPS))]
    if kind == "binary":
        return rng.integers(0, 2, (ROWS, STEPS, 1)).astype("float64")
    return rng.normal(size=(ROWS, STEPS, int(kind)))


def mean_cube(ops: Any) -> Any:
    def cube(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.absolute(y_true - y_pred) ** 3, axis=-1)

    return cube


LOSSES: list[tuple[str, str, Any, list[Any]]] = [
    ("one", "1", "mse", ["mae", "mse"]),
    (
        "three",
        "3",
        "mae",
        ["mse", lambda lib: lib.metrics.CosineSimilarity(), lambda lib: lib.metrics.RootMeanSquaredError()],
    ),
    ("three", "3", lambda lib: lib.losses.MeanSquaredError(reduction="sum"), ["mae"]),
    ("three", "3", lambda lib: lib.losses.Huber(reduction="mean_with_sample_weight"), []),
    ("three", "3", lambda lib: mean_cube(lib.ops), [lambda lib: mean_cube(lib.ops)]),
    ("sigmoid", "binary", "binary_crossentropy", ["accuracy", lambda lib: lib.metrics.AUC(num_thresholds=20)]),
    ("softmax", "labels", "sparse_categorical_crossentropy", ["accuracy"]),
    (
        "softmax",
        "one_hot",
        "categorical_crossentropy",
        ["accuracy", lambda lib: lib.metrics.TopKCategoricalAccuracy(2)],
    ),
    ("logits", "labels", lambda lib: lib.losses.SparseCategoricalCrossentropy(True), ["accuracy"]),
    ("logits", "labels", lambda lib: lib.losses.SparseCategoricalCrossentropy(True, ignore_class=2), []),
    ("softmax", "labels", lambda lib: lib.losses.SparseCategoricalCrossentropy(ignore_class=1), []),
]


@pytest.mark.parametrize(
    ("head", "target", "loss", "metrics", "weighted"),
    # Weights for every other one; the one whose reduction hangs on them has both.
    [(*row, k % 2 == 0) for k, row in enumerate(LOSSES)] + [(*LOSSES[3], True)],
)
def test_losses_and_metrics_of_masked_outputs(head: str, target: str, loss: Any, metrics: Any, weighted: bool) -> None:
    def made(lib: Any) -> list[Any]:
        return [each(lib) if callable(each) else each for each in metrics]

    compiled = {"loss": loss, ("weighted_metrics" if weighted else "metrics"): made}
    compare_training(chain(HEADS[head]), compiled, targets(target), weighted)


INNER: dict[str, list[Any]] = {
    "batch normalization": [lambda layers: layers.BatchNormalization(momentum=0.7)],
    "batch normalization along the steps": [lambda layers: layers.BatchNormalization(axis=1, scale=False)],
    "dense steps": [lambda layers: layers.TimeDistributed(layers.Dense(4, activation="tanh"))],
    "normalized steps": [lambda layers: layers.TimeDistributed(layers.BatchNormalization(momentum=0.7, center=False))],
    "a model for the steps": [
        lambda layers: layers.TimeDistributed(
            (fastgd if layers is fastgd.layers else keras).Sequential(
                [layers.Input((FEATURES,)), layers.Dense(2), layers.Dense(3)]
            )
        )
    ],
    "pooled": [lambda layers: layers.Dense(4), lambda layers: layers.GlobalAveragePooling1D()],
}


@pytest.mark.parametrize("name", INNER)
def test_training_through_masks(name: str) -> None:
    y = targets("3") if name != "pooled" else targets("3")[:, 0]
    compare_training(chain(*INNER[name], HEADS["three"]), {"loss": "mse", "metrics": ["mae"]}, y)


TIMED: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Dense", {"units": 4}, (3,)),
    ("Conv1D", {"filters": 2, "kernel_size": 2}, (4, 3)),
    ("Conv2D", {"filters": 2, "kernel_size": 2}, (4, 3, 2)),
    ("Flatten", {}, (4, 3)),
    ("Reshape", {"target_shape": (6, 2)}, (4, 3)),
    ("Permute", {"dims": (2, 1)}, (4, 3)),
    ("RepeatVector", {"n": 2}, (3,)),
    ("GlobalAveragePooling1D", {}, (4, 3)),
    ("MaxPooling2D", {}, (4, 4, 2)),
    ("LayerNormalization", {}, (4, 3)),
    ("GroupNormalization", {"groups": 1}, (4, 3)),
    ("UnitNormalization", {}, (3,)),
    ("ZeroPadding1D", {}, (4, 3)),
    ("UpSampling2D", {}, (2, 2, 1)),
    ("DepthwiseConv2D", {"kernel_size": 2}, (4, 3, 2)),
    ("Conv1DTranspose", {"filters": 2, "kernel_size": 2}, (4, 3)),
    ("PReLU", {}, (4, 3)),
    ("Softmax", {}, (4, 3)),
]


@pytest.mark.parametrize(("name", "config", "shape"), TIMED, ids=str)
def test_layers_on_every_step(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> None:
    ours, theirs = (lib.layers.TimeDistributed(getattr(lib.layers, name)(**config)) for lib in (fastgd, keras))
    compare_layers(ours, theirs, [numbers(3, 2, 3, *shape)])
