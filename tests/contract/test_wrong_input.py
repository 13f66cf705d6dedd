"""Wrong input at the public API: each a clear error at once that names the argument and ends in what was received."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import runtime

# Without types, because nearly every call here is one that a type checker would refuse.
api: Any = fastgd
initializers, losses, metrics, optimizers = api.initializers, api.losses, api.metrics, api.optimizers
schedules, layers = optimizers.schedules, api.layers
Activation, Concatenate, Dense = api.layers.Activation, api.layers.Concatenate, api.layers.Dense
Dropout, Flatten, Reshape = api.layers.Dropout, api.layers.Flatten, api.layers.Reshape

X = np.random.default_rng(0).normal(size=(10, 4))
Y = np.arange(10) % 3
NAN, INF = float("nan"), float("inf")


def put(array: Any, place: Any, value: Any) -> Any:
    changed = np.array(array, dtype=np.asarray(value).dtype if not isinstance(value, int) else None)
    changed[place] = value
    return changed


def model(**compiled: Any) -> Any:
    made = fastgd.Sequential([fastgd.Input((4,), name="in"), Dense(3, "softmax", name="out")])
    made.compile(**{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **compiled})
    return made


def fit(x: Any = X, y: Any = Y, **arguments: Any) -> Any:
    return model().fit(x, y, **{"verbose": 0, **arguments})


@dataclass
class Wrong:
    """What is done, the kind of error, the argument in backticks, and the end of the text after "Received: "."""

    id: str
    call: Callable[[], Any]
    error: type[Exception]
    argument: str
    received: str


DATA = [
    Wrong("x shape", lambda: fit(X[:, :3]), ValueError, "x", "x.shape=(10, 3)"),
    Wrong("x rank", lambda: fit(X.reshape(10, 2, 2)), ValueError, "x", "x.shape=(10, 2, 2)"),
    Wrong("x no columns", lambda: fit(X[:, :0]), ValueError, "x", "x.shape=(10, 0)"),
    Wrong("x scalar", lambda: fit(3.0), TypeError, "x", "x='float'"),
    Wrong("x none", lambda: fit(None), ValueError, "x", "x=None"),
    Wrong("x empty", lambda: fit(X[:0], Y[:0]), ValueError, "x", "x.shape=(0, 4)"),
    Wrong("x empty list", lambda: fit([], []), ValueError, "x", "x.shape=(0,)"),
    Wrong("x objects", lambda: fit(X.astype(object)), TypeError, "x", "x.dtype='object'"),
    Wrong("x strings", lambda: fit(X.astype("U")), TypeError, "x", "x.dtype='<U32'"),
    Wrong("x bytes", lambda: fit(X.astype("S9")), TypeError, "x", "x.dtype='|S9'"),
    Wrong("x complex", lambda: fit(X.astype("c8")), TypeError, "x", "x.dtype='complex64'"),
    Wrong("x dates", lambda: fit(X.astype("M8[s]")), TypeError, "x", "x.dtype='datetime64[s]'"),
    Wrong("x ragged", lambda: fit([[1.0, 2.0], [3.0]]), ValueError, "x", "x='list'"),
    Wrong("x masked", lambda: fit(np.ma.masked_less(X, 0)), ValueError, "x", "x='MaskedArray'"),
    Wrong("y missing", lambda: fit(y=None), ValueError, "y", "y=None"),
    Wrong("y empty", lambda: fit(y=Y[:0]), ValueError, "y", "y.shape=(0,)"),
    Wrong("y one-hot for labels", lambda: fit(y=np.eye(3)[Y]), ValueError, "y", "y.shape=(10, 3)"),
    Wrong("y objects", lambda: fit(y=Y.astype(object)), TypeError, "y", "y.dtype='object'"),
    Wrong("y strings", lambda: fit(y=Y.astype("U1")), TypeError, "y", "y.dtype='<U1'"),
    Wrong("y complex", lambda: fit(y=Y * 1j), TypeError, "y", "y.dtype='complex128'"),
    Wrong("label too high", lambda: fit(y=put(Y, 4, 3)), ValueError, "y", "y[4]=3"),
    Wrong("label negative", lambda: fit(y=put(Y, 9, -1)), ValueError, "y", "y[9]=-1"),
    Wrong("label beyond int32", lambda: fit(y=put(Y, 0, 2**32)), ValueError, "y", "y[0]=4294967296"),
    Wrong("float label too high", lambda: fit(y=put(Y, 4, 3.0)), ValueError, "y", "y[4]=3.0"),
    Wrong("label not whole", lambda: fit(y=put(Y, 4, 1.5)), ValueError, "y", "y[4]=1.5"),
    Wrong("label minus a half", lambda: fit(y=put(Y, 0, -0.5)), ValueError, "y", "y[0]=-0.5"),
    Wrong("y longer", lambda: fit(y=np.arange(11) % 3), ValueError, "x", "len(x)=10, len(y)=11"),
    Wrong("y shorter", lambda: fit(y=Y[:9]), ValueError, "x", "len(x)=10, len(y)=9"),
    Wrong("weights shorter", lambda: fit(sample_weight=np.ones(9)), ValueError, "x",
          "len(x)=10, len(y)=10, len(sample_weight)=9"),
    Wrong("weights wide", lambda: fit(sample_weight=np.ones((10, 2))), ValueError, "sample_weight",
          "sample_weight.shape=(10, 2)"),
    Wrong("weights scalar", lambda: fit(sample_weight=2.0), TypeError, "sample_weight", "sample_weight='float'"),
    Wrong("weights complex", lambda: fit(sample_weight=np.ones(10, "c16")), TypeError, "sample_weight",
          "sample_weight.dtype='complex128'"),
    Wrong("validation x", lambda: fit(validation_data=(X[:, :2], Y)), ValueError, "validation x",
          "validation x.shape=(10, 2)"),
    Wrong("validation label", lambda: fit(validation_data=(X, Y + 1)), ValueError, "validation y",
          "validation y[2]=3"),
    Wrong("validation lengths", lambda: fit(validation_data=(X, Y[:3])), ValueError, "validation x",
          "len(validation x)=10, len(validation y)=3"),
]  # fmt: skip


def not_finite(bad: float) -> list[Wrong]:
    return [
        Wrong(f"x {bad}", lambda: fit(put(X, (3, 1), bad)), ValueError, "x", f"x[3, 1]={bad}"),
        Wrong(f"y {bad}", lambda: fit(y=put(Y, 2, bad)), ValueError, "y", f"y[2]={bad}"),
        Wrong(f"target {bad}", lambda: model(loss="mse").fit(X, put(X[:, :3], (5, 0), bad)), ValueError, "y",
              f"y[5, 0]={bad}"),
        Wrong(f"weight {bad}", lambda: fit(sample_weight=put(np.ones(10), 9, bad)), ValueError, "sample_weight",
              f"sample_weight[9]={bad}"),
        Wrong(f"predict {bad}", lambda: model().predict(put(X, (0, 0), bad)), ValueError, "x", f"x[0, 0]={bad}"),
        Wrong(f"learning rate {bad}", lambda: optimizers.SGD(bad), ValueError, "learning_rate",
              f"learning_rate={bad}"),
    ]  # fmt: skip


DATA += [wrong for bad in (NAN, INF, -INF) for wrong in not_finite(bad)]

ARGUMENTS = [
    Wrong("batch_size 0", lambda: fit(batch_size=0), ValueError, "batch_size", "batch_size=0"),
    Wrong("batch_size -1", lambda: fit(batch_size=-1), ValueError, "batch_size", "batch_size=-1"),
    Wrong("batch_size 2.5", lambda: fit(batch_size=2.5), TypeError, "batch_size", "batch_size=2.5"),
    Wrong("batch_size text", lambda: fit(batch_size="32"), TypeError, "batch_size", "batch_size='32'"),
    Wrong("predict in batches of 0", lambda: model().predict(X, batch_size=0), ValueError, "batch_size",
          "batch_size=0"),
    Wrong("epochs 0", lambda: fit(epochs=0), ValueError, "epochs", "epochs=0"),
    Wrong("epochs -1", lambda: fit(epochs=-1), ValueError, "epochs", "epochs=-1"),
    Wrong("epochs 1.5", lambda: fit(epochs=1.5), TypeError, "epochs", "epochs=1.5"),
    Wrong("validation_split 1.0", lambda: fit(validation_split=1.0), ValueError, "validation_split",
          "validation_split=1.0"),
    Wrong("validation_split -0.1", lambda: fit(validation_split=-0.1), ValueError, "validation_split",
          "validation_split=-0.1"),
    Wrong("validation_split nan", lambda: fit(validation_split=NAN), ValueError, "validation_split",
          "validation_split=nan"),
    Wrong("validation_split of nothing", lambda: fit(validation_split=0.99), ValueError, "validation_split",
          "validation_split=0.99"),
    Wrong("shuffle", lambda: fit(shuffle=1), TypeError, "shuffle", "shuffle=1"),
    Wrong("verbose", lambda: fit(verbose=3), ValueError, "verbose", "verbose=3"),
    Wrong("optimizer", lambda: model(optimizer="sdg"), ValueError, "optimizer", "optimizer='sdg'"),
    Wrong("loss", lambda: model(loss="msee"), ValueError, "loss", "loss='msee'"),
    Wrong("loss number", lambda: model(loss=3), TypeError, "loss", "loss=3"),
    Wrong("metric", lambda: model(metrics=["accurac"]), ValueError, "metric", "metric='accurac'"),
    Wrong("metrics text", lambda: model(metrics="mae"), TypeError, "metrics", "metrics='mae'"),
    Wrong("activation", lambda: Dense(3, "rellu"), ValueError, "activation", "activation='rellu'"),
    Wrong("relu max_value", lambda: api.layers.ReLU(-1.0), ValueError, "max_value", "max_value=-1.0"),
    Wrong("leaky slope", lambda: api.layers.LeakyReLU(-0.1), ValueError, "negative_slope", "negative_slope=-0.1"),
    Wrong("elu alpha", lambda: api.layers.ELU(-1), ValueError, "alpha", "alpha=-1"),
    Wrong("celu alpha", lambda: api.activations.celu(X, 0.0), ValueError, "alpha", "alpha=0.0"),
    Wrong("shared axes", lambda: api.layers.PReLU(shared_axes=[0]), ValueError, "shared_axes", "shared_axes=0"),
    Wrong("shared axis", lambda: api.layers.PReLU(shared_axes=[3])(X), ValueError, "shared_axes", "shared_axes=[3]"),
    Wrong("softmax axis text", lambda: api.layers.Softmax("last"), TypeError, "axis", "axis='last'"),
    Wrong("softmax axes apart", lambda: api.layers.Softmax([1, 3])(X), ValueError, "axis", "axis=3"),
    Wrong("activation number", lambda: Activation(2), TypeError, "activation", "activation=2"),
    Wrong("initializer", lambda: Dense(3, kernel_initializer="he"), ValueError, "initializer", "initializer='he'"),
    Wrong("reduction in compile", lambda: model(loss=losses.MeanSquaredError(reduction="none")), ValueError, "loss",
          "reduction='none'"),
    Wrong("no reduction in compile", lambda: model(loss=losses.Hinge(reduction=None)), ValueError, "loss",
          "reduction=None"),
    Wrong("loss dtype", lambda: model(loss=losses.Hinge(dtype="float64")).fit(X, X[:, :3]), ValueError, "dtype",
          "dtype='float64'"),
    Wrong("loss axis", lambda: losses.CosineSimilarity(axis=1), ValueError, "axis", "axis=1"),
    Wrong("loss axis type", lambda: losses.CategoricalCrossentropy(axis=True), TypeError, "axis", "axis=True"),
    Wrong("delta", lambda: losses.Huber(delta=-1.0), ValueError, "delta", "delta=-1.0"),
    Wrong("gamma", lambda: losses.BinaryFocalCrossentropy(gamma=-1.0), ValueError, "gamma", "gamma=-1.0"),
    Wrong("ignore_class", lambda: losses.SparseCategoricalCrossentropy(ignore_class=0.5), TypeError, "ignore_class",
          "ignore_class=0.5"),
    Wrong("reduction", lambda: losses.MeanSquaredError(reduction="average"), ValueError, "reduction",
          "reduction='average'"),
    Wrong("backend", lambda: api.backend("torch"), ValueError, "name", "name='torch'"),
    Wrong("learning rate 1", lambda: optimizers.Adam(1), ValueError, "learning_rate", "learning_rate=1"),
    Wrong("learning rate -0.1", lambda: optimizers.SGD(-0.1), ValueError, "learning_rate", "learning_rate=-0.1"),
    Wrong("learning rate text", lambda: optimizers.SGD("0.1"), ValueError, "learning_rate", "learning_rate='0.1'"),
    Wrong("decay_steps 0", lambda: schedules.ExponentialDecay(0.1, 0, 0.9), ValueError, "decay_steps", "decay_steps=0"),
    Wrong("decay_rate", lambda: schedules.InverseTimeDecay(0.1, 9, "0.5"), TypeError, "decay_rate", "decay_rate='0.5'"),
    Wrong("power", lambda: schedules.PolynomialDecay(0.1, 9, power=-1.0), ValueError, "power", "power=-1.0"),
    Wrong("staircase", lambda: schedules.ExponentialDecay(0.1, 9, 0.9, 1), TypeError, "staircase", "staircase=1"),
    Wrong("boundaries count", lambda: schedules.PiecewiseConstantDecay([5], [0.1]), ValueError, "boundaries",
          "boundaries=[5], values=[0.1]"),
    Wrong("boundaries order", lambda: schedules.PiecewiseConstantDecay([5, 5], [0.1, 0.2, 0.3]), ValueError,
          "boundaries", "boundaries=[5, 5]"),
    Wrong("values", lambda: schedules.PiecewiseConstantDecay([], 0.1), TypeError, "values", "values=0.1"),
    Wrong("warmup_steps", lambda: schedules.CosineDecay(0.1, 9, warmup_target=1.0, warmup_steps=-1), ValueError,
          "warmup_steps", "warmup_steps=-1"),
    Wrong("t_mul", lambda: schedules.CosineDecayRestarts(0.1, 9, t_mul=0.5), ValueError, "t_mul", "t_mul=0.5"),
    Wrong("first_decay_steps", lambda: schedules.CosineDecayRestarts(0.1, INF), ValueError, "first_decay_steps",
          "first_decay_steps=inf"),
    Wrong("schedule config", lambda: schedules.deserialize({"class_name": "Cosine"}), ValueError, "config",
          "config='Cosine'"),
    Wrong("momentum", lambda: optimizers.SGD(0.1, momentum=-0.5), ValueError, "momentum", "momentum=-0.5"),
    Wrong("beta_1", lambda: optimizers.Adam(beta_1=1.0), ValueError, "beta_1", "beta_1=1.0"),
    Wrong("Dense 0", lambda: Dense(0), ValueError, "units", "units=0"),
    Wrong("Dense -3", lambda: Dense(-3), ValueError, "units", "units=-3"),
    Wrong("Dense 2.5", lambda: Dense(2.5), TypeError, "units", "units=2.5"),
    Wrong("Dense True", lambda: Dense(True), TypeError, "units", "units=True"),
    Wrong("Dropout 1.5", lambda: Dropout(1.5), ValueError, "rate", "rate=1.5"),
    Wrong("Dropout -0.1", lambda: Dropout(-0.1), ValueError, "rate", "rate=-0.1"),
    Wrong("Dropout nan", lambda: Dropout(NAN), ValueError, "rate", "rate=nan"),
    Wrong("GaussianNoise 2", lambda: layers.GaussianNoise(2.0), ValueError, "stddev", "stddev=2.0"),
    Wrong("GaussianDropout 1", lambda: layers.GaussianDropout(1.0), ValueError, "rate", "rate=1.0"),
    Wrong("AlphaDropout text", lambda: layers.AlphaDropout("0.1"), TypeError, "rate", "rate='0.1'"),
    Wrong("noise_shape text", lambda: Dropout(0.1, "ab"), TypeError, "noise_shape", "noise_shape='ab'"),
    Wrong("LSTM 0", lambda: layers.LSTM(0), ValueError, "units", "units=0"),
    Wrong("GRU dropout", lambda: layers.GRU(2, dropout=1.5), ValueError, "dropout", "dropout=1.5"),
    Wrong("use_cudnn", lambda: layers.GRU(2, use_cudnn="on"), ValueError, "use_cudnn", "use_cudnn='on'"),
    Wrong("merge", lambda: layers.Bidirectional(layers.GRU(2), "max"), ValueError, "merge_mode", "merge_mode='max'"),
    Wrong("no cells", lambda: layers.StackedRNNCells([]), ValueError, "cells", "cells=[]"),
    Wrong("flip", lambda: layers.RandomFlip("sideways"), ValueError, "mode", "mode='sideways'"),
    Wrong("RandomFlip seed", lambda: layers.RandomFlip(seed=-1), ValueError, "seed", "seed=-1"),
    Wrong(
        "translation 2", lambda: layers.RandomTranslation(2.0, 0.1), ValueError, "height_factor", "height_factor=2.0"
    ),
    Wrong(
        "three numbers", lambda: layers.RandomTranslation(0.1, (0.1, 0.2, 0.3)), TypeError, "width_factor",
        "width_factor=(0.1, 0.2, 0.3)",
    ),
    Wrong("rotation text", lambda: layers.RandomRotation("0.1"), TypeError, "factor", "factor='0.1'"),
    Wrong("zoom -1", lambda: layers.RandomZoom((-1, 0)), ValueError, "height_factor", "height_factor=(-1, 0)"),
    Wrong(
        "fill_mode", lambda: layers.RandomZoom(0.1, fill_mode="mirror"), ValueError, "fill_mode", "fill_mode='mirror'"
    ),
    Wrong(
        "interpolation", lambda: layers.RandomZoom(0.1, interpolation="cubic"), ValueError, "interpolation",
        "interpolation='cubic'",
    ),
    Wrong("brightness 2", lambda: layers.RandomBrightness(2), ValueError, "factor", "factor=2"),
    Wrong("contrast -0.1", lambda: layers.RandomContrast(-0.1), ValueError, "factor", "factor=-0.1"),
    Wrong("one value", lambda: layers.RandomContrast(0.1, 255), TypeError, "value_range", "value_range=255"),
    Wrong("RandomCrop 0", lambda: layers.RandomCrop(3, 0), ValueError, "width", "width=0"),
    Wrong(
        "order of axes", lambda: layers.RandomCrop(3, 3, data_format="last"), ValueError, "data_format",
        "data_format='last'",
    ),
    Wrong(
        "images of rank 3", lambda: layers.RandomFlip()(np.ones((2, 3, 4))), ValueError, "input_shape",
        "input_shape=(None, 3, 4)",
    ),
    Wrong("noise_shape 0", lambda: Dropout(0.1, (None, 0)), ValueError, "noise_shape", "noise_shape=0"),
    Wrong("BatchNormalization of the batch", lambda: layers.BatchNormalization(axis=0)(X), ValueError, "axis",
          "axis=0"),
    Wrong("BatchNormalization momentum", lambda: layers.BatchNormalization(momentum=1.5), ValueError, "momentum",
          "momentum=1.5"),
    Wrong("LayerNormalization epsilon", lambda: layers.LayerNormalization(epsilon=-1.0), ValueError, "epsilon",
          "epsilon=-1.0"),
    Wrong("an axis twice", lambda: layers.UnitNormalization(axis=[1, -1])(X), ValueError, "axis", "axis=[1, -1]"),
    Wrong("GroupNormalization 3", lambda: layers.GroupNormalization(3)(X), ValueError, "groups", "groups=3"),
    Wrong("GroupNormalization 0", lambda: layers.GroupNormalization(0), ValueError, "groups", "groups=0"),
    Wrong("Rescaling", lambda: layers.Rescaling("1"), TypeError, "scale", "scale='1'"),
    Wrong("Normalization", lambda: layers.Normalization(mean=1.0), ValueError, "mean", "mean=1.0, variance=None"),
    Wrong("adapt to nothing", lambda: layers.Normalization().adapt(X[:0]), ValueError, "data", "shape=(0, 4)"),
    Wrong("adapt to text", lambda: layers.Normalization().adapt(X.astype("U")), TypeError, "data", "dtype='<U32'"),
    Wrong("adapt what is given", lambda: layers.Normalization(mean=1.0, variance=2.0).adapt(X), ValueError, "adapt",
          "mean=1.0"),
    Wrong("bins", lambda: layers.Discretization(), ValueError, "bin_boundaries", "bin_boundaries=None, num_bins=None"),
    Wrong("bins descend", lambda: layers.Discretization([1.0, 0.0]), ValueError, "bin_boundaries",
          "bin_boundaries=[1.0, 0.0]"),
    Wrong("num_tokens", lambda: layers.CategoryEncoding(), ValueError, "num_tokens", "num_tokens=None"),
    Wrong("output_mode", lambda: layers.CategoryEncoding(3, "binary"), ValueError, "output_mode",
          "output_mode='binary'"),
    Wrong("label beyond num_tokens", lambda: layers.CategoryEncoding(3)(np.array([[1, 3]])), ValueError, "inputs",
          "inputs[0, 1]=3"),
    Wrong("label_smoothing", lambda: losses.BinaryCrossentropy(label_smoothing=1.5), ValueError, "label_smoothing",
          "label_smoothing=1.5"),
    Wrong("threshold", lambda: metrics.BinaryAccuracy(threshold="half"), TypeError, "threshold", "threshold='half'"),
    Wrong("scale", lambda: initializers.VarianceScaling(0.0), ValueError, "scale", "scale=0.0"),
    Wrong("gain", lambda: initializers.Orthogonal("1"), TypeError, "gain", "gain='1'"),
    Wrong("gain nan", lambda: initializers.Identity(NAN), ValueError, "gain", "gain=nan"),
    Wrong("stddev", lambda: initializers.RandomNormal(stddev=-1.0), ValueError, "stddev", "stddev=-1.0"),
    Wrong("seed", lambda: api.utils.set_random_seed(-1), ValueError, "seed", "seed=-1"),
    Wrong("axis", lambda: Concatenate(axis=0.5), TypeError, "axis", "axis=0.5"),
    Wrong("target_shape", lambda: Reshape((-1, -1)), ValueError, "target_shape", "target_shape=(-1, -1)"),
    Wrong("Input shape", lambda: api.Input((None, 3)), ValueError, "shape", "shape=(None, 3)"),
    Wrong("Input dtype", lambda: api.Input((3,), dtype="float16"), ValueError, "dtype", "dtype='float16'"),
]  # fmt: skip

KEYWORDS = [
    Wrong("Dense keyword", lambda: Dense(3, kernel_regulariser=1), TypeError, "kernel_regulariser",
          "kernel_regulariser=1"),
    Wrong("Flatten keyword", lambda: Flatten(wrong=None), TypeError, "wrong", "wrong=None"),
    Wrong("SGD keyword", lambda: optimizers.SGD(lr=0.1), TypeError, "lr", "lr=0.1"),
    Wrong("Adam keyword", lambda: optimizers.Adam(decay=0.1), TypeError, "decay", "decay=0.1"),
]  # fmt: skip


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("wrong", [*DATA, *ARGUMENTS, *KEYWORDS], ids=lambda w: w.id)
def test_the_text_names_the_argument_and_what_was_received(wrong: Wrong, backend: str) -> None:
    with fastgd.backend(backend), pytest.raises(wrong.error) as caught:
        wrong.call()
    text = str(caught.value)
    assert f"`{wrong.argument}`" in text
    assert text.endswith(f"Received: {wrong.received}")
    assert "\n" not in text
    # Exactly this class: a subclass such as UnicodeError or numpy's own would be an accident.
    assert type(caught.value) is wrong.error


def test_rows_have_distinct_names() -> None:
    names = [wrong.id for wrong in (*DATA, *ARGUMENTS, *KEYWORDS)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "wrong",
    [w for w in DATA if "validation" not in w.id and not w.id.startswith(("predict", "learning rate"))],
    ids=lambda w: w.id,
)
def test_evaluate_and_train_on_batch_say_the_same(wrong: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    for method in ("evaluate", "train_on_batch", "test_on_batch"):

        def instead(self: Any, x: Any = None, y: Any = None, method: str = method, **arguments: Any) -> Any:
            arguments.pop("verbose", None)
            return getattr(self, method)(x, y, **arguments)

        with monkeypatch.context() as patch:
            patch.setattr(fastgd.Sequential, "fit", instead)
            with pytest.raises(wrong.error, match=re.escape(f"Received: {wrong.received}") + "$"):
                wrong.call()


def test_every_refused_call_leaves_the_model_as_it_was() -> None:
    made = model()
    made.fit(X, Y, verbose=0)
    before, iterations = made.get_weights(), made.optimizer.iterations
    for x, y, s in ((X[:, :3], Y, None), (X, Y + 1, None), (put(X, 0, NAN), Y, None), (X, Y, np.ones(3))):
        with pytest.raises(ValueError, match="Received: "):
            made.fit(x, y, sample_weight=s, verbose=0)
    for a, b in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert made.optimizer.iterations == iterations


def test_order_of_calls() -> None:
    made = fastgd.Sequential([Dense(3)], name="chain")
    with pytest.raises(ValueError, match="^The model 'chain' is not built: .*Input"):
        made.predict(X)
    for method in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with pytest.raises(ValueError, match=f"^The model 'chain' is not compiled: call `compile` before `{method}`.$"):
            getattr(made, method)(X, Y)
    made.compile("sgd", "mse")
    with pytest.raises(ValueError, match="^The model 'chain' is not built: "):
        made.evaluate(X, Y)
    made.compile("sgd")
    with pytest.raises(ValueError, match="^The model 'chain' has no loss: give `compile` one before `fit`.$"):
        made.fit(X, Y)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "compile", "train_on_batch"])
def test_unknown_keywords_of_methods(method: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
        getattr(model(), method)(X, wrong=1)


@pytest.mark.parametrize("units", [2**62, 2**64, 2**40])
def test_layers_too_large_for_any_machine_fail_at_once(units: int) -> None:
    with pytest.raises((ValueError, MemoryError)):
        Dense(units)(fastgd.Input((4,)))
    with pytest.raises((ValueError, MemoryError)):
        Dense(4)(fastgd.Input((units,)))
    made = fastgd.Sequential([Dense(units)])
    made.compile("sgd", "mse")
    with pytest.raises((ValueError, MemoryError)):
        made.fit(X, Y)


def test_huge_shapes_without_weights_do_not_wrap_around() -> None:
    for shape in ((2**62, 4), (2**32, 2**32), (2**62, 2**62)):
        entrance = fastgd.Input(shape)
        with pytest.raises((ValueError, MemoryError)):
            fastgd.Model(entrance, Dense(1)(Flatten()(entrance)))
        made = fastgd.Model(entrance, Flatten()(Activation("relu")(entrance)))
        with pytest.raises((ValueError, MemoryError)):
            made.predict(X, verbose=0)


@pytest.mark.parametrize(
    ("count", "error"),
    [*((n, ValueError) for n in (0, -1, 1025, 2**40)), *((n, TypeError) for n in (2.5, "2", None, True))],
)
def test_numbers_of_threads(count: Any, error: type[Exception]) -> None:
    before = fastgd.get_num_threads()
    with pytest.raises(error, match=rf"^`count` must be .* Received: count={re.escape(repr(count))}$"):
        fastgd.set_num_threads(count)
    assert fastgd.get_num_threads() == before
