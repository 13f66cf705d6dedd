"""Losses of one's own, as functions and as classes; losses by name, and the ops that share their names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import losses, metrics, ops
from fastgd.layers import Activation, Dense
from fastgd.losses.loss import FunctionLoss

BACKENDS = ("native", "numpy")


def identity(shape: tuple[int, ...], **compiled: Any) -> Any:
    """Return a model of float64 that predicts its input."""
    model = fastgd.Sequential([fastgd.Input(shape, dtype="float64"), Activation("linear")])
    model.compile("sgd", **compiled)
    return model


def mixed(y_true: Any, y_pred: Any) -> Any:
    """A sum of two losses: values of shape (batch, ...) for predictions (batch, ..., c)."""
    return ops.sum_of([losses.kl_divergence(y_true, y_pred), losses.mean_squared_error(y_true, y_pred)])


class Mixed(losses.Loss, abstract=True):
    """The same as a class."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return mixed(y_true, y_pred)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_a_function_is_averaged_over_its_values(shape, backend, rng):
    p, t, s = rng.uniform(0.1, 0.9, (7, *shape)), rng.uniform(0.1, 0.9, (7, *shape)), rng.uniform(0.5, 2.0, 7)
    rows = (t * np.log(t / p)).sum(axis=-1) + ((p - t) ** 2).mean(axis=-1)
    by_sample = rows.reshape(7, -1).mean(axis=1)
    with fastgd.backend(backend):
        for loss in (mixed, Mixed()):
            model = identity(shape, loss=loss, metrics=[mixed])
            assert model.metrics_names == ["loss", "mixed"]
            np.testing.assert_allclose(model.evaluate(p, t, verbose=0), [by_sample.mean()] * 2, rtol=1e-12)
            weighted = model.evaluate(p, t, sample_weight=s, verbose=0)[0]
            np.testing.assert_allclose(weighted, (s * by_sample).mean(), rtol=1e-12)
        model = identity(shape, loss=Mixed(reduction="sum"))
        np.testing.assert_allclose(model.evaluate(p, t, batch_size=7, verbose=0), rows.sum(), rtol=1e-12)
        np.testing.assert_allclose(Mixed()(t, p), rows.mean(), rtol=1e-12)
        np.testing.assert_allclose(Mixed(reduction="none")(t, p), rows, rtol=1e-12)
        np.testing.assert_allclose(losses.get(mixed)(t, p), rows.mean(), rtol=1e-12)


def greatest(y_true: Any, y_pred: Any) -> Any:
    """A number for the whole batch."""
    return ops.sum(ops.square(y_pred - y_true)) / ops.sum(ops.square(y_true))


