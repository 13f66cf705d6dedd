"""Losses, metrics and activations in plain NumPy, from the textbook and not from fastgd.reference."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# config.epsilon(), by which probabilities are kept from 0 and 1.
EPSILON = 1e-7


def one_hot(t: Array, classes: int) -> Array:
    return np.asarray(np.arange(classes) == t[..., None], np.float64)


def sigmoid(z: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-z))


def softmax(z: Array) -> Array:
    e = np.exp(z)
    return np.asarray(e / np.sum(e, axis=-1, keepdims=True))


def sparsemax(x: Array) -> Array:
    """Return the nearest distribution to x, its threshold found by halving the interval that holds it."""
    low, high = x.max() - 1.0, x.max()
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(x - middle, 0).sum() > 1.0 else (low, middle)
    return np.maximum(x - high, 0)


def clip(p: Array) -> Array:
    return np.minimum(np.maximum(p, EPSILON), 1.0 - EPSILON)


def binary_crossentropy(p: Array, t: Array, from_logits: bool = False, label_smoothing: float = 0.0) -> Array:
    q = sigmoid(p) if from_logits else clip(p)
    smooth = t * (1.0 - label_smoothing) + label_smoothing / 2.0
    return np.asarray(np.mean(-smooth * np.log(q) - (1.0 - smooth) * np.log(1.0 - q), axis=-1))


def categorical_crossentropy(p: Array, t: Array, from_logits: bool = False, label_smoothing: float = 0.0) -> Array:
    q = softmax(p) if from_logits else clip(p / np.sum(p, axis=-1, keepdims=True))
    smooth = t * (1.0 - label_smoothing) + label_smoothing / p.shape[-1]
    return np.asarray(-np.sum(smooth * np.log(q), axis=-1))


def focal_binary_crossentropy(
    p: Array,
    t: Array,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    q = sigmoid(p) if from_logits else p
    smooth = t * (1.0 - label_smoothing) + label_smoothing / 2.0
    e = -smooth * np.log(clip(q)) - (1.0 - smooth) * np.log(1.0 - clip(q))
    weight = smooth * alpha + (1.0 - smooth) * (1.0 - alpha) if apply_class_balancing else 1.0
    return np.asarray(np.mean(weight * (1.0 - smooth * q - (1.0 - smooth) * (1.0 - q)) ** gamma * e, axis=-1))


def focal_categorical_crossentropy(
    p: Array,
    t: Array,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    q = softmax(p) if from_logits else p
    q = clip(q / np.sum(q, axis=-1, keepdims=True))
    smooth = t * (1.0 - label_smoothing) + label_smoothing / p.shape[-1]
    return np.asarray(-np.sum(alpha * (1.0 - q) ** gamma * smooth * np.log(q), axis=-1))


def signed(t: Array) -> Array:
    return 2.0 * t - 1.0 if np.isin(t, (0.0, 1.0)).all() else t


def margin(p: Array, t: Array) -> Array:
    return np.asarray(np.maximum(1.0 - signed(t) * p, 0.0))


def huber(p: Array, t: Array, delta: float = 1.0) -> Array:
    d = np.abs(p - t)
    return np.asarray(np.mean(np.where(d <= delta, d**2 / 2.0, delta * d - delta**2 / 2.0), axis=-1))


def cosine(p: Array, t: Array) -> Array:
    return np.asarray(np.sum(p * t, axis=-1) / np.sqrt(np.sum(p * p, axis=-1) * np.sum(t * t, axis=-1)))


def tversky(p: Array, t: Array, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Array:
    common, lacking, excess = (np.sum(x, axis) for x in (p * t, t * (1 - p), p * (1 - t)))
    return np.asarray(1.0 - common / (common + alpha * lacking + beta * excess + 1e-7))


def dice(p: Array, t: Array, axis: Any = None) -> Array:
    return np.asarray(1.0 - 2 * np.sum(p * t, axis) / (np.sum(p, axis) + np.sum(t, axis) + 1e-7))


def circle(p: Array, t: Array, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True) -> Array:
    values = []
    for i, (x, label) in enumerate(zip(p, t, strict=True)):
        near = far = 0.0
        for j, (other, its) in enumerate(zip(p, t, strict=True)):
            d = max(1.0 - x @ other, 0.0)
            if its != label:
                far += math.exp(gamma * max(1.0 + margin - d, 0.0) * (1.0 - margin - d))
            elif i != j or not remove_diagonal:
                near += math.exp(gamma * max(margin + d, 0.0) * (d - margin))
        values.append(math.log1p(near * far))
    return np.array(values)


def in_top_k(p: Array, t: Array, k: int) -> Array:
    return np.asarray(np.any(np.argsort(-p, axis=-1)[..., :k] == t[..., None], axis=-1), np.float64)


def concordance(p: Array, t: Array) -> Array:
    apart = (p.mean(axis=-1) - t.mean(axis=-1)) ** 2
    covariance = (p * t).mean(axis=-1) - p.mean(axis=-1) * t.mean(axis=-1)
    return np.asarray(2 * covariance / (p.var(axis=-1) + t.var(axis=-1) + apart + EPSILON))


# The value of every row of the last axis, for predictions p (..., c) and targets t.
ROW_VALUES: dict[str, Callable[..., Array]] = {
    "MeanSquaredError": lambda p, t: np.mean((p - t) ** 2, axis=-1),
    "MeanAbsoluteError": lambda p, t: np.mean(np.abs(p - t), axis=-1),
    "MeanAbsolutePercentageError": lambda p, t: np.mean(100.0 * np.abs(p - t) / np.abs(t), axis=-1),
    "MeanSquaredLogarithmicError": lambda p, t: np.mean(np.log((1.0 + p) / (1.0 + t)) ** 2, axis=-1),
    "Huber": huber,
    "LogCosh": lambda p, t: np.mean(np.log(np.cosh(p - t)), axis=-1),
    "LogCoshError": lambda p, t: np.mean(np.log(np.cosh(p - t)), axis=-1),
    "Poisson": lambda p, t: np.mean(p - t * np.log(p + EPSILON), axis=-1),
    "KLDivergence": lambda p, t: np.sum(t * np.log(t / p), axis=-1),
    "CosineSimilarity": cosine,
    "Hinge": lambda p, t: np.mean(margin(p, t), axis=-1),
    "SquaredHinge": lambda p, t: np.mean(margin(p, t) ** 2, axis=-1),
    "CategoricalHinge": lambda p, t: np.maximum(0.0, 1.0 + np.max((1.0 - t) * p, axis=-1) - np.sum(t * p, axis=-1)),
    "BinaryFocalCrossentropy": focal_binary_crossentropy,
    "CategoricalFocalCrossentropy": focal_categorical_crossentropy,
    "BinaryCrossentropy": binary_crossentropy,
    "CategoricalCrossentropy": categorical_crossentropy,
    "SparseCategoricalCrossentropy": lambda p, t, **config: categorical_crossentropy(
        p, one_hot(t, p.shape[-1]), **config
    ),
    "Accuracy": lambda p, t: np.mean(p == t, axis=-1),
    "BinaryAccuracy": lambda p, t, threshold=0.5: np.mean((p > threshold) == (t == 1.0), axis=-1),
    "CategoricalAccuracy": lambda p, t: (np.argmax(p, axis=-1) == np.argmax(t, axis=-1)).astype(float),
    "SparseCategoricalAccuracy": lambda p, t: (np.argmax(p, axis=-1) == t).astype(float),
    "TopKCategoricalAccuracy": lambda p, t, k=5: in_top_k(p, np.argmax(t, axis=-1), k),
    "SparseTopKCategoricalAccuracy": lambda p, t, k=5: in_top_k(p, t, k),
    "PearsonCorrelation": lambda p, t: np.vectorize(lambda a, b: np.corrcoef(a, b)[0, 1], signature="(n),(n)->()")(
        p, t
    ),
    "ConcordanceCorrelation": lambda p, t: concordance(p, t),
    "MeanMetricWrapper": lambda p, t, fn: ROW_VALUES["".join(map(str.capitalize, fn.split("_")))](p, t),
}

# Where the loss is not what the metric of the same name is.
LOSS_ROW_VALUES: dict[str, Callable[..., Array]] = {
    **ROW_VALUES,
    "CosineSimilarity": lambda p, t: -cosine(p, t),
    "CategoricalGeneralizedCrossEntropy": lambda p, t, q=0.5: (1 - np.sum(p * one_hot(t, p.shape[-1]), -1) ** q) / q,
    "Circle": circle,
    "Dice": dice,
    "Tversky": tversky,
}

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "sigmoid": sigmoid,
    # (e^x - e^-x) / (e^x + e^-x), multiplied by e^x so that small x do not cancel.
    "tanh": lambda x: np.expm1(2 * x) / (np.expm1(2 * x) + 2),
    "relu": lambda x: np.where(x > 0, x, 0.0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "softmax": softmax,
    "log_softmax": lambda x: np.log(softmax(x)),
    "sparsemax": lambda x: np.apply_along_axis(sparsemax, -1, x),
    "relu6": lambda x: np.minimum(np.maximum(x, 0.0), 6.0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
    "celu": lambda x: np.maximum(x, 0.0) + np.minimum(0.0, np.expm1(np.minimum(x, 0.0))),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0.0))),
    "exponential": np.exp,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "log_sigmoid": lambda x: -np.log1p(np.exp(-x)),
    "softsign": lambda x: x / (1.0 + np.abs(x)),
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4.0)) / 2.0,
    "sparse_plus": lambda x: np.where(x <= -1, 0.0, np.where(x < 1, (x + 1.0) ** 2 / 4.0, x)),
    "sparse_sigmoid": lambda x: np.where(x <= -1, 0.0, np.where(x < 1, 0.5 * (x + 1.0), 1.0)),
    "hard_sigmoid": lambda x: np.where(x <= -3, 0.0, np.where(x < 3, x / 6.0 + 0.5, 1.0)),
    "hard_silu": lambda x: x * np.where(x <= -3, 0.0, np.where(x < 3, x / 6.0 + 0.5, 1.0)),
    "hard_tanh": lambda x: np.where(np.abs(x) < 1, x, np.sign(x)),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0.0),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0.0),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "gelu": lambda x: 0.5 * x * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0))),
}


def per_sample(rows: Array) -> Array:
    """Return the mean over all axes of row values but the first."""
    return np.asarray(np.mean(rows.reshape(len(rows), -1), axis=1))


def draw(kinds: str, shape: tuple[int, ...], n: int, seed: int = 0) -> tuple[Array, Array]:
    """Return n random predictions of a shape and targets, of the kinds that tests/cases.py names."""
    rng = np.random.default_rng(seed)
    full = (n, *shape)
    if kinds == "tt":
        return rng.integers(0, 2, full).astype(float), rng.integers(0, 2, full).astype(float)
    p = rng.uniform(0.02, 0.98, full) if kinds[0] == "p" else rng.normal(size=full)
    if kinds[1] == "i":
        return p, rng.integers(0, shape[-1], full[:-1])
    if kinds[1] == "d":
        return p, one_hot(rng.integers(0, shape[-1], full[:-1]), shape[-1])
    if kinds[1] == "p":
        return p, rng.uniform(0.02, 0.98, full)
    return p, rng.integers(0, 2, full).astype(float) if kinds[1] == "t" else rng.normal(size=full)
