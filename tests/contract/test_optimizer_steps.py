"""The steps around every rule: clipping, accumulation, weight decay, averages and loss scale, by their formulas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from contract.test_optimizer_formulas import BATCH, RATE, STEPS, adam, data, ftrl, sgd
from fastgd import _core, optimizers, runtime
from fastgd.callbacks import LambdaCallback, SwapEMAWeights
from fastgd.layers import Dense

Array = np.ndarray[Any, Any]
Config = dict[str, Any]

CONFIGS: list[Config] = [
    {"clipnorm": 0.3},
    {"clipnorm": 1e9},
    {"global_clipnorm": 0.5},
    {"global_clipnorm": 1e9},
    {"clipvalue": 0.1},
    {"use_ema": True},
    {"use_ema": True, "ema_momentum": 0.0},
    {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 7},
    {"gradient_accumulation_steps": 3},
    {"loss_scale_factor": 1000.0},
    {"clipvalue": 0.1, "gradient_accumulation_steps": 4, "use_ema": True, "weight_decay": 0.2},
    {"clipnorm": 0.2, "gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 5,
     "loss_scale_factor": 0.25, "weight_decay": 0.2},
    {"global_clipnorm": 0.2, "gradient_accumulation_steps": 7, "use_ema": True, "ema_overwrite_frequency": 2,
     "loss_scale_factor": 3.0},
]  # fmt: skip
RULES: dict[str, tuple[Any, Any]] = {
    "SGD": (lambda **steps: optimizers.SGD(RATE, 0.9, **steps), lambda: sgd(0.9)),
    "Adam": (lambda **steps: optimizers.Adam(RATE, **steps), adam),
    "Ftrl": (lambda **steps: optimizers.Ftrl(RATE, **steps), ftrl),
}


def model_of(optimizer: Any, dtype: str = "float64") -> Any:
    model = fastgd.Sequential([fastgd.Input((7,), dtype=dtype), Dense(5)])
    model.compile(optimizer, "mse")
    model.set_weights(data()[2:])
    return model


def clipped(gradients: list[Array], config: Config) -> list[Array]:
    if "clipvalue" in config:
        return [np.clip(g, -config["clipvalue"], config["clipvalue"]) for g in gradients]
    if "clipnorm" in config:
        return [g * config["clipnorm"] / max(np.linalg.norm(g), config["clipnorm"]) for g in gradients]
    if "global_clipnorm" in config:
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        return [g * min(1.0, config["global_clipnorm"] / norm) for g in gradients]
    return gradients


def expected_weights(config: Config, rule: Any) -> Iterator[tuple[list[Array], list[Array]]]:
    """Yield weights and averages after every batch of `data()`, with every step written out in Keras' order."""
    x, t, *weights = data()
    rules = [rule(), rule()]
    every = config.get("gradient_accumulation_steps", 1)
    collected: list[list[Array]] = []
    averages = weights
    for call in range(STEPS):
        rows = slice(call * BATCH, (call + 1) * BATCH)
        error = 2.0 * (x[rows] @ weights[0] + weights[1] - t[rows]) / t[rows].size
        collected.append([x[rows].T @ error, error.sum(axis=0)])
        updates = call // every
        if len(collected) == every:
            gradients = clipped([sum(parts) / every for parts in zip(*collected, strict=True)], config)
            weights = [w - w * config.get("weight_decay", 0.0) * RATE for w in weights]
            weights = [r(w, g, updates + 1) for r, w, g in zip(rules, weights, gradients, strict=True)]
            collected = []
        m = config.get("ema_momentum", 0.99) if updates else 0.0
        averages = [m * a + (1 - m) * w for a, w in zip(averages, weights, strict=True)]
        frequency = config.get("ema_overwrite_frequency")
        if frequency and (updates + 1) % frequency == 0:
            weights = averages
        yield weights, averages


