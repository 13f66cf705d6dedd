"""What `fastgd train` does: builds the network, fits it, evaluates it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

import fastgd
from fastgd.cli.data import Problem
from fastgd.cli.display import epoch_display, show_results
from fastgd.cli.running import running


@dataclass(frozen=True)
class Settings:
    """The options of `fastgd train`; the command line documents each."""

    activation: str
    learning_rate: float | None
    seed: int
    threads: int | None
    backend: str | None
    dtype: str
    hidden: tuple[int, ...] = (64, 32)
    dropout: float = 0.0
    optimizer: str = "adam"
    batch_size: int = 32
    epochs: int = 60
    validation_split: float = 0.1


def train(problem: Problem, settings: Settings) -> None:
    """Train a dense network on `problem`, showing each epoch, and print the closing table.

    Raises:
        ValueError: an option has a value that cannot be used.
    """
    with running(settings.backend, settings.threads):
        fastgd.utils.set_random_seed(settings.seed)
        model = build(problem, settings)
        validates = int(len(problem.x_train) * settings.validation_split) > 0
        with epoch_display(settings.epochs) as callback:
            start = time.perf_counter()
            history = model.fit(
                problem.x_train,
                problem.y_train,
                batch_size=settings.batch_size,
                epochs=settings.epochs,
                validation_split=settings.validation_split if validates else 0.0,
                verbose=0,
                callbacks=[callback],
            )
            seconds = time.perf_counter() - start
        test_loss, *test_metrics = np.atleast_1d(model.evaluate(problem.x_test, problem.y_test, verbose=0)).tolist()
    trained = len(problem.x_train) - int(len(problem.x_train) * settings.validation_split)
    quality = ("accuracy", test_metrics[0]) if problem.classes else ("R2", _explained(problem, test_loss))
    show_results(
        name=problem.name,
        train_loss=history.history["loss"][-1],
        test_loss=test_loss,
        quality=quality,
        seconds=seconds,
        samples=trained * settings.epochs,
    )


def build(problem: Problem, settings: Settings) -> fastgd.Sequential:
    """Return the compiled network: dense hidden layers, then softmax for classes or plain numbers for a regression."""
    dtype = settings.dtype
    model = fastgd.Sequential([fastgd.Input(shape=problem.x_train.shape[1:], dtype=dtype)])
    if problem.x_train.ndim > 2:
        model.add(fastgd.layers.Flatten(dtype=dtype))
    for units in settings.hidden:
        model.add(fastgd.layers.Dense(units, activation=settings.activation, dtype=dtype))
        if settings.dropout:
            model.add(fastgd.layers.Dropout(settings.dropout, dtype=dtype))
    final = "softmax" if problem.classes else None
    model.add(fastgd.layers.Dense(problem.outputs, activation=final, dtype=dtype))
    optimizer = fastgd.optimizers.get(settings.optimizer)
    if settings.learning_rate is not None:
        optimizer = type(optimizer)(learning_rate=settings.learning_rate)
    model.compile(
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy" if problem.classes else "mean_squared_error",
        metrics=["accuracy"] if problem.classes else [],
    )
    return model


def _explained(problem: Problem, loss: float) -> float:
    # R2 = 1 - (mean squared error) / (variance of the targets), both in the scaled units.
    variance = float(problem.y_test.var(axis=0, dtype=np.float64).mean())
    return 1.0 - loss / variance if variance > 0 else float("nan")
