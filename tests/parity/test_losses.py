"""Losses against Keras, in float64: every class, with and without weights, at extreme values, and in training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import fastgd

# Predictions and targets: x any number, p probabilities, t zeros and ones, d one-hot, i labels.
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("MeanSquaredError", "xx", {}),
    ("MeanAbsoluteError", "xx", {}),
    ("MeanAbsolutePercentageError", "xx", {}),
    ("MeanSquaredLogarithmicError", "xx", {}),
    ("CosineSimilarity", "xx", {}),
    ("Huber", "xx", {}),
    ("Huber", "xx", {"delta": 0.3}),
    ("LogCosh", "xx", {}),
    ("Poisson", "pp", {}),
    ("KLDivergence", "pp", {}),
    ("Hinge", "xt", {}),
    ("Hinge", "xx", {}),
    ("SquaredHinge", "xt", {}),
    ("CategoricalHinge", "xd", {}),
    ("BinaryCrossentropy", "pt", {}),
    ("BinaryCrossentropy", "pp", {"label_smoothing": 0.2}),
    ("BinaryCrossentropy", "xt", {"from_logits": True, "label_smoothing": 0.1}),
    ("BinaryFocalCrossentropy", "pt", {}),
    ("BinaryFocalCrossentropy", "pt", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5}),
    ("BinaryFocalCrossentropy", "xp", {"from_logits": True, "label_smoothing": 0.1, "apply_class_balancing": True}),
    ("CategoricalCrossentropy", "pd", {}),
    ("CategoricalCrossentropy", "pd", {"label_smoothing": 0.2}),
    ("CategoricalCrossentropy", "xd", {"from_logits": True, "label_smoothing": 0.2}),
    ("CategoricalFocalCrossentropy", "pd", {}),
    ("CategoricalFocalCrossentropy", "xd", {"from_logits": True, "alpha": 0.6, "gamma": 0.7, "label_smoothing": 0.2}),
    ("Dice", "pt", {"axis": -1}),
    ("Tversky", "pt", {"axis": -1, "alpha": 0.3, "beta": 0.8}),
    ("CategoricalGeneralizedCrossEntropy", "pi", {"q": 0.5}),
    ("CategoricalGeneralizedCrossEntropy", "pi", {"q": 0.8}),
    ("SparseCategoricalCrossentropy", "pi", {}),
    ("SparseCategoricalCrossentropy", "xi", {"from_logits": True}),
    ("SparseCategoricalCrossentropy", "xi", {"from_logits": True, "ignore_class": 2}),
]
IDS = [f"{name}-{k}" for k, (name, _, _) in enumerate(CASES)]
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]


def draw(kinds: str, shape: tuple[int, ...], seed: int = 0) -> tuple[Any, Any]:
    """Return predictions and targets."""
    rng = np.random.default_rng(seed)
    p = rng.normal(size=shape) if kinds[0] == "x" else rng.uniform(0.02, 0.98, shape)
    if kinds[1] in "di":
        t = rng.integers(0, shape[-1], shape[:-1])
        return p, t if kinds[1] == "i" else np.eye(shape[-1])[t]
    if kinds[1] == "t":
        return p, rng.integers(0, 2, shape).astype(float)
    return p, rng.normal(size=shape) if kinds[1] == "x" else rng.uniform(0.02, 0.98, shape)


def both(name: str, config: dict[str, Any], *arguments: Any) -> tuple[Any, Any]:
    """Return what fastgd and Keras give for the same arguments."""
    ours = getattr(fastgd.losses, name)(**config)(*arguments)
    theirs = keras.ops.convert_to_numpy(getattr(keras.losses, name)(**config)(*arguments))
    return np.asarray(ours), theirs


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(9, 5), (4, 3, 6)], ids=str)
@pytest.mark.parametrize(("name", "kinds", "config"), CASES, ids=IDS)
def test_values_and_weights(
    name: str, kinds: str, config: dict[str, Any], shape: tuple[int, ...], reduction: str | None
) -> None:
    p, t = draw(kinds, shape)
    config = {**config, "reduction": reduction}
    rng = np.random.default_rng(1)
    by_sample = rng.uniform(0.1, 3.0, shape[0])
    weights = [None, rng.uniform(0.1, 3.0, shape[:-1]), by_sample if len(shape) == 2 else by_sample[:, None]]
    for weight in weights:
        ours, theirs = both(name, config, t, p, weight)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


EXTREME: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("BinaryCrossentropy", {}, [[0.0, 1.0, 0.0, 1.0]], [[0.0, 0.0, 1.0, 1.0]]),
    ("BinaryCrossentropy", {"from_logits": True}, [[0.0, 1.0, 0.0, 1.0]], [[1e4, -1e4, -800.0, 1e30]]),
    ("BinaryFocalCrossentropy", {}, [[0.0, 1.0, 0.0, 1.0]], [[0.0, 0.0, 1.0, 1.0]]),
    ("BinaryFocalCrossentropy", {"from_logits": True}, [[0.0, 1.0]], [[800.0, -800.0]]),
    ("CategoricalCrossentropy", {}, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0], [0.0, 5.0, 0.0]]),
    ("CategoricalCrossentropy", {"from_logits": True}, [[1.0, 0.0]], [[-1e4, 1e4]]),
    ("CategoricalFocalCrossentropy", {}, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]),
    ("SparseCategoricalCrossentropy", {}, [0, 1], [[0.0, 1.0], [0.0, 1.0]]),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, [0, 1], [[-1e4, 1e4], [1e30, 0.0]]),
    ("CosineSimilarity", {}, [[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]),
    ("CosineSimilarity", {}, [[1e-9, 2e-9]], [[1e-9, 1e-9]]),
    ("KLDivergence", {}, [[0.0, 1.0, 0.5]], [[1.0, 0.0, 2.0]]),
    ("Poisson", {}, [[0.0, 3.0]], [[0.0, 0.0]]),
    ("LogCosh", {}, [[1e5, 0.0, -30.0]], [[-1e5, 1e-9, 0.0]]),
    ("Huber", {}, [[0.0, 0.0, 0.0]], [[1.0, -1e10, 1e-200]]),
    ("MeanAbsolutePercentageError", {}, [[0.0, 1e-9]], [[1.0, 0.0]]),
    ("MeanSquaredLogarithmicError", {}, [[-5.0, 0.0]], [[3.0, -1.0]]),
    ("Hinge", {}, [[0.0, 1.0, 0.5]], [[-0.3, 0.2, 3.0]]),
    ("Hinge", {}, [[-1.0, 1.0, 0.0]], [[-0.3, 0.2, 3.0]]),
    ("SquaredHinge", {}, [[-1.0, 1.0, 1.0]], [[-0.3, 0.2, 3.0]]),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": -1}, [-1, -1], [[1.0, 2.0], [3.0, 4.0]]),
]


@pytest.mark.parametrize(("name", "config", "t", "p"), EXTREME, ids=[f"{c[0]}-{k}" for k, c in enumerate(EXTREME)])
def test_extreme_values(name: str, config: dict[str, Any], t: Any, p: Any) -> None:
    ours, theirs = both(name, {**config, "reduction": None}, np.array(t), np.array(p))
    assert np.isfinite(ours).all()
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("name", "kinds", "config"), CASES, ids=IDS)
def test_functions(name: str, kinds: str, config: dict[str, Any]) -> None:
    p, t = draw(kinds, (4, 3, 6), 2)
    function = {"KLDivergence": "kl_divergence"}.get(name, fastgd.utils.naming.snake_case(name))
    ours = getattr(fastgd.losses, function)(t, p, **config)
    theirs = keras.ops.convert_to_numpy(getattr(keras.losses, function)(t, p, **config))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_ops() -> None:
    p, t = draw("pp", (4, 3, 6), 3)
    z, labels = draw("xi", (4, 3, 6), 4)
    for from_logits, given in ((False, p), (True, z)):
        for name, target in (
            ("binary_crossentropy", t), ("categorical_crossentropy", t), ("sparse_categorical_crossentropy", labels),
        ):  # fmt: skip
            ours = getattr(fastgd.ops, name)(target, given, from_logits=from_logits)
            theirs = keras.ops.convert_to_numpy(getattr(keras.ops, name)(target, given, from_logits=from_logits))
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def train(library: Any, loss: Any, kinds: str, weight: Any, weights: list[Any] | None) -> tuple[Any, list[Any]]:
    """Return the losses of three epochs and the weights before them."""
    dtype = {"dtype": "float64"}
    model = library.Sequential(
        [
            library.Input((4,), **dtype),
            library.layers.Dense(6, activation="tanh", **({} if library is fastgd else dtype)),
            library.layers.Dense(5, activation="sigmoid", **({} if library is fastgd else dtype)),
        ]
    )
    model.compile(optimizer=library.optimizers.SGD(0.125), loss=loss)
    if weights is not None:
        model.set_weights(weights)
    start = [np.array(w) for w in model.get_weights()]
    x = np.random.default_rng(3).normal(size=(26, 4))
    _, t = draw(kinds, (26, 5), 5)
    history = model.fit(x, t, epochs=3, batch_size=8, shuffle=False, verbose=0, sample_weight=weight)
    return history.history["loss"], start


@pytest.mark.parametrize(("name", "kinds", "config"), CASES, ids=IDS)
def test_training(name: str, kinds: str, config: dict[str, Any]) -> None:
    # Each of the reductions for some.
    reduction = REDUCTIONS[(len(name) + len(config)) % 4]
    weight = np.random.default_rng(7).uniform(0.5, 2.0, 26)
    made = [getattr(lib.losses, name)(**config, reduction=reduction) for lib in (fastgd, keras)]
    ours, start = train(fastgd, made[0], kinds, weight, None)
    theirs, _ = train(keras, made[1], kinds, weight, start)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def custom(library: Any) -> Any:
    """Return a loss class of one's own, written as in Keras."""
    own = {"abstract": True} if library is fastgd else {}

    class Both(library.losses.Loss, **own):  # type: ignore[misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            squared = library.losses.mean_squared_error(y_true, y_pred)
            entropy = library.ops.categorical_crossentropy(y_true, y_pred)
            return library.ops.sum_of([squared, entropy]) if library is fastgd else squared + entropy

    return Both


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_training_with_a_loss_of_ones_own(reduction: str) -> None:
    weight = np.random.default_rng(8).uniform(0.5, 2.0, 26)
    ours, start = train(fastgd, custom(fastgd)(reduction=reduction), "pd", weight, None)
    theirs, _ = train(keras, custom(keras)(reduction=reduction), "pd", weight, start)
    np.testing.assert_allclose(ours, theirs, rtol=1e-11)


