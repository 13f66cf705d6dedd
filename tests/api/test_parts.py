"""Initializers, activations, losses, metrics, optimizers and helpers, against their formulas."""

from __future__ import annotations

import inspect
import math
import re

import numpy as np
import pytest

import fastgd
from fastgd import activations, config, initializers, losses, metrics, optimizers, utils
from fastgd.losses import _registry as loss_registry
from fastgd.metrics.base import registry as metric_registry


@pytest.mark.parametrize(
    ("name", "limit"),
    [("glorot_uniform", math.sqrt(6 / 500)), ("he_uniform", math.sqrt(6 / 200)), ("lecun_uniform", math.sqrt(3 / 200))],
)
def test_uniform_initializers_fill_their_range(name, limit):
    value = initializers.get(name)((200, 300), "float64")
    assert np.abs(value).max() <= limit
    assert np.abs(value).max() > 0.999 * limit
    assert value.std() == pytest.approx(limit / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize(
    ("name", "variance"), [("glorot_normal", 2 / 500), ("he_normal", 2 / 200), ("lecun_normal", 1 / 200)]
)
def test_normal_initializers_are_cut_at_two_deviations_and_keep_their_variance(name, variance):
    value = initializers.get(name)((200, 300), "float64")
    assert value.std() == pytest.approx(math.sqrt(variance), rel=0.02)
    cut = 2 * math.sqrt(variance) / 0.87962566103423978
    assert 0.99 * cut < np.abs(value).max() <= cut


def test_plain_initializers():
    assert initializers.RandomNormal(1.0, 0.5)((200, 200)).mean() == pytest.approx(1.0, abs=0.01)
    assert np.abs(initializers.TruncatedNormal()((200, 200))).max() <= 0.1
    uniform = initializers.RandomUniform()((200, 200))
    assert -0.05 <= uniform.min() < uniform.max() <= 0.05
    assert uniform.dtype == np.float32
    np.testing.assert_array_equal(initializers.Zeros()((2, 2)), np.zeros((2, 2)))
    np.testing.assert_array_equal(initializers.get("one")((2,)), np.ones(2))
    np.testing.assert_array_equal(initializers.Constant(3)((2,), "float64"), [3.0, 3.0])
    untruncated = initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")((200, 300), "float64")
    assert untruncated.std() == pytest.approx(math.sqrt(2 / 300), rel=0.02)
    assert initializers.compute_fans((3, 3, 4, 8)) == (36, 72)


def test_initializers_and_seeds():
    seeded = initializers.GlorotUniform(seed=4)
    np.testing.assert_array_equal(seeded((3, 3)), seeded((3, 3)))
    np.testing.assert_array_equal(seeded((3, 3)), initializers.GlorotUniform(seed=4)((3, 3)))
    assert not np.array_equal(seeded((3, 3)), initializers.GlorotUniform(seed=5)((3, 3)))
    utils.set_random_seed(9)
    a = initializers.HeNormal()((3, 3))
    assert not np.array_equal(a, initializers.HeNormal()((3, 3)))
    utils.set_random_seed(9)
    np.testing.assert_array_equal(a, initializers.HeNormal()((3, 3)))
    np.testing.assert_array_equal(seeded((3, 3), "float64").astype("float32"), seeded((3, 3), "float32"))


@pytest.mark.parametrize(
    "name", ["Constant", "GlorotNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros"]
)
def test_initializer_configs(name):
    made = initializers.get(name)
    again = initializers.get({"class_name": name, "config": made.get_config()})
    assert type(again) is type(made)
    assert again.get_config() == made.get_config()


def test_initializer_errors():
    with pytest.raises(ValueError, match="`stddev` must be 0 or more. Received: stddev=-1"):
        initializers.RandomNormal(stddev=-1)
    with pytest.raises(ValueError, match="`mode` is not a known mode"):
        initializers.VarianceScaling(mode="fan")
    with pytest.raises(TypeError, match="`initializer` must be a name"):
        initializers.get(3)


def test_activations_on_arrays(rng):
    x = rng.normal(size=(5, 4))
    e = np.exp(x - x.max(axis=1, keepdims=True))
    expected = {
        "linear": x,
        "sigmoid": 1 / (1 + np.exp(-x)),
        "tanh": np.tanh(x),
        "relu": np.maximum(x, 0),
        "leaky_relu": np.where(x >= 0, x, 0.2 * x),
        "softmax": e / e.sum(axis=1, keepdims=True),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(activations.get(name)(x), value, rtol=1e-12, err_msg=name)
        assert activations.serialize(activations.get(name)) == name
    np.testing.assert_allclose(activations.relu(x, negative_slope=0.5), np.where(x >= 0, x, 0.5 * x))
    assert activations.get(None) is activations.linear
    with pytest.raises(TypeError, match="`activation` must be a name, a function or None"):
        activations.get(3)


def clipped(p):
    return np.clip(p, 1e-7, 1 - 1e-7)


def test_losses_on_arrays(rng):
    p, t = rng.random((6, 3)), np.eye(3)[rng.integers(0, 3, 6)]
    r = p / p.sum(axis=1, keepdims=True)
    labels = t.argmax(axis=1)
    z = rng.normal(size=(6, 3))
    soft = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    sigmoid = 1 / (1 + np.exp(-z))
    bce = -(t * np.log(clipped(p)) + (1 - t) * np.log(clipped(1 - p))).mean(axis=1)
    cce = -np.log(r[np.arange(6), labels])
    np.testing.assert_allclose(losses.mean_squared_error(t, p), ((p - t) ** 2).mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(losses.mean_absolute_error(t, p), np.abs(p - t).mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(losses.binary_crossentropy(t, p), bce, rtol=1e-10)
    np.testing.assert_allclose(losses.categorical_crossentropy(t, p), cce, rtol=1e-10)
    np.testing.assert_allclose(losses.sparse_categorical_crossentropy(labels, p), cce, rtol=1e-10)
    logits = losses.binary_crossentropy(t, z, from_logits=True)
    np.testing.assert_allclose(logits, losses.binary_crossentropy(t, sigmoid), rtol=1e-9)
    logits = losses.sparse_categorical_crossentropy(labels, z, from_logits=True)
    np.testing.assert_allclose(logits, losses.categorical_crossentropy(t, soft), rtol=1e-9)
    smooth = losses.categorical_crossentropy(t, z, from_logits=True, label_smoothing=0.3)
    np.testing.assert_allclose(smooth, -((t * 0.7 + 0.1) * np.log(soft)).sum(axis=1), rtol=1e-9)


def test_loss_functions_average_the_last_axis_alone(rng):
    p, t = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    np.testing.assert_allclose(losses.mean_squared_error(t, p), ((p - t) ** 2).mean(axis=-1), rtol=1e-12)


def test_loss_objects_reduce(rng):
    p, t, s = rng.normal(size=(5, 2)), rng.normal(size=(5, 2)), np.arange(5.0)
    rows = ((p - t) ** 2).mean(axis=1)
    assert losses.MeanSquaredError()(t, p) == pytest.approx(rows.mean())
    assert losses.MeanSquaredError(reduction="sum")(t, p) == pytest.approx(rows.sum())
    assert losses.MeanSquaredError()(t, p, sample_weight=s) == pytest.approx((s * rows).sum() / 5)
    with pytest.raises(ValueError, match=r"fitting shapes. Received: y_true=\(5,\), y_pred=\(5, 2\)"):
        losses.MeanSquaredError()(t[:, 0], p)
    with pytest.raises(ValueError, match=r"`y_true` must hold labels from 0 to 1"):
        losses.SparseCategoricalCrossentropy()([0, 2], [[0.5, 0.5], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("alias", "cls"), [("mse", "MeanSquaredError"), ("MAE", "MeanAbsoluteError"), ("bce", "BinaryCrossentropy")]
)
def test_loss_aliases(alias, cls):
    assert type(losses.get(alias)).__name__ == cls
    assert type(metrics.get(alias)).__name__ == cls
    assert metrics.get(alias).name == alias


def test_every_loss_has_a_config():
    for name, cls in loss_registry.classes.items():
        made = cls()
        assert made.name == {"Huber": "huber_loss"}.get(name, utils.naming.snake_case(name))
        assert cls.from_config(made.get_config()).get_config() == made.get_config()


def test_every_metric_has_a_name_and_a_config():
    for name, cls in metric_registry.classes.items():
        parameters = inspect.signature(cls).parameters.values()
        required = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        if required:
            continue
        made = cls()
        expected = {"LogCoshError": "logcosh", "FBetaScore": "fbeta_score"}.get(name, utils.naming.snake_case(name))
        assert re.fullmatch(rf"{expected}(_\d+)?", made.name)
        assert cls.from_config(made.get_config()).get_config() == made.get_config()


def test_metrics_go_through_serialize():
    made = metrics.AUC(curve="PR", num_thresholds=7, name="area")
    again = metrics.deserialize(metrics.serialize(made))
    assert type(again) is metrics.AUC
    assert again.get_config() == made.get_config()


def test_metrics_accumulate(rng):
    p, t = rng.random((8, 3)), np.eye(3)[rng.integers(0, 3, 8)]
    hits = p.argmax(axis=1) == t.argmax(axis=1)
    metric = metrics.CategoricalAccuracy()
    metric.update_state(t[:5], p[:5])
    metric.update_state(t[5:], p[5:], sample_weight=[0.0, 2.0, 1.0])
    weights = np.array([1, 1, 1, 1, 1, 0, 2, 1])
    assert metric.result() == pytest.approx((hits * weights).sum() / weights.sum())
    metric.reset_state()
    assert metric.result() == 0.0
    assert metrics.SparseCategoricalAccuracy()(t.argmax(axis=1), p) == hits.mean()
    assert metrics.BinaryAccuracy(threshold=0.3)([1, 0], [0.4, 0.3]) == 1.0
    assert metrics.Accuracy()([1.0, 2.0], [1.0, 3.0]) == 0.5
    assert metrics.MeanAbsoluteError()([[1.0]], [[3.0]]) == 2.0
    np.testing.assert_array_equal(metrics.categorical_accuracy(t, p), hits)
    np.testing.assert_array_equal(metrics.sparse_categorical_accuracy(t.argmax(axis=1), p), hits)
    np.testing.assert_array_equal(metrics.binary_accuracy([[1, 0]], [[0.9, 0.9]]), [0.5])


def test_optimizer_defaults_and_configs():
    assert optimizers.get("sgd").get_config() == {
        "learning_rate": 0.01,
        "momentum": 0.0,
        "name": "sgd",
        "nesterov": False,
        "weight_decay": None,
        "clipnorm": None,
        "clipvalue": None,
        "global_clipnorm": None,
        "use_ema": False,
        "ema_momentum": 0.99,
        "ema_overwrite_frequency": None,
        "loss_scale_factor": None,
        "gradient_accumulation_steps": None,
    }
    assert optimizers.get("Adam").get_config() == {
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-7,
        "learning_rate": 0.001,
        "name": "adam",
        "amsgrad": False,
        **{name: value for name, value in optimizers.SGD().get_config().items() if "ema" in name},
        **dict.fromkeys(("weight_decay", "clipnorm", "clipvalue", "global_clipnorm")),
        **dict.fromkeys(("loss_scale_factor", "gradient_accumulation_steps")),
    }
    for made in (optimizers.SGD(0.5, 0.9, True), optimizers.Adam(0.5, name="mine")):
        assert optimizers.deserialize(optimizers.serialize(made)).get_config() == made.get_config()


@pytest.mark.parametrize("rate", [1, 0, True, None, "0.1", -0.5, math.nan, math.inf])
def test_learning_rate_must_be_a_float(rate):
    with pytest.raises(ValueError, match="`learning_rate` must be"):
        optimizers.SGD(rate)
    optimizer = optimizers.Adam()
    with pytest.raises(ValueError, match="`learning_rate` must be"):
        optimizer.learning_rate = rate
    optimizer.learning_rate = np.float32(0.5)
    assert optimizer.learning_rate == 0.5


def test_optimizer_errors():
    with pytest.raises(
        TypeError,
        match=r"SGD has no keyword `rho`. Known: clipnorm, clipvalue, ema_momentum, ema_overwrite_frequency, "
        r"global_clipnorm, gradient_accumulation_steps, learning_rate, loss_scale_factor, momentum, name, nesterov, "
        r"use_ema, weight_decay. Received: rho=0.9",
    ):
        optimizers.SGD(0.1, rho=0.9)
    with pytest.raises(ValueError, match="`momentum` must be a float between 0 and 1. Received: momentum=1"):
        optimizers.SGD(0.1, momentum=1)
    with pytest.raises(ValueError, match="`momentum` must be between 0 and 1. Received: momentum=1.5"):
        optimizers.SGD(0.1, momentum=1.5)
    with pytest.raises(ValueError, match="`beta_2` must be below 1"):
        optimizers.Adam(beta_2=1.0)
    with pytest.raises(ValueError, match="`weight_decay` must be a float. Received: weight_decay=None"):
        optimizers.AdamW(weight_decay=None)
    with pytest.raises(ValueError, match="`weight_decay` must be 0 or more. Received: weight_decay=-0.1"):
        optimizers.SGD(weight_decay=-0.1)
    with pytest.raises(ValueError, match="`beta_1` must be above 0. Received: beta_1=0"):
        optimizers.Lion(beta_1=0)
    with pytest.raises(ValueError, match="`rho` must be below 1. Received: rho=1.0"):
        optimizers.RMSprop(rho=1.0)
    with pytest.raises(ValueError, match="`initial_accumulator_value` must be 0 or more"):
        optimizers.Adagrad(initial_accumulator_value=-1.0)
    with pytest.raises(TypeError, match="`amsgrad` must be True or False"):
        optimizers.Adam(amsgrad=1)
    with pytest.raises(TypeError, match="`iterations` must be an integer"):
        optimizers.Adam().iterations = 1.5


def test_optimizer_serves_one_model():
    optimizer = optimizers.SGD(0.1, momentum=0.5)
    x, t = np.ones((4, 2)), np.ones((4, 1))
    for k in range(2):
        model = fastgd.Sequential([fastgd.Input((2,)), fastgd.layers.Dense(1)])
        model.compile(optimizer, "mse")
        if k == 0:
            model.fit(x, t, verbose=0)
            assert optimizer.slots["v"].shape == (32,)
            assert optimizer.slots["v"].any()
        else:
            with pytest.raises(ValueError, match="This SGD optimizes other weights already"):
                model.fit(x, t, verbose=0)


def test_compiling_again_keeps_the_optimizer_state():
    optimizer = optimizers.Adam()
    x, t = np.ones((4, 2)), np.ones((4, 1))
    model = fastgd.Sequential([fastgd.Input((2,)), fastgd.layers.Dense(1)])
    for _ in range(2):
        model.compile(optimizer, "mse")
        model.fit(x, t, verbose=0)
    assert optimizer.iterations == 2


def test_to_categorical():
    np.testing.assert_array_equal(utils.to_categorical([0, 2, 1]), np.eye(3)[[0, 2, 1]])
    assert utils.to_categorical([[1], [0]], 4).shape == (2, 4)
    assert utils.to_categorical([1.0], 2).dtype == np.float32
    with pytest.raises(ValueError, match="`x` must hold labels from 0 to 1; 3 is not"):
        utils.to_categorical([0, 3], 2)
    with pytest.raises(ValueError, match="`x` must hold integers"):
        utils.to_categorical([0.5])


def test_snake_case_is_that_of_keras():
    names = {
        "LeakyReLU": "leaky_re_lu",
        "Conv2DTranspose": "conv2d_transpose",
        "LSTM": "lstm",
        "InputLayer": "input_layer",
    }
    for name, expected in names.items():
        assert utils.naming.snake_case(name) == expected


def test_config():
    assert (config.floatx(), config.epsilon(), config.image_data_format()) == ("float32", 1e-7, "channels_last")
    with pytest.raises(ValueError, match=r"`value` must be one of float32, float64. Received: value='float16'"):
        config.set_floatx("float16")
    with pytest.raises(ValueError, match="`value` must be a number between 0 and 0.5"):
        config.set_epsilon(0.7)
    try:
        config.set_epsilon(1e-3)
        assert losses.binary_crossentropy([[1.0]], [[0.0]])[0] == pytest.approx(-math.log(1e-3), rel=1e-6)
    finally:
        config.set_epsilon(1e-7)


def test_set_random_seed():
    with pytest.raises(ValueError, match=r"`seed` must be below 2\*\*32"):
        utils.set_random_seed(2**32)
    utils.set_random_seed(3)
    a = np.random.rand()  # noqa: NPY002
    utils.set_random_seed(3)
    assert a == np.random.rand()  # noqa: NPY002
