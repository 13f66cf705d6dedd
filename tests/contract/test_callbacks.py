"""What every callback must do: run through fit, evaluate and predict, and change nothing where it only looks on."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from cases import ClassCase, callback_cases
from contract.registered import callback_classes
from fastgd import runtime
from fastgd.callbacks import Callback
from fastgd.layers import Dense

ROWS = list(callback_cases())
# What callbacks add to the logs.
ADDED = {
    "CriticalPoint": {"gradient_norm"},
    "LearningRateScheduler": {"learning_rate"},
    "ReduceLROnPlateau": {"learning_rate"},
}
# What validates other weights than those that are trained.
VALIDATES_OTHERS = {"SwapEMAWeights"}
LAMBDA_HOOKS = ("epoch_begin", "epoch_end", "train_begin", "train_end", "train_batch_begin", "train_batch_end")
# The arguments and defaults of Keras 3.15, which has no CriticalPoint, and whose ReduceLROnPlateau takes any further
# keyword and forgets it.
SIGNATURES: dict[str, dict[str, Any]] = {
    "BackupAndRestore": {
        "backup_dir": inspect.Parameter.empty,
        "save_freq": "epoch",
        "double_checkpoint": False,
        "delete_checkpoint": True,
    },
    "CSVLogger": {"filename": inspect.Parameter.empty, "separator": ",", "append": False},
    "CriticalPoint": {"tolerance": 1e-5, "every": 1, "restore_best_weights": True, "verbose": 0},
    "EarlyStopping": {
        "monitor": "val_loss",
        "min_delta": 0,
        "patience": 0,
        "verbose": 0,
        "mode": "auto",
        "baseline": None,
        "restore_best_weights": False,
        "start_from_epoch": 0,
    },
    "History": {},
    "LambdaCallback": {**{f"on_{hook}": None for hook in LAMBDA_HOOKS}, "kwargs": inspect.Parameter.empty},
    "LearningRateScheduler": {"schedule": inspect.Parameter.empty, "verbose": 0},
    "ModelCheckpoint": {
        "filepath": inspect.Parameter.empty,
        "monitor": "val_loss",
        "verbose": 0,
        "save_best_only": False,
        "save_weights_only": False,
        "mode": "auto",
        "save_freq": "epoch",
        "initial_value_threshold": None,
    },
    "ProgbarLogger": {},
    "ReduceLROnPlateau": {
        "monitor": "val_loss",
        "factor": 0.1,
        "patience": 10,
        "verbose": 0,
        "mode": "auto",
        "min_delta": 1e-4,
        "cooldown": 0,
        "min_lr": 0.0,
    },
    "SwapEMAWeights": {"swap_on_epoch": False},
    "TensorBoard": {
        "log_dir": "logs",
        "histogram_freq": 0,
        "write_graph": True,
        "write_images": False,
        "write_steps_per_second": False,
        "update_freq": "epoch",
        "profile_batch": 0,
        "embeddings_freq": 0,
        "embeddings_metadata": None,
    },
    "TerminateOnNaN": {"raise_error": False},
}
NEEDS = {"TensorBoard": "tensorboardX", "ModelCheckpoint": "h5py", "BackupAndRestore": "h5py"}
HOOKS = [name for name in dir(Callback) if name.startswith("on_")]


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Some write files where the process runs.
    monkeypatch.chdir(tmp_path)


def make(case: ClassCase) -> Any:
    if case.cls in NEEDS:
        pytest.importorskip(NEEDS[case.cls])
    return callback_classes()[case.cls](**case.config)


def trained(callbacks: list[Any]) -> tuple[Any, Any]:
    """Return a model trained in the presence of some callbacks, and its history."""
    fastgd.utils.set_random_seed(2)
    model = fastgd.Sequential([fastgd.Input((3,)), Dense(5, "tanh"), Dense(1)])
    model.compile(fastgd.optimizers.Adam(use_ema=True), "mse", metrics=["mae"])
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(30, 3)), rng.normal(size=30)
    history = model.fit(x, t, 8, epochs=3, verbose=0, validation_split=0.2, callbacks=callbacks)
    model.evaluate(x, t, verbose=0, callbacks=callbacks)
    model.predict(x, verbose=0, callbacks=callbacks)
    return model, history


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.cls)
def test_looking_on_changes_nothing(case: ClassCase, backend: str) -> None:
    with fastgd.backend(backend):
        model, history = trained([make(case)])
        expected, expected_history = trained([])
    assert set(history.history) - set(expected_history.history) == ADDED.get(case.cls, set())
    compared = [name for name in expected_history.history if case.cls not in VALIDATES_OTHERS or "val" not in name]
    assert {n: history.history[n] for n in compared} == {n: expected_history.history[n] for n in compared}
    assert history.epoch == [0, 1, 2]
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.cls)
def test_it_gets_model_and_parameters(case: ClassCase) -> None:
    callback = make(case)
    model, _ = trained([callback])
    assert callback.model is model
    assert set(callback.params) == {"verbose", "epochs", "steps"}


@pytest.mark.parametrize("name", callback_classes())
def test_hooks_have_the_signatures_of_the_base(name: str) -> None:
    cls = callback_classes()[name]
    for hook in HOOKS:
        own, base = inspect.signature(getattr(cls, hook)), inspect.signature(getattr(Callback, hook))
        assert list(own.parameters) == list(base.parameters), hook


@pytest.mark.parametrize("name", callback_classes())
def test_arguments_are_those_of_keras(name: str) -> None:
    parameters = inspect.signature(callback_classes()[name]).parameters.values()
    assert [(p.name, p.default) for p in parameters] == list(SIGNATURES[name].items())