def by_column(y_true: Any, y_pred: Any) -> Any:
    """Several numbers for the whole batch."""
    return ops.mean(ops.abs(y_pred - y_true), axis=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_number_for_the_whole_batch(backend, rng):
    p, t, s = rng.normal(size=(10, 4)), rng.normal(size=(10, 4)), rng.uniform(0.5, 2.0, 10)
    parts = [slice(0, 4), slice(4, 8), slice(8, 10)]
    each = np.array([((p[k] - t[k]) ** 2).sum() / (t[k] ** 2).sum() for k in parts])
    share = np.array([0.4, 0.4, 0.2])
    with fastgd.backend(backend):
        for reduction, plain, weighted in (
            ("mean", share @ each, share @ [v * s[k].mean() for v, k in zip(each, parts, strict=True)]),
            ("sum", share @ each, share @ [v * s[k].sum() for v, k in zip(each, parts, strict=True)]),
            ("mean_with_sample_weight", share @ each, share @ each),
        ):
            model = identity((4,), loss=FunctionLoss(greatest, reduction), metrics=[greatest])
            got = model.evaluate(p, t, batch_size=4, verbose=0)
            np.testing.assert_allclose(got, [plain, each.mean()], rtol=1e-12, err_msg=reduction)
            got = model.evaluate(p, t, batch_size=4, sample_weight=s, verbose=0)
            np.testing.assert_allclose(got, [weighted, each.mean()], rtol=1e-12, err_msg=reduction)
            loss = FunctionLoss(greatest, reduction)
            whole = ((p - t) ** 2).sum() / (t**2).sum()
            times = {"mean": s.mean(), "sum": s.sum()}.get(reduction, 1.0)
            np.testing.assert_allclose([loss(t, p), loss(t, p, s)], [whole, whole * times], rtol=1e-12)
        metric = metrics.MeanMetricWrapper(greatest)
        model = identity((4,), loss="mse", weighted_metrics=[metric])
        got = model.evaluate(p, t, batch_size=4, sample_weight=s, verbose=0)[1]
        by_weight = np.array([s[k].sum() for k in parts])
        np.testing.assert_allclose(got, by_weight @ each / s.sum(), rtol=1e-12)
        for k in parts:
            metric.update_state(t[k], p[k], s[k])
        np.testing.assert_allclose(metric.result(), got, rtol=1e-12)
        columns = np.abs(p - t).mean(axis=0)
        for reduction, expected in (("mean", columns.mean()), ("sum", columns.sum())):
            model = identity((4,), loss=FunctionLoss(by_column, reduction), metrics=[by_column])
            got = model.evaluate(p, t, batch_size=10, verbose=0)
            np.testing.assert_allclose(got, [expected, columns.mean()], rtol=1e-12)
        with pytest.raises(ValueError, match=r"The loss 'by_column' has no values per sample that could be weighted"):
            model.evaluate(p, t, sample_weight=s, verbose=0)


@pytest.mark.parametrize("weighted", [False, True])
def test_training_on_a_number_for_the_whole_batch(weighted, rng):
    x, t, s = rng.normal(size=(64, 3)), rng.normal(size=(64, 2)), rng.uniform(0.5, 2.0, 64)
    made = []
    for threads, backend in ((1, "native"), (2, "native"), (1, "numpy")):
        before = fastgd.get_num_threads()
        fastgd.set_num_threads(threads)
        with fastgd.backend(backend):
            model = fastgd.Sequential([fastgd.Input((3,), dtype="float64"), Dense(2)])
            model.compile(fastgd.optimizers.SGD(0.5), greatest)
            model.set_weights([np.full(w.shape, 0.1) for w in model.get_weights()])
            model.fit(x, t, sample_weight=s if weighted else None, batch_size=64, verbose=0, shuffle=False)
        fastgd.set_num_threads(before)
        made.append(model.get_weights())
    start = x @ np.full((3, 2), 0.1) + 0.1
    slope = 2 * (start - t) / (t**2).sum() * (s.mean() if weighted else 1.0)
    for kernel, bias in made:
        np.testing.assert_allclose(kernel, 0.1 - 0.5 * x.T @ slope, rtol=1e-12)
        np.testing.assert_allclose(bias, 0.1 - 0.5 * slope.sum(axis=0), rtol=1e-12)


def test_a_function_trains_as_the_losses_it_is_made_of(rng):
    x, t = rng.normal(size=(20, 3)), rng.uniform(0.1, 0.9, (20, 4, 2))
    made = []
    for loss in (lambda t, p: losses.mean_squared_error(t, p), "mse"):
        model = fastgd.Sequential([fastgd.Input((3,)), Dense(8, "sigmoid"), fastgd.layers.Reshape((4, 2))])
        model.compile("adam", loss)
        model.set_weights([np.full(w.shape, 0.1) for w in model.get_weights()])
        model.fit(x, t, epochs=5, batch_size=6, verbose=0, shuffle=False)
        made.append(model.get_weights())
    for a, b in zip(*made, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_a_call_of_ones_own_takes_the_place_of_a_built_in_loss(rng):
    class Twice(losses.MeanSquaredError, abstract=True):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            v = losses.mean_squared_error(y_true, y_pred)
            return ops.sum_of([v, v])

    p, t = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    assert Twice()(t, p) == pytest.approx(2 * ((p - t) ** 2).mean())
    assert identity((2,), loss=Twice()).evaluate(p, t, verbose=0) == pytest.approx(2 * ((p - t) ** 2).mean())


def test_a_loss_of_labels_may_be_written_by_hand(rng):
    class Labels(losses.Loss, abstract=True):
        sparse = True

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return ops.sparse_categorical_crossentropy(y_true, y_pred)

    p, t = rng.uniform(0.1, 1.0, (6, 3)), rng.integers(0, 3, 6)
    expected = losses.sparse_categorical_crossentropy(t, p).mean()
    assert Labels()(t, p) == pytest.approx(expected)
    assert identity((3,), loss=Labels()).evaluate(p, t, verbose=0) == pytest.approx(expected)


def test_what_a_loss_returns_is_checked(rng):
    p = rng.normal(size=(4, 3))

    def flat(t: Any, p: Any) -> Any:
        return ops.reshape(p, (-1,))

    with pytest.raises(ValueError, match=r"The loss 'flat' must return .* batch. Received: shape=\(3\*batch,\)$"):
        identity((3,), loss=flat).evaluate(p, p)

    def number(t: Any, p: Any) -> float:
        return 1.0

    with pytest.raises(TypeError, match=r"The loss 'number' must return a tensor .*Received: returned=1.0$"):
        identity((3,), loss=number).evaluate(p, p)
    with pytest.raises(NotImplementedError, match=r"Loss must implement call\(y_true, y_pred\)"):
        losses.Loss()(p, p)
    with pytest.raises(TypeError, match="A loss is called with arrays; on tensors use its `call`"):
        identity((3,), loss=lambda t, p: losses.MeanSquaredError()(t, p)).evaluate(p, p)


def test_names_configs_and_functions():
    assert losses.get(None) is None
    for name in ("huber", "Huber", "mape", "MAPE", "msle", "kld", "KLD", "logcosh", "log_cosh", "kl_divergence"):
        assert losses.get(name).get_config() == losses.deserialize(losses.serialize(losses.get(name))).get_config()
    assert losses.serialize(losses.huber) == "huber"
    assert losses.deserialize("huber") is losses.huber
    assert losses.serialize(mixed) == losses.serialize(losses.get(mixed)) == "mixed"
    assert losses.deserialize("mixed", {"mixed": mixed}) is mixed
    made = losses.deserialize({"class_name": "Mixed", "config": {"name": "mine"}}, {"Mixed": Mixed})
    assert (type(made), made.name) == (Mixed, "mine")
    assert losses.get(losses.huber).delta == 1.0
    assert metrics.get(losses.hinge).name == "hinge"
    with pytest.raises(ValueError, match="`loss` is not a known loss"):
        losses.deserialize("mixed")
    with pytest.raises(TypeError, match="`loss` must be a Loss or a function"):
        losses.serialize(3)


def test_the_dtype_is_that_of_the_computation(rng):
    p, t = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    assert losses.MeanSquaredError(reduction=None)(t, p).dtype == np.float64
    single = losses.MeanSquaredError(reduction=None, dtype="float32")
    assert single(t, p).dtype == np.float32
    assert single.from_config(single.get_config()).dtype == "float32"


@pytest.mark.parametrize("backend", BACKENDS)
def test_labels_that_are_ignored(backend, rng):
    p, z = rng.uniform(0.1, 1.0, (6, 4, 3)), rng.normal(size=(6, 4, 3))
    t, s = rng.integers(0, 3, (6, 4)), rng.uniform(0.5, 2.0, 6)
    t[1], t[2, :3], t[4, 1] = -1, -1, -1
    valid = t != -1
    safe = np.where(valid, t, 0)
    with fastgd.backend(backend):
        for given, from_logits in ((p, False), (z, True)):
            values = losses.sparse_categorical_crossentropy(safe, given, from_logits) * valid
            weighted = s[:, None] * values
            weights = s[:, None] * valid
            for reduction, plain, by_weight in (
                ("mean", values.sum() / valid.sum(), weighted.sum() / valid.sum()),
                ("sum", values.sum(), weighted.sum()),
                ("mean_with_sample_weight", values.sum() / valid.sum(), weighted.sum() / weights.sum()),
            ):
                loss = losses.SparseCategoricalCrossentropy(from_logits, -1, reduction)
                model = identity((4, 3), loss=loss)
                for got, expected in (
                    (loss(t, given), plain),
                    (model.evaluate(given, t, batch_size=6, verbose=0), plain),
                    (loss(t, given, s), by_weight),
                    (model.evaluate(given, t, sample_weight=s, batch_size=6, verbose=0), by_weight),
                ):
                    np.testing.assert_allclose(got, expected, rtol=1e-12, err_msg=reduction)
            with pytest.raises(ValueError, match=r"`y_true` must hold labels from 0 to 2.*Received: y_true\[9\]=7"):
                losses.sparse_categorical_crossentropy(
                    np.where(np.arange(24).reshape(6, 4) == 9, 7, t), given, False, -1
                )
        none = losses.SparseCategoricalCrossentropy(ignore_class=-1)
        assert none(np.full(3, -1), p[:3, 0]) == 0.0
        assert identity((3,), loss=none).evaluate(p[:3, 0], np.full(3, -1), verbose=0) == 0.0


def test_the_public_ops_do_not_average(rng):
    p, z = rng.uniform(0.1, 0.9, (2, 3, 4)), rng.normal(size=(2, 3, 4))
    t, labels = rng.uniform(size=(2, 3, 4)), rng.integers(0, 4, (2, 3))
    soft = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    sigmoid = 1 / (1 + np.exp(-z))
    hot = np.eye(4)[labels]
    share = p / p.sum(axis=-1, keepdims=True)

    def entropy(q: Any) -> Any:
        return -(t * np.log(q) + (1 - t) * np.log(1 - q))

    for got, expected in (
        (ops.binary_crossentropy(t, p), entropy(p)),
        (ops.binary_crossentropy(t, z, from_logits=True), entropy(sigmoid)),
        (ops.binary_crossentropy(t[:, 0, 0], p[:, 0, 0]), entropy(p)[:, 0, 0]),
        (ops.categorical_crossentropy(t, p), -(t * np.log(share)).sum(axis=-1)),
        (ops.categorical_crossentropy(t, z, True, axis=2), -(t * np.log(soft)).sum(axis=-1)),
        (ops.categorical_crossentropy(t[0], p[0]), -(t * np.log(share)).sum(axis=-1)[0]),
        (ops.sparse_categorical_crossentropy(labels, p), -(hot * np.log(share)).sum(axis=-1)),
        (ops.sparse_categorical_crossentropy(labels, z, True), -(hot * np.log(soft)).sum(axis=-1)),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    with pytest.raises(ValueError, match=r"\[categorical_crossentropy\] .*last axis: `axis` is 1"):
        ops.categorical_crossentropy(t, p, axis=1)


def test_focal_losses_are_not_fused():
    for loss, activation in (("binary_focal_crossentropy", "sigmoid"), ("categorical_focal_crossentropy", "softmax")):
        model = fastgd.Sequential([fastgd.Input((4,)), Dense(3, activation)])
        model.compile("sgd", loss)
        assert [step.op for step in model.make_plan().steps][-1] == loss