OF_BATCHES: list[tuple[str, dict[str, Any]]] = [
    ("Dice", {}),
    ("Tversky", {"alpha": 0.3, "beta": 0.8}),
    ("Dice", {"axis": 0}),
]


@pytest.mark.parametrize("reduction", REDUCTIONS[:4])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "config"), OF_BATCHES, ids=str)
def test_values_of_whole_batches(name: str, config: dict[str, Any], weighted: bool, reduction: str) -> None:
    if weighted and "axis" in config:
        pytest.skip("there is no value per sample to be weighted")
    weight = np.random.default_rng(7).uniform(0.5, 2.0, 26) if weighted else None
    p, t = draw("pt", (26, 5))
    ours, theirs = both(name, {**config, "reduction": reduction}, t, p, weight)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    made = [getattr(lib.losses, name)(**config, reduction=reduction) for lib in (fastgd, keras)]
    history, start = train(fastgd, made[0], "pt", weight, None)
    expected, _ = train(keras, made[1], "pt", weight, start)
    np.testing.assert_allclose(history, expected, rtol=1e-11)


CIRCLES: list[dict[str, Any]] = [{}, {"remove_diagonal": False}, {"gamma": 4.0, "margin": 0.15}]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("config", CIRCLES, ids=str)
def test_circle(config: dict[str, Any], reduction: str | None) -> None:
    p, t = draw("xi", (26, 5))
    p /= np.linalg.norm(p, axis=1, keepdims=True)
    # A label that no other sample has: with nothing near, the sample does not count.
    t[3] = 4711
    weight = np.random.default_rng(7).uniform(0.5, 2.0, 26)
    for weights in (None, weight):
        ours, theirs = both("Circle", {**config, "reduction": reduction}, t, p, weights)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    if reduction in REDUCTIONS[:4]:
        made = [lib.losses.Circle(**config, reduction=reduction) for lib in (fastgd, keras)]
        history, start = train(fastgd, made[0], "xi", weight, None)
        expected, _ = train(keras, made[1], "xi", weight, start)
        np.testing.assert_allclose(history, expected, rtol=1e-10)


def test_circle_among_other_embeddings() -> None:
    (p, t), (q, u) = draw("xi", (7, 5), 1), draw("xi", (9, 5), 2)
    for config in CIRCLES:
        for others in ((), (u, q)):
            ours = fastgd.losses.circle(t, p, *others, **config)
            theirs = keras.ops.convert_to_numpy(keras.losses.circle(t, p, *others, **config))
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_metrics_of_whole_batches() -> None:
    p, t = draw("pt", (26, 5))
    logs = []
    for lib in (fastgd, keras):
        model = lib.Sequential([lib.Input((5,), dtype="float64"), lib.layers.Activation("linear", dtype="float64")])
        wrapped = lib.metrics.MeanMetricWrapper(lib.losses.tversky, name="wrapped", alpha=0.3)
        model.compile("sgd", "mse", metrics=[lib.losses.dice, wrapped])
        logs.append(model.evaluate(p, t, batch_size=8, verbose=0, return_dict=True))
    assert list(logs[0]) == list(logs[1])
    for key, value in logs[1].items():
        np.testing.assert_allclose(logs[0][key], value, rtol=1e-11, err_msg=key)
