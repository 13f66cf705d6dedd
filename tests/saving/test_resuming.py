"""Trainings that are interrupted and go on: the same bits as without the interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import callbacks, layers, ops

pytest.importorskip("h5py")

RNG = np.random.default_rng(4)
X, Y = RNG.normal(size=(43, 5)), RNG.normal(size=(43, 2))


class Crash(callbacks.Callback):
    """Raises after so many batches."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise InterruptedError


class Batches(fastgd.utils.PyDataset):
    """The rows in seven batches."""

    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> Any:
        return X[index * 6 : index * 6 + 6], Y[index * 6 : index * 6 + 6]


class OwnStep(fastgd.Model):
    """A model with a step of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = layers.Dense(6, "tanh"), layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.head(self.inner(x))

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with fastgd.GradientTape() as tape:
            loss = ops.mean(ops.square(self(x, training=True) - y))
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        return {"loss": float(loss)}


def new_model(kind: str) -> Any:
    if kind == "step":
        model: Any = OwnStep()
        model.build((None, 5))
    else:
        model = fastgd.Sequential(
            [fastgd.Input((5,)), layers.Dense(6, "tanh"), layers.BatchNormalization(), layers.Dropout(0.3),
             layers.GaussianNoise(0.1), layers.Dense(2)]
        )  # fmt: skip
    rate = fastgd.optimizers.schedules.CosineDecay(0.05, 30)
    model.compile(fastgd.optimizers.AdamW(rate, use_ema=True, gradient_accumulation_steps=2), "mse", metrics=["mae"])
    return model


def train(kind: str, seed: int, *more: Any) -> Any:
    """Train a new model for 4 epochs, with shuffled rows, and return it with its history."""
    fastgd.utils.set_random_seed(seed)
    model = new_model(kind)
    if seed == 1:
        # The weights of all runs are those of the first, which a backup restores; here they begin alike.
        fastgd.utils.set_random_seed(9)
    given: Any = (Batches(), None, None) if kind == "stream" else (X, Y, 8)
    steps = 4 if kind == "steps" else None
    history = model.fit(*given, epochs=4, verbose=0, callbacks=list(more), steps_per_epoch=steps)
    return model, history.history


@pytest.mark.parametrize("kind", ["rows", "steps", "stream", "step"])
@pytest.mark.parametrize(("save_freq", "crashes"), [("epoch", (8, 15)), (1, (9,)), (3, (4, 15))])
def test_a_resumed_training_ends_with_the_same_bits(
    kind: str, save_freq: Any, crashes: tuple[int, ...], tmp_path: Path
) -> None:
    expected, history = train(kind, 1)
    for after in crashes:
        folder = tmp_path / str(after)
        with pytest.raises(InterruptedError):
            train(kind, 1, callbacks.BackupAndRestore(folder, save_freq), Crash(after))
        # Another seed: everything must come from the backup.
        resumed, rest = train(kind, 2, callbacks.BackupAndRestore(folder, save_freq))
        assert not folder.exists()
        assert resumed.optimizer.calls == expected.optimizer.calls
        for a, b in zip(resumed.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        for name, values in expected.optimizer.slots.items():
            np.testing.assert_array_equal(resumed.optimizer.slots[name], values, err_msg=name)
        if kind != "step":
            for name, values in history.items():
                np.testing.assert_allclose(rest[name], values[-len(rest[name]) :], rtol=1e-12)


def test_a_damaged_backup_is_told_and_the_one_before_taken(tmp_path: Path) -> None:
    for double in (False, True):
        folder = tmp_path / str(double)
        with pytest.raises(InterruptedError):
            train("rows", 1, callbacks.BackupAndRestore(folder, 5, double_checkpoint=double), Crash(17))
        latest = folder / "latest.weights.h5"
        latest.write_bytes(latest.read_bytes()[:-100])
        again = callbacks.BackupAndRestore(folder, 5, double_checkpoint=double, delete_checkpoint=False)
        if double:
            model, _ = train("rows", 2, again)
            expected, _ = train("rows", 1)
            np.testing.assert_array_equal(model.get_weights()[0], expected.get_weights()[0])
            assert latest.exists()
        else:
            with pytest.raises(ValueError, match="damaged"):
                train("rows", 2, again)


def test_the_generator_goes_on_too(tmp_path: Path) -> None:
    train("rows", 1)
    expected = fastgd.utils.seeds.draw_seed()
    with pytest.raises(InterruptedError):
        train("rows", 1, callbacks.BackupAndRestore(tmp_path / "b"), Crash(8))
    train("rows", 2, callbacks.BackupAndRestore(tmp_path / "b"))
    assert fastgd.utils.seeds.draw_seed() == expected


def test_model_checkpoint_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    every = callbacks.ModelCheckpoint(tmp_path / "a" / "{epoch:02d}-{loss:.2f}.keras")
    batches = callbacks.ModelCheckpoint(tmp_path / "b{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=5)
    best = callbacks.ModelCheckpoint(tmp_path / "best.keras", "mae", 1, True, mode="max", initial_value_threshold=0.1)
    _, history = train("rows", 1, every, batches, best)
    names = [f"{k + 1:02d}-{loss:.2f}.keras" for k, loss in enumerate(history["loss"])]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == names
    found = sorted(path.name for path in tmp_path.glob("b*.h5"))
    assert found == ["b1-5.weights.h5", "b2-4.weights.h5", "b3-3.weights.h5", "b4-2.weights.h5"]
    assert best.best == max(history["mae"])
    said = capsys.readouterr().out
    assert f"Epoch 1: mae improved from 0.10000 to {history['mae'][0]:.5f}, saving model to" in said
    assert "did not improve from" in said
    last = fastgd.models.load_model(tmp_path / "a" / names[-1])
    assert last.optimizer.calls == 24
    with pytest.raises(ValueError, match="which is not in the logs"):
        train("rows", 1, callbacks.ModelCheckpoint(tmp_path / "{nothing}.keras"))
    with pytest.warns(UserWarning, match="saves every time"):
        train("rows", 1, callbacks.ModelCheckpoint(tmp_path / "c.keras", save_best_only=True))
    with pytest.raises(ValueError, match=r"must end in '.keras'"):
        callbacks.ModelCheckpoint("m.h5")
