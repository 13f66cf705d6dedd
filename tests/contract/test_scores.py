"""What every loss and metric must do: give the value of its formula, weighted and reduced, alone and in a model."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from cases import ScoreCase, loss_cases, metric_cases
from contract.formulas import LOSS_ROW_VALUES, ROW_VALUES, draw, per_sample
from contract.metric_formulas import METRIC_VALUES
from contract.registered import make, registered, round_trips
from fastgd import _core, runtime
from fastgd.layers import Activation
from reference.gradcheck import check_gradients

Array = np.ndarray[Any, Any]

LOSSES = list(loss_cases())
METRICS = [case for case in metric_cases() if case.kinds != "vv"]
OF_VALUES = [case for case in metric_cases() if case.kinds == "vv"]
DTYPES = ["float32", "float64"]
N = 23


def close_for(case: ScoreCase, dtype: str) -> float:
    """Return the tolerance of one value: a sum over a row, a logarithm and an exponential, a mean, an area."""
    return tolerances.chained(dtype, int(np.prod(case.shape)), 1, 1, N, case.config.get("num_thresholds", 1))


def identity_model(case: ScoreCase, dtype: str, **compiled: Any) -> Any:
    """Return a model that predicts its input, so that the test chooses the predictions."""
    model = fastgd.Sequential([fastgd.Input(case.shape, dtype=dtype), Activation("linear")])
    model.compile(fastgd.optimizers.SGD(0.1), **compiled)
    return model


def weights() -> Array:
    """Return sample weights that no mistake can hide behind: unequal, one of them zero, their sum not their number."""
    s = np.random.default_rng(5).uniform(0.1, 3.0, N)
    s[4] = 0.0
    return s


def metric_value(case: ScoreCase, p: Array, t: Array, s: Array | None = None) -> Any:
    """Return the value of a metric by its formula."""
    p, s = p.astype(np.float64), np.ones(len(p)) if s is None else s
    if case.cls in METRIC_VALUES:
        return METRIC_VALUES[case.cls](p, t, s, **case.config)
    return np.average(per_sample(ROW_VALUES[case.cls](p, t, **case.config)), weights=s)


@pytest.mark.parametrize("kind", ["loss", "metric"])
def test_every_class_has_a_formula(kind: str) -> None:
    known = set(METRIC_VALUES) | set(ROW_VALUES) if kind == "metric" else set(LOSS_ROW_VALUES)
    assert set(registered(kind)) <= known, "add its formula to tests/contract/formulas.py or metric_formulas.py"


@pytest.mark.parametrize(("kind", "case"), [*(("loss", c) for c in LOSSES), *(("metric", c) for c in METRICS)])
def test_config_round_trip(kind: str, case: ScoreCase) -> None:
    made = make(kind, case)
    assert made.get_config().items() >= case.config.items()
    p, t = draw(case.kinds, case.shape, N)
    value = made(t, p)
    for way, again in round_trips(kind, made):
        assert np.array_equal(again(t, p), value), way
    named = registered(kind)[case.cls](**case.config, name="mine")
    assert named.name == named.get_config()["name"] == "mine"


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", LOSSES, ids=lambda c: f"{c.id}{c.shape}")
def test_loss_objects(case: ScoreCase, dtype: str, backend: str) -> None:
    p, t = draw(case.kinds, case.shape, N)
    p = p.astype(dtype)
    rows = LOSS_ROW_VALUES[case.cls](p.astype(np.float64), t, **case.config)
    close = close_for(case, dtype)
    s = weights()
    spread = s.reshape(-1, *(1,) * (rows.ndim - 1))
    with fastgd.backend(backend):
        for reduction, expected, weighted in (
            ("sum_over_batch_size", rows.mean(), (spread * rows).mean()),
            ("mean", rows.mean(), (spread * rows).mean()),
            ("sum", rows.sum(), (spread * rows).sum()),
            ("mean_with_sample_weight", rows.mean(), (spread * rows).sum() / s.sum()),
            ("none", rows, spread * rows),
            (None, rows, spread * rows),
        ):
            loss = registered("loss")[case.cls](**case.config, reduction=reduction)
            tolerances.assert_close(loss(t, p), expected, close, what=str(reduction))
            tolerances.assert_close(loss(t, p, sample_weight=s), weighted, close, what=str(reduction))
        tolerances.assert_close(make("loss", case).values(t, p), rows, close, what="rows")
        by_row = np.random.default_rng(6).uniform(0.5, 2.0, rows.shape)
        tolerances.assert_close(make("loss", case)(t, p, by_row), (by_row * rows).mean(), close, what="weights of rows")


@pytest.mark.parametrize("isa", [*_core.available_isas(), "numpy"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", LOSSES, ids=lambda c: f"{c.id}{c.shape}")
def test_losses_in_a_model(case: ScoreCase, dtype: str, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if isa != "numpy":
        monkeypatch.setenv("FASTGD_ISA", isa)
    p, t = draw(case.kinds, case.shape, N)
    p = p.astype(dtype)
    rows = LOSS_ROW_VALUES[case.cls](p.astype(np.float64), t, **case.config)
    v = per_sample(rows)
    s = weights()
    close = close_for(case, dtype)
    with fastgd.backend("numpy" if isa == "numpy" else "native"):
        model = identity_model(case, dtype, loss=make("loss", case))
        # A batch size that does not divide the rows: the epoch's loss weighs batches by their samples.
        for size in (N,) if case.whole else (N, 10):
            loss = model.evaluate(p, t, batch_size=size, verbose=0)
            tolerances.assert_close(loss, v.mean(), close)
            loss = model.evaluate(p, t, batch_size=size, sample_weight=s, verbose=0)
            tolerances.assert_close(loss, (s * v).mean(), close, what="weighted")
        summed = identity_model(case, dtype, loss=registered("loss")[case.cls](**case.config, reduction="sum"))
        tolerances.assert_close(summed.evaluate(p, t, batch_size=N, verbose=0), rows.sum(), close, what="sum")
        mean = registered("loss")[case.cls](**case.config, reduction="mean_with_sample_weight")
        model = identity_model(case, dtype, loss=mean)
        got = model.evaluate(p, t, batch_size=N, sample_weight=s, verbose=0)
        tolerances.assert_close(got, (s * v).sum() * (rows.size / N) / s.sum(), close, what="mean by weight")
        size = N if case.whole else 10
        tolerances.assert_close(model.evaluate(p, t, batch_size=size, verbose=0), v.mean(), close, what="no weight")


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", METRICS, ids=lambda c: f"{c.id}{c.shape}")
def test_metric_objects(case: ScoreCase, dtype: str, backend: str) -> None:
    p, t = draw(case.kinds, case.shape, N)
    p = p.astype(dtype)
    s = weights()
    close = close_for(case, dtype)
    with fastgd.backend(backend):
        metric = make("metric", case)
        assert metric.result() == 0.0
        # Batch by batch gives what all at once gives.
        for part in (slice(0, 10), slice(10, 11), slice(11, None)):
            metric.update_state(t[part], p[part], s[part])
        tolerances.assert_close(metric.result(), metric_value(case, p, t, s), close, what="weighted")
        metric.reset_state()
        assert metric.result() == 0.0
        tolerances.assert_close(metric(t, p), metric_value(case, p, t), close)
        again = metric_value(case, np.concatenate([p, p[:1]]), np.concatenate([t, t[:1]]))
        tolerances.assert_close(metric(t[:1], p[:1]), again, close, what="after another batch")


@pytest.mark.parametrize("case", OF_VALUES, ids=lambda c: f"{c.id}{c.shape}")
def test_metrics_of_values(case: ScoreCase) -> None:
    values = np.random.default_rng(8).normal(size=(N, *case.shape))
    s = weights()
    metric = make("metric", case)
    for part in (slice(0, 10), slice(10, None)):
        metric.update_state(values[part], s[part])
    close = tolerances.summed("float64", values.size)
    tolerances.assert_close(metric.result(), metric_value(case, values, values, s), close)
    again = type(metric).from_config(metric.get_config())
    tolerances.assert_close(again(values), metric_value(case, values, values), close)
    assert again.name == type(metric).__name__.lower()
    with pytest.raises(TypeError, match="use MeanMetricWrapper"):
        identity_model(case, "float64", loss="mse", metrics=[metric]).make_plan()


@pytest.mark.parametrize("isa", [*_core.available_isas(), "numpy"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", METRICS, ids=lambda c: f"{c.id}{c.shape}")
def test_metrics_in_a_model(case: ScoreCase, dtype: str, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if isa != "numpy":
        monkeypatch.setenv("FASTGD_ISA", isa)
    p, t = draw(case.kinds, case.shape, N)
    p = p.astype(dtype)
    s = weights()
    close = close_for(case, dtype)
    loss = "sparse_categorical_crossentropy" if case.kinds[1] == "i" else "mse"
    with fastgd.backend("numpy" if isa == "numpy" else "native"):
        plain, weighted = (registered("metric")[case.cls](**case.config, name=n) for n in ("plain", "weighted"))
        model = identity_model(case, dtype, loss=loss, metrics=[plain], weighted_metrics=[weighted])
        for size in (N, 10):
            logs = model.evaluate(p, t, batch_size=size, sample_weight=s, verbose=0, return_dict=True)
            tolerances.assert_close(logs["plain"], metric_value(case, p, t), close)
            tolerances.assert_close(logs["weighted"], metric_value(case, p, t, s), close, what="weighted")


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_determination_of_targets_far_from_zero(backend: str) -> None:
    # The squares of such targets are so large that float32 loses what their variance is made of.
    rng = np.random.default_rng(8)
    t = (3000 + rng.normal(size=(N, 2))).astype(np.float32)
    p = (t + 0.5 * rng.normal(size=t.shape)).astype(np.float32)
    with fastgd.backend(backend):
        score = fastgd.metrics.R2Score()(t, p)
    expected = metric_value(ScoreCase("R2Score", {}, "xx", (2,)), p, t.astype(np.float64))
    tolerances.assert_close(score, expected, tolerances.chained("float32", N, 1))


@pytest.mark.parametrize("case", [c for c in METRICS if c.kinds[1] != "i"], ids=lambda c: f"{c.id}{c.shape}")
def test_shapes_that_do_not_fit_are_refused(case: ScoreCase) -> None:
    p, t = draw(case.kinds, case.shape, N)
    with pytest.raises(ValueError, match=r"`y_true` and `y_pred` do not fit the metric .*Received: y_true=\(22,"):
        make("metric", case)(t[:-1], p)
    with pytest.raises(ValueError, match=rf"^`sample_weight` must .*Received: sample_weight=\({N - 1},\)$"):
        make("metric", case)(t, p, np.ones(N - 1))


@pytest.mark.parametrize("case", LOSSES, ids=lambda c: f"{c.id}{c.shape}")
def test_losses_refuse_shapes_that_do_not_fit(case: ScoreCase) -> None:
    p, t = draw(case.kinds, case.shape, N)
    with pytest.raises(ValueError, match=r"`y_true` and `y_pred` must have fitting shapes. Received: y_true=\(22,"):
        make("loss", case)(t[:-1], p)
    for wrong in ((N - 1,), (1,), (), (N, N)):
        shown = re.escape(str(wrong))
        with pytest.raises(ValueError, match=rf"^`sample_weight` must have .*Received: sample_weight={shown}$"):
            make("loss", case)(t, p, np.ones(wrong))
    # A column of weights is what `fit` takes, too; it must not be broadcast against the rows.
    assert make("loss", case)(t, p, weights()[:, None]) == make("loss", case)(t, p, weights())


@pytest.mark.parametrize("name", sorted({c.cls for c in LOSSES if c.kinds[1] == "i" and not c.whole}))
def test_labels_out_of_range_are_refused(name: str) -> None:
    p, t = draw("pi", (5,), N)
    for bad in (-1, 5, 2**40):
        t[3] = bad
        for kind in ("loss", "metric") if name in registered("metric") else ("loss",):
            with pytest.raises(
                ValueError, match=rf"^`y_true` must hold labels from 0 to 4, .*Received: y_true\[3\]={bad}$"
            ):
                registered(kind)[name]()(t, p)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_circle_takes_labels_that_are_no_classes(backend: str) -> None:
    p, t = draw("xi", (5,), N)
    loss, far = fastgd.losses.Circle(gamma=1.0), np.where(t == 2, 2**24 - 1, 100 * t)
    with fastgd.backend(backend):
        assert loss(far, p) == pytest.approx(loss(t, p), rel=1e-12)
        model = identity_model(ScoreCase("Circle"), "float64", loss=loss)
        assert model.evaluate(p, far, N, verbose=0) == pytest.approx(loss(t, p), rel=1e-12)
    with pytest.raises(ValueError, match=r"`y_true` must hold labels from 0 to 16777215, .*=16777216"):
        loss(far + 1, p)
    # Metrics of classes know no others.
    model = identity_model(ScoreCase("Circle"), "float64", loss=loss, metrics=["sparse_categorical_accuracy"])
    with pytest.raises(ValueError, match=r"`y` must hold labels from 0 to 4"):
        model.evaluate(p, far, verbose=0)
    with pytest.raises(ValueError, match=r"takes embeddings \(batch, size\)\. Received: shape='\(4, 3, 2\)'"):
        loss(np.zeros((4, 3), int), np.zeros((4, 3, 2)))


def test_gradient_of_circle_where_a_sample_has_nothing_near() -> None:
    model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), fastgd.layers.Dense(3)])
    model.compile("sgd", fastgd.losses.Circle(gamma=2.0))
    rng = np.random.default_rng(3)
    params = [rng.normal(size=spec.shape) for spec in model.make_plan().params]
    for labels in ([0, 1, 0, 2, 1], [0, 1, 2, 3, 4], [1, 1, 1, 1, 1]):
        check_gradients(model.make_plan(), [rng.normal(size=(5, 4)), np.array(labels, np.int32)], params)


def test_generalized_cross_entropy_needs_a_share_between_0_and_1() -> None:
    for q in (0.0, 1.0, -0.5):
        with pytest.raises(ValueError, match=rf"`q` must lie between 0 and 1\. Received: q={q}"):
            fastgd.losses.CategoricalGeneralizedCrossEntropy(q)