@pytest.mark.parametrize("isa", [*_core.available_isas(), "numpy"])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_every_step_against_the_formulas(config: Config, name: str, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer = RULES[name][0](**config)
    model = model_of(optimizer)
    if isa != "numpy":
        monkeypatch.setenv("FASTGD_ISA", isa)
    x, t, *_ = data()
    with fastgd.backend("numpy" if isa == "numpy" else "native"):
        for call, (weights, averages) in enumerate(expected_weights(config, RULES[name][1])):
            rows = slice(call * BATCH, (call + 1) * BATCH)
            model.train_on_batch(x[rows], t[rows])
            for got, want in zip(model.get_weights(), weights, strict=True):
                tolerances.assert_close(got, want, tolerances.TWO_HUNDRED_UPDATES, what=f"weights of batch {call}")
            for got, want in zip(optimizer.slot_values("average") if optimizer.use_ema else [], averages, strict=False):
                tolerances.assert_close(got, want, tolerances.TWO_HUNDRED_UPDATES, what=f"average of batch {call}")


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_fit_does_the_same_and_ends_with_the_averages(config: Config, backend: str) -> None:
    *_, (weights, averages) = expected_weights(config, adam)
    model = model_of(optimizers.Adam(RATE, **config))
    x, t, *_ = data()
    with fastgd.backend(backend):
        model.fit(x, t, BATCH, shuffle=False, verbose=0)
    for got, want in zip(model.get_weights(), averages if config.get("use_ema") else weights, strict=True):
        tolerances.assert_close(got, want, tolerances.TWO_HUNDRED_UPDATES)


@pytest.mark.parametrize("clip", [{}, {"clipnorm": 0.1}, {"global_clipnorm": 0.1}, {"clipvalue": 0.01}], ids=str)
@pytest.mark.parametrize("work", ["0", "1"], ids=["every step shared out", "groups of samples"])
def test_small_batches_in_turn_are_one_large_batch(clip: Config, work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTGD_TEAM_WORK", work)
    x, t, *_ = data()
    weights = []
    for batch, every in ((64, 3), (192, None)):
        model = model_of(optimizers.SGD(0.5, 0.9, gradient_accumulation_steps=every, **clip))
        model.fit(x[:768], t[:768], batch, shuffle=False, epochs=3, verbose=0)
        assert model.optimizer.iterations == 12
        weights.append(model.get_weights())
    for got, want in zip(*weights, strict=True):
        tolerances.assert_close(got, want, tolerances.FIFTY_UPDATES)


def test_gradients_that_are_not_finite_are_seen() -> None:
    x, t, *_ = data()
    for backend in runtime.BACKENDS:
        for config in ({"clipnorm": 1.0}, {"global_clipnorm": 1.0}):
            model = model_of(optimizers.SGD(RATE, **config))
            with fastgd.backend(backend):
                model.train_on_batch(x[:4], t[:4] * 1e200)
            kernel, bias = model.get_weights()
            if "clipnorm" in config:  # The squares are infinite, and by their norm all elements become 0.
                np.testing.assert_array_equal(kernel, data()[2])
                np.testing.assert_array_equal(bias, data()[3])
            else:
                assert np.isnan(kernel).all() and np.isnan(bias).all()


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_the_loss_is_scaled_before_the_gradient(backend: str) -> None:
    x, t, *_ = data()
    with fastgd.backend(backend):
        results = []
        for scale in (None, 1024.0, 1e45):
            model = model_of(optimizers.SGD(RATE, loss_scale_factor=scale), "float32")
            losses = [model.train_on_batch(x[:40], t[:40]) for _ in range(5)]
            results.append((losses, model.get_weights()))
    (losses, weights), (scaled_losses, scaled_weights), (_, overflown) = results
    assert losses == scaled_losses
    for a, b in zip(weights, scaled_weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not any(np.isfinite(w).any() for w in overflown)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("how", ["var_list", "var_names"])
def test_some_weights_do_not_decay(how: str, backend: str) -> None:
    x, t, *_ = data()
    optimizer = optimizers.SGD(RATE, weight_decay=0.5)
    model = model_of(optimizer)
    excluded = [model.weights[1]] if how == "var_list" else ["gamma", "^bi"]
    optimizer.exclude_from_weight_decay(**{how: excluded})
    plain = model_of(optimizers.SGD(RATE))
    decayed = model_of(optimizers.SGD(RATE, weight_decay=0.5))
    with fastgd.backend(backend):
        for each in (model, plain, decayed):
            each.train_on_batch(x, t)
    np.testing.assert_array_equal(model.get_weights()[0], decayed.get_weights()[0])
    np.testing.assert_array_equal(model.get_weights()[1], plain.get_weights()[1])
    assert not np.array_equal(plain.get_weights()[1], decayed.get_weights()[1])
    with pytest.raises(ValueError, match="must be called before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"clipnorm": 0.0}, r"`clipnorm` must be above 0. Received: clipnorm=0.0"),
        ({"clipvalue": -1.0}, r"`clipvalue` must be above 0. Received: clipvalue=-1.0"),
        ({"global_clipnorm": float("inf")}, r"`global_clipnorm` must be finite. Received: global_clipnorm=inf"),
        (
            {"clipnorm": 1.0, "clipvalue": 2.0},
            r"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. "
            r"Received: clipnorm=1.0, clipvalue=2.0, global_clipnorm=None",
        ),
        ({"ema_momentum": 1.5}, r"`ema_momentum` must be between 0 and 1. Received: ema_momentum=1.5"),
        ({"ema_overwrite_frequency": 0}, r"`ema_overwrite_frequency` must be 1 or more. Received: .*=0"),
        ({"gradient_accumulation_steps": 1}, r"`gradient_accumulation_steps` must be 2 or more. Received: .*=1"),
        ({"loss_scale_factor": 0.0}, r"`loss_scale_factor` must be above 0. Received: loss_scale_factor=0.0"),
    ],
)
def test_wrong_values(config: Config, text: str) -> None:
    for cls in (optimizers.SGD, optimizers.AdamW, optimizers.Ftrl):
        with pytest.raises(ValueError, match=f"^{text}$"):
            cls(**config)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"use_ema": 1}, r"`use_ema` must be True or False. Received: use_ema=1"),
        ({"clipnorm": "1"}, r"`clipnorm` must be a number. Received: clipnorm='1'"),
        ({"gradient_accumulation_steps": 2.0}, r"`gradient_accumulation_steps` must be an integer. Received: .*=2.0"),
    ],
)
def test_wrong_types(config: Config, text: str) -> None:
    with pytest.raises(TypeError, match=f"^{text}$"):
        optimizers.SGD(**config)


