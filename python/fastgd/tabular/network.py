"""The networks behind a table: built side by side on one input, trained one after the other, averaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgd import activations, layers, models, optimizers
from fastgd.callbacks import Callback, EarlyStopping
from fastgd.utils.checks import check_int, check_real, check_share
from fastgd.utils.errors import invalid

Array = NDArray[Any]
# From so many rows on batches are larger: enough of them are left in an epoch.
MANY_ROWS, SMALL_BATCH, LARGE_BATCH = 10_000, 32, 128


@dataclass(frozen=True)
class NetworkSettings:
    """How the networks are built and trained.

    Attributes:
        hidden: the units of each hidden layer, none for a linear model.
        activation: theirs.
        dropout: the share of their outputs that is dropped in training.
        optimizer: the name of one.
        learning_rate: its rate; the optimizer's own default if None.
        batch_size: samples a batch; 32 if None, and 128 from 10,000 rows on.
        epochs: the most passes over the data.
        patience: how many epochs without a better loss on the held part are allowed.
        validation: the share of the rows that each network holds out to stop by; 0 trains for all epochs.
        networks: how many there are, each holding out other rows.
        dtype: "float32" or "float64".

    Raises:
        TypeError, ValueError: if one of them has no such value.
    """

    hidden: tuple[int, ...] = (128, 64)
    activation: str = "relu"
    dropout: float = 0.2
    optimizer: str = "adamw"
    learning_rate: float | None = None
    batch_size: int | None = None
    epochs: int = 200
    patience: int = 15
    validation: float = 0.125
    networks: int = 8
    dtype: str = "float32"

    def __post_init__(self) -> None:
        for units in self.hidden:
            check_int("hidden", units, 1)
        check_share("dropout", self.dropout)
        check_share("validation", self.validation)
        for name, count in (("epochs", self.epochs), ("patience", self.patience), ("networks", self.networks)):
            check_int(name, count, 1)
        # Unknown names are told here, before anything is read or built.
        activations.get(self.activation)
        optimizers.get(self.optimizer)
        if self.batch_size is not None:
            check_int("batch_size", self.batch_size, 1)
        if self.learning_rate is not None:
            check_real("learning_rate", self.learning_rate, 0.0)
        if self.dtype not in ("float32", "float64"):
            raise invalid("`dtype` must be float32 or float64.", dtype=self.dtype)


@dataclass(frozen=True)
class Run:
    """What became of one network: its epochs, the best of them, and the loss on the held part there."""

    epochs: int
    best_epoch: int
    loss: float


def build(features: int, classes: int | None, settings: NetworkSettings) -> tuple[models.Model, list[models.Model]]:
    """Return the average of the networks, and each of them, with shared weights.

    Each is Dense layers with dropout and, beside them, one linear layer from the input to the output, which starts at
    zero: what a linear model can tell needs no hidden layer.

    Args:
        features: the inputs.
        classes: how many there are, or None for a regression.
        settings: the rest.
    """
    dtype = settings.dtype
    inputs = layers.Input(shape=(features,), dtype=dtype)
    units = 1 if classes is None else classes
    outputs = []
    for _ in range(settings.networks):
        hidden = inputs
        for width in settings.hidden:
            hidden = layers.Dense(width, activation=settings.activation, dtype=dtype)(hidden)
            if settings.dropout:
                hidden = layers.Dropout(settings.dropout, dtype=dtype)(hidden)
        output = layers.Dense(units, dtype=dtype)(hidden)
        if settings.hidden:
            line = layers.Dense(units, use_bias=False, kernel_initializer="zeros", dtype=dtype)(inputs)
            output = layers.Add(dtype=dtype)([output, line])
        if classes is not None:
            output = layers.Activation("softmax", dtype=dtype)(output)
        outputs.append(output)
    members = [models.Model(inputs, output) for output in outputs]
    average = members[0] if len(members) == 1 else models.Model(inputs, layers.Average(dtype=dtype)(outputs))
    return average, members


def train_networks(
    members: Sequence[models.Model],
    x: Array,
    y: Array,
    weights: Array | None,
    order: NDArray[np.intp],
    settings: NetworkSettings,
    callbacks: Callable[[int], Iterable[Callback]],
) -> list[Run]:
    """Fit each network to the rows that it does not hold out and return what became of it.

    Args:
        members: the networks.
        x, y: features and encoded targets.
        weights: a weight per row, or None.
        order: the rows in the order in which the networks hold them out, one stretch each.
        settings: how to train.
        callbacks: gives the callbacks for the network of a number, besides that which stops it.
    """
    is_class = y.dtype.kind == "i"
    many = len(x) >= MANY_ROWS
    batch_size = settings.batch_size or (LARGE_BATCH if many else SMALL_BATCH)
    runs = []
    for number, member in enumerate(members):
        member.compile(
            optimizer=_optimizer(settings),
            loss="sparse_categorical_crossentropy" if is_class else "mean_squared_error",
            weighted_metrics=[],
        )
        held = held_rows(order, number, settings)
        kept = ~held
        stopper = EarlyStopping(patience=settings.patience, restore_best_weights=True)
        history = member.fit(
            x[kept],
            y[kept],
            sample_weight=None if weights is None else weights[kept],
            validation_data=_rows(held, x, y, weights) if held.any() else None,
            batch_size=batch_size,
            epochs=settings.epochs,
            verbose=0,
            callbacks=[*callbacks(number), *([stopper] if held.any() else [])],
        ).history
        losses = history.get("val_loss", history["loss"])
        if not np.isfinite(losses[-1]):
            raise ValueError(f"Training diverged: the loss became {losses[-1]}. Lower the learning rate")
        best = stopper.best_epoch if held.any() else len(losses) - 1
        runs.append(Run(len(losses), best + 1, float(losses[best])))
    return runs


def held_rows(order: NDArray[np.intp], number: int, settings: NetworkSettings) -> NDArray[np.bool_]:
    """Return which rows a network holds out: stretches that begin evenly apart, and overlap only if they must."""
    rows = len(order)
    start, count = rows * number // settings.networks, round(rows * settings.validation)
    if settings.validation and not 0 < count < rows:
        raise ValueError(
            f"Of {rows} rows a share of {settings.validation} leaves none to learn from or none to stop by"
        )
    held = np.zeros(rows, dtype=bool)
    held[order[(start + np.arange(count)) % rows]] = True
    return held


def balanced_weights(y: Array) -> Array:
    """Return a weight per row, n / (k n_c) for one of the n_c rows of a class: each of k classes has n / k in all."""
    counts = np.bincount(y)
    return np.asarray((len(y) / (len(counts) * np.maximum(counts, 1)))[y])


def spread_classes(y: Array, seed: int) -> NDArray[np.intp]:
    """Return a random order of the rows in which each stretch holds every class by its share."""
    random = np.random.default_rng(seed)
    places = np.empty(len(y))
    for number, count in enumerate(np.bincount(y)):
        places[y == number] = (random.permutation(count) + random.random(count)) / max(count, 1)
    return np.argsort(places)


def _rows(chosen: NDArray[np.bool_], *arrays: Array | None) -> tuple[Array, ...]:
    return tuple(array[chosen] for array in arrays if array is not None)


def _optimizer(settings: NetworkSettings) -> Any:
    optimizer = optimizers.get(settings.optimizer)
    rate = settings.learning_rate
    return optimizer if rate is None else type(optimizer)(learning_rate=rate)