def test_wrong_exclusions_and_slots() -> None:
    optimizer = optimizers.AdamW()
    with pytest.raises(TypeError, match="`var_names` must be a list of strings. Received: var_names='bias'"):
        optimizer.exclude_from_weight_decay(var_names="bias")
    with pytest.raises(ValueError, match=r"`var_names` must hold regular expressions: .* Received: var_names=\['\('\]"):
        optimizer.exclude_from_weight_decay(var_names=["("])
    with pytest.raises(TypeError, match="`var_list` must be a list of variables. Received"):
        optimizer.exclude_from_weight_decay(["bias"])
    with pytest.raises(ValueError, match="`name` must be one of the slots that were built: . Received: name='m'"):
        optimizer.slot_values("m")
    model = model_of(optimizers.SGD(use_ema=True))
    x, t, *_ = data()
    model.optimizer.finalize_variable_values([])
    model.train_on_batch(x, t)
    with pytest.raises(ValueError, match="`var_list` must hold the 2 variables of the optimizer. Received: length=0"):
        model.optimizer.finalize_variable_values([])
    with pytest.raises(ValueError, match="needs an optimizer with `use_ema=True` .* Received: use_ema=False"):
        model_of("sgd").fit(x, t, verbose=0, validation_data=(x, t), callbacks=[SwapEMAWeights()])


def test_native_engine_refuses_wrong_specs() -> None:
    from fastgd.plan import UpdateSpec
    from native.plans import classifier

    executor = _core.Executor(classifier((4, 3)))
    for spec, text in (
        (UpdateSpec("sgd", {"clipnorm": 1.0, "clipvalue": 1.0}), "clipped in one way only"),
        (UpdateSpec("sgd", {"ema_momentum": 0.9}), "needs 1 slots. Received: 0"),
        (UpdateSpec("sgd", {"weight_decay": 1.0}, (), (2,)), "`undecayed` names parameter 2 of 2"),
        (UpdateSpec("sgd", {"gradient_accumulation_steps": 1.0}, ("a",)), "must be 2 or more. Received: 1"),
    ):
        with pytest.raises(ValueError, match=text):
            executor.bind_update(spec, [np.zeros(32, np.float32) for _ in spec.slots])


def test_one_executor_may_change_between_streams_and_norms() -> None:
    # The same engine is bound anew; what it compiled for one optimizer must not run for the other.
    x, t, *_ = data()
    weights = []
    for backend in runtime.BACKENDS:
        with fastgd.backend(backend):
            model = model_of(optimizers.SGD(RATE))
            for limit in (None, 0.05, None, 0.1):
                model.optimizer.clipnorm = limit
                model.fit(x[:80], t[:80], BATCH, shuffle=False, verbose=0)
            weights.append(model.get_weights())
    for got, want in zip(*weights, strict=True):
        tolerances.assert_close(got, want, tolerances.TWO_HUNDRED_UPDATES)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swapping_averages(swap_on_epoch: bool, backend: str) -> None:
    x, t, *_ = data()
    config = {"use_ema": True, "ema_momentum": 0.9}
    seen: list[list[Array]] = []

    def train(callbacks: list[Any]) -> Any:
        model = model_of(optimizers.SGD(0.1, **config))
        look = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()))
        model.fit(x, t, 40, epochs=3, shuffle=False, verbose=0, validation_data=(x, t), callbacks=[*callbacks, look])
        return model

    with fastgd.backend(backend):
        plain = train([])
        swapped = train([SwapEMAWeights(swap_on_epoch)])
        history, expected = swapped.history.history, plain.history.history
        assert history["loss"] == expected["loss"]
        assert history["val_loss"] != expected["val_loss"]
        for got, want in zip(swapped.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_array_equal(got, want)
        # The last validation was done with what the weights became in the end.
        assert history["val_loss"][-1] == plain.evaluate(x, t, 40, verbose=0)
        without, within = seen[:3], seen[3:]
        for epoch in range(3):
            same = all(np.array_equal(a, b) for a, b in zip(without[epoch], within[epoch], strict=True))
            assert same != swap_on_epoch
        if swap_on_epoch:
            for got, want in zip(within[-1], plain.get_weights(), strict=True):
                np.testing.assert_array_equal(got, want)
        # Predictions come from the averages, and the weights are back afterwards.
        swapped.set_weights(data()[2:])
        prediction = swapped.predict(x, verbose=0, callbacks=[SwapEMAWeights()])
        np.testing.assert_array_equal(swapped.get_weights()[0], data()[2])
        np.testing.assert_array_equal(prediction, plain.predict(x, verbose=0))
