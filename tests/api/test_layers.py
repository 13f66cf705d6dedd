"""Layers one by one: arguments, configs, weights, calls on arrays, and every registered class in a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, ops
from fastgd.layers.headed_attention import HeadedAttention
from fastgd.layers.host_layer import HostLayer
from fastgd.layers.layer import Layer, registry
from fastgd.layers.recurrent_cell import RecurrentCell

# One row per registered layer: how it is made, and the shapes of its inputs and its output.
CASES = {
    "InputLayer": (lambda: layers.InputLayer((3,)), [(3,)], (3,)),
    "Dense": (lambda: layers.Dense(5, "leaky_relu", kernel_initializer="he_normal"), [(3,)], (5,)),
    "Activation": (lambda: layers.Activation("softmax"), [(2, 3)], (2, 3)),
    "ELU": (lambda: layers.ELU(0.5), [(2, 3)], (2, 3)),
    "LeakyReLU": (lambda: layers.LeakyReLU(), [(2, 3)], (2, 3)),
    "PReLU": (lambda: layers.PReLU(shared_axes=[1]), [(2, 3)], (2, 3)),
    "ReLU": (lambda: layers.ReLU(max_value=1.0), [(2, 3)], (2, 3)),
    "Softmax": (lambda: layers.Softmax(axis=1), [(2, 3)], (2, 3)),
    "ActivityRegularization": (lambda: layers.ActivityRegularization(0.1, 0.2), [(2, 3)], (2, 3)),
    "Dropout": (lambda: layers.Dropout(0.25, seed=3), [(3,)], (3,)),
    "AlphaDropout": (lambda: layers.AlphaDropout(0.25, seed=3), [(3,)], (3,)),
    "SpatialDropout1D": (lambda: layers.SpatialDropout1D(0.25), [(2, 3)], (2, 3)),
    "GaussianNoise": (lambda: layers.GaussianNoise(0.1), [(3,)], (3,)),
    "GaussianDropout": (lambda: layers.GaussianDropout(0.1), [(3,)], (3,)),
    "BatchNormalization": (lambda: layers.BatchNormalization(axis=1, momentum=1.0), [(2, 3)], (2, 3)),
    "GroupNormalization": (lambda: layers.GroupNormalization(3), [(2, 6)], (2, 6)),
    "LayerNormalization": (lambda: layers.LayerNormalization(axis=[1, 2]), [(2, 3)], (2, 3)),
    "RMSNormalization": (lambda: layers.RMSNormalization(), [(2, 3)], (2, 3)),
    "UnitNormalization": (lambda: layers.UnitNormalization(axis=1), [(2, 3)], (2, 3)),
    "Rescaling": (lambda: layers.Rescaling(0.5, [1.0, 2.0]), [(3, 2)], (3, 2)),
    "Normalization": (lambda: layers.Normalization(mean=[1.0, 2.0], variance=[3.0, 4.0]), [(3, 2)], (3, 2)),
    "Discretization": (lambda: layers.Discretization([0.0, 0.5], output_mode="one_hot"), [(2,)], (2, 3)),
    "CategoryEncoding": (lambda: layers.CategoryEncoding(4, output_mode="count"), [(3,)], (4,)),
    "Flatten": (lambda: layers.Flatten(), [(2, 3, 4)], (24,)),
    "Reshape": (lambda: layers.Reshape((4, -1)), [(2, 6)], (4, 3)),
    "Add": (lambda: layers.Add(), [(3,), (3,), (3,)], (3,)),
    "Subtract": (lambda: layers.Subtract(), [(2, 3), (3,)], (2, 3)),
    "Multiply": (lambda: layers.Multiply(), [(2, 3), (1, 3)], (2, 3)),
    "Average": (lambda: layers.Average(), [(3,), (3,)], (3,)),
    "Maximum": (lambda: layers.Maximum(), [(3,), (3,)], (3,)),
    "Minimum": (lambda: layers.Minimum(), [(3,), (3,)], (3,)),
    "Permute": (lambda: layers.Permute((2, 1)), [(2, 6)], (6, 2)),
    "RepeatVector": (lambda: layers.RepeatVector(4), [(6,)], (4, 6)),
    "Identity": (lambda: layers.Identity(), [(2, 6)], (2, 6)),
    "Concatenate": (lambda: layers.Concatenate(axis=1), [(2, 3), (4, 3)], (6, 3)),
    "Dot": (lambda: layers.Dot(axes=(1, 2)), [(5,), (3, 5)], (3,)),
    "Conv1D": (lambda: layers.Conv1D(3, 2, padding="causal"), [(5, 2)], (5, 3)),
    "Conv2D": (lambda: layers.Conv2D(4, 3, strides=2, groups=2, activation="relu"), [(5, 7, 2)], (2, 3, 4)),
    "Conv3D": (lambda: layers.Conv3D(2, 2, data_format="channels_first"), [(1, 3, 4, 2)], (2, 2, 3, 1)),
    "Conv1DTranspose": (lambda: layers.Conv1DTranspose(3, 2, 3, output_padding=2), [(4, 2)], (13, 3)),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(3, 4, 2, "same"), [(3, 4, 2)], (6, 8, 3)),
    "Conv3DTranspose": (lambda: layers.Conv3DTranspose(1, 2, dilation_rate=2), [(2, 3, 1, 2)], (4, 5, 3, 1)),
    "DepthwiseConv1D": (lambda: layers.DepthwiseConv1D(3, 2), [(7, 3)], (3, 3)),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D((2, 3), depth_multiplier=2), [(4, 5, 3)], (3, 3, 6)),
    "SeparableConv1D": (lambda: layers.SeparableConv1D(4, 3, padding="same"), [(5, 2)], (5, 4)),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(4, 3, 2, "same", activation="relu"), [(5, 4, 2)], (3, 2, 4)),
    "SimpleRNN": (lambda: layers.SimpleRNN(2, "relu"), [(3, 4)], (2,)),
    "LSTM": (lambda: layers.LSTM(2, return_sequences=True, go_backwards=True), [(3, 4)], (3, 2)),
    "GRU": (lambda: layers.GRU(2, reset_after=False, activation="mish"), [(3, 4)], (2,)),
    "RNN": (lambda: layers.RNN([layers.LSTMCell(2), layers.GRUCell(5)]), [(3, 4)], (5,)),
    "Bidirectional": (lambda: layers.Bidirectional(layers.GRU(3)), [(3, 4)], (6,)),
    "RandomFlip": (lambda: layers.RandomFlip(), [(5, 4, 3)], (5, 4, 3)),
    "RandomTranslation": (lambda: layers.RandomTranslation(0.2, (-0.1, 0.3)), [(5, 4, 3)], (5, 4, 3)),
    "RandomRotation": (lambda: layers.RandomRotation(0.1, "wrap"), [(5, 4, 3)], (5, 4, 3)),
    "RandomZoom": (lambda: layers.RandomZoom(0.2), [(5, 4, 3)], (5, 4, 3)),
    "RandomCrop": (lambda: layers.RandomCrop(3, 2), [(5, 4, 3)], (3, 2, 3)),
    "RandomBrightness": (lambda: layers.RandomBrightness(0.2, (0.0, 1.0)), [(5, 4, 3)], (5, 4, 3)),
    "RandomContrast": (lambda: layers.RandomContrast(0.2), [(5, 4, 3)], (5, 4, 3)),
    "Lambda": (lambda: layers.Lambda(ops.square), [(2, 3)], (2, 3)),
    "MaxPooling1D": (lambda: layers.MaxPooling1D(), [(7, 3)], (3, 3)),
    "MaxPooling2D": (lambda: layers.MaxPooling2D(), [(7, 4, 3)], (3, 2, 3)),
    "MaxPooling3D": (lambda: layers.MaxPooling3D(), [(2, 7, 4, 3)], (1, 3, 2, 3)),
    "AveragePooling1D": (lambda: layers.AveragePooling1D(3, 1, "same"), [(7, 3)], (7, 3)),
    "AveragePooling2D": (lambda: layers.AveragePooling2D((2, 3), 1, "same"), [(7, 4, 3)], (7, 4, 3)),
    "AveragePooling3D": (lambda: layers.AveragePooling3D(2, (1, 2, 3)), [(2, 7, 4, 3)], (1, 3, 1, 3)),
    "GlobalMaxPooling1D": (lambda: layers.GlobalMaxPooling1D(), [(7, 3)], (3,)),
    "GlobalMaxPooling2D": (lambda: layers.GlobalMaxPooling2D("channels_first"), [(7, 4, 3)], (7,)),
    "GlobalMaxPooling3D": (lambda: layers.GlobalMaxPooling3D(keepdims=True), [(2, 7, 4, 3)], (1, 1, 1, 3)),
    "GlobalAveragePooling1D": (lambda: layers.GlobalAveragePooling1D(keepdims=True), [(7, 3)], (1, 3)),
    "GlobalAveragePooling2D": (lambda: layers.GlobalAveragePooling2D(), [(7, 4, 3)], (3,)),
    "GlobalAveragePooling3D": (lambda: layers.GlobalAveragePooling3D("channels_first"), [(2, 7, 4, 3)], (2,)),
    "UpSampling1D": (lambda: layers.UpSampling1D(3), [(2, 3)], (6, 3)),
    "UpSampling2D": (lambda: layers.UpSampling2D((1, 2), interpolation="bilinear"), [(2, 3, 4)], (2, 6, 4)),
    "UpSampling3D": (lambda: layers.UpSampling3D(), [(1, 2, 3, 4)], (2, 4, 6, 4)),
    "ZeroPadding1D": (lambda: layers.ZeroPadding1D(), [(2, 3)], (4, 3)),
    "ZeroPadding2D": (lambda: layers.ZeroPadding2D((1, 2)), [(2, 3, 4)], (4, 7, 4)),
    "ZeroPadding3D": (lambda: layers.ZeroPadding3D(data_format="channels_first"), [(2, 3, 4, 5)], (2, 5, 6, 7)),
    "Embedding": (lambda: layers.Embedding(5, 2, mask_zero=True), [(4,)], (4, 2)),
    "EinsumDense": (lambda: layers.EinsumDense("abc,cd->abd", (None, 2)), [(4, 3)], (4, 2)),
    "Attention": (lambda: layers.Attention(), [(4, 3), (2, 3)], (4, 3)),
    "AdditiveAttention": (lambda: layers.AdditiveAttention(), [(4, 3), (2, 3)], (4, 3)),
    "SpatialDropout2D": (lambda: layers.SpatialDropout2D(0.3), [(2, 3, 4)], (2, 3, 4)),
    "SpatialDropout3D": (lambda: layers.SpatialDropout3D(0.3), [(2, 3, 4, 5)], (2, 3, 4, 5)),
    "Masking": (lambda: layers.Masking(), [(4, 3)], (4, 3)),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Conv1D(2, 3)), [(4, 5, 3)], (4, 3, 2)),
    "Cropping1D": (lambda: layers.Cropping1D((1, 2)), [(5, 3)], (2, 3)),
    "Cropping2D": (lambda: layers.Cropping2D(((0, 1), (1, 0))), [(2, 3, 4)], (1, 2, 4)),
    "Cropping3D": (lambda: layers.Cropping3D(), [(3, 4, 5, 2)], (1, 2, 3, 2)),
}


def own_classes():
    return {name for name, cls in registry.classes.items() if cls.__module__.startswith("fastgd.")}


def test_every_layer_has_a_row():
    # Cells take states besides, attention with heads several arguments, and layers of texts no numbers: they have tests
    # of their own.
    apart = (HostLayer, HeadedAttention, RecurrentCell, layers.StackedRNNCells)
    assert {name for name in own_classes() if not issubclass(registry.classes[name], apart)} == set(CASES)


@pytest.mark.filterwarnings("ignore:Layer 'flatten.* was passed an input with a mask:UserWarning")
@pytest.mark.parametrize("name", CASES)
def test_layer_in_a_model(name, rng):
    make, shapes, expected = CASES[name]
    if name == "InputLayer":
        assert make().output.shape == (None, *expected)
        return
    layer = make()
    inputs = [fastgd.Input(shape, dtype="int32" if layer.integer_inputs else None) for shape in shapes]
    output = layer(inputs if len(inputs) > 1 else inputs[0])
    assert output.shape == (None, *expected)
    assert layer.output is output
    model = fastgd.Model(inputs, layers.Flatten()(output))
    model.compile("sgd", "mse")
    arrays = [rng.normal(size=(5, *shape)).astype(np.float32) for shape in shapes]
    if layer.integer_inputs:
        arrays = [rng.integers(0, layer.index_limit, (5, *shape)) for shape in shapes]
    flat = int(np.prod(expected))
    assert np.isfinite(model.fit(arrays, np.zeros((5, flat)), verbose=0).history["loss"][0])
    result = layer(arrays if len(arrays) > 1 else arrays[0])
    assert result.shape == (5, *expected)
    np.testing.assert_allclose(result.reshape(5, flat), model.predict(arrays, verbose=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name):
    layer = CASES[name][0]()
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    assert again.name == layer.name
    assert registry.from_config({"class_name": name, "config": config}).get_config() == config


def test_dense_by_hand():
    x = np.array([[1.0, -2.0]])
    layer = layers.Dense(3, activation=lambda z: fastgd.ops.activation(z, "tanh"), dtype="float64")
    y = layer(x)
    assert [w.name for w in layer.weights] == ["kernel", "bias"]
    np.testing.assert_allclose(y, np.tanh(x @ layer.kernel.numpy() + layer.bias.numpy()), rtol=1e-14)
    assert layers.Dense(3, use_bias=False)(x).shape == (1, 3)


def test_dense_arguments():
    with pytest.raises(ValueError, match=r"^`units` must be 1 or more. Received: units=-3$"):
        layers.Dense(-3)
    with pytest.raises(TypeError, match=r"`units` must be an integer. Received: units='8'"):
        layers.Dense("8")
    with pytest.raises(TypeError, match=r"`use_bias` must be True or False. Received: use_bias=1"):
        layers.Dense(3, use_bias=1)
    with pytest.raises(TypeError, match=r"Dense has no keyword `lora_rank`.*Received: lora_rank='l2'"):
        layers.Dense(3, lora_rank="l2")
    with pytest.raises(
        ValueError, match=r"needs one input of shape \(batch, ..., features\). Received: input_shape=\(None,\)"
    ):
        layers.Dense(3)(fastgd.Input(()))


def test_base_arguments():
    with pytest.raises(ValueError, match="`name` must be a non-empty string without a slash"):
        layers.Flatten(name="a/b")
    with pytest.raises(ValueError, match="`input_shape` must hold fixed sizes"):
        layers.Dense(1, input_shape=(None, 3))
    with pytest.raises(TypeError, match="`input_shape` must be a tuple of integers"):
        layers.Dense(1, input_shape=3)
    with pytest.raises(ValueError, match="`shape` must be given"):
        fastgd.Input()
    with pytest.raises(ValueError, match="Give `shape` or `batch_shape`, not both"):
        fastgd.Input((1,), batch_shape=(None, 1))
    with pytest.raises(ValueError, match="`batch_shape` must begin with the size of the batches, or None"):
        fastgd.Input(batch_shape=())
    with pytest.raises(ValueError, match="`batch_size` must be 1 or more"):
        fastgd.Input(batch_shape=(0, 1))
    with pytest.raises(ValueError, match=r"`dtype` must be one of float32, float64. Received: dtype='int32'"):
        layers.Flatten(dtype="int32")
    assert fastgd.Input((1,), dtype="int32").dtype == "int32"


def test_dropout_arguments():
    with pytest.raises(ValueError, match=r"`rate` must be between 0 and 1. Received: rate=1.5"):
        layers.Dropout(1.5)
    with pytest.raises(ValueError, match=r"`seed` must be 0 or more"):
        layers.Dropout(0.5, seed=-1)


def test_dropout_scales_what_it_keeps():
    layer = layers.Dropout(0.25, seed=1)
    y = layer(np.ones((100, 100)), training=True)
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert y.mean() == pytest.approx(1.0, abs=0.02)
    np.testing.assert_array_equal(layers.Dropout(1.0)(np.ones((2, 2)), training=True), np.zeros((2, 2)))


def test_shape_errors_name_both_shapes():
    x = fastgd.Input((2, 3))
    with pytest.raises(
        ValueError, match=r"^\[reshape\] \(batch, 2, 3\) cannot take the shape \(None, 4, -1\): no whole"
    ):
        layers.Reshape((4, -1))(x)
    with pytest.raises(
        ValueError, match=r"^\[concatenate\] the inputs must have one shape but on axis 2: .* and \(batch, 4, 3\)"
    ):
        layers.concatenate([x, fastgd.Input((4, 3))])
    with pytest.raises(ValueError, match=r"^\[concatenate\] axis 0 must be one of the axes behind the batch"):
        layers.concatenate([x, x], axis=0)
    shared = layers.Dense(2)
    shared(fastgd.Input((3,)))
    with pytest.raises(ValueError, match=r"^\[dense\] the last axis .*: x is \(batch, 4\), the kernel \(3, 2\)"):
        shared(fastgd.Input((4,)))
    with pytest.raises(TypeError, match="Add must be called on a list of inputs"):
        layers.Add()(x)
    with pytest.raises(ValueError, match="`target_shape` may hold -1 once"):
        layers.Reshape((-1, -1))


def test_functions_on_arrays(rng):
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    np.testing.assert_allclose(layers.add([a, b]), a + b, rtol=1e-6)
    np.testing.assert_allclose(layers.concatenate([a, b]), np.concatenate([a, b], axis=1), rtol=1e-6)


def test_weights_get_and_set(rng):
    layer = layers.Dense(2)
    with pytest.raises(ValueError, match="'dense' is not built"):
        layer.count_params()
    layer.build((None, 3))
    assert layer.built
    assert layer.count_params() == 8
    kernel, bias = rng.normal(size=(3, 2)), rng.normal(size=2)
    layer.set_weights([kernel, bias])
    np.testing.assert_array_equal(layer.get_weights()[0], kernel.astype(np.float32))
    with pytest.raises(
        ValueError, match=r"`weights` must have the shapes \[\(3, 2\), \(2,\)\] of 'dense'. Received: shapes="
    ):
        layer.set_weights([kernel.T, bias])
    with pytest.raises(ValueError, match="`weights` must have the shapes"):
        layer.set_weights([kernel])
    copies = layer.get_weights()
    copies[0][:] = 0
    assert layer.kernel.numpy().any()


def test_output_needs_exactly_one_call():
    layer = layers.Dense(2)
    with pytest.raises(ValueError, match="'dense' has been called 0 times on placeholders"):
        _ = layer.output
    x = fastgd.Input((2,))
    layer(layer(x))
    with pytest.raises(ValueError, match="called 2 times"):
        _ = layer.input


def test_layer_of_ones_own(rng):
    class Residual(Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], input_shape[-1]), "zeros", name="kernel")
            super().build(input_shape)

        def call(self, inputs):
            return fastgd.ops.sum_of([inputs, fastgd.ops.dense(inputs, self.kernel)])

    try:
        model = fastgd.Sequential([fastgd.Input((3,)), Residual(), layers.Dense(1)])
        x = rng.normal(size=(4, 3)).astype(np.float32)
        np.testing.assert_array_equal(model.layers[0](x), x)
        model.compile("sgd", "mse")
        model.fit(x, x[:, 0], verbose=0)
        assert model.layers[0].kernel.numpy().any()
    finally:
        del registry.classes["Residual"]


def test_call_must_return_tensors():
    class Wrong(Layer, abstract=True):
        def call(self, inputs):
            return 3

    with pytest.raises(TypeError, match="`call` of Wrong must return tensors of fastgd.ops"):
        Wrong()(fastgd.Input((2,)))
    with pytest.raises(TypeError, match="did not contain a loop|does not support ufuncs|not supported"):
        layers.Dense(1, activation=np.tanh)(fastgd.Input((2,)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Lambda("relu"), TypeError, "`function` must be a function .*Received: function='relu'"),
        (lambda: layers.Lambda({"class_name": "__lambda__", "config": "x"}), ValueError, "not a known function of"),
        (lambda: layers.Lambda(ops.relu, mask=[1]), TypeError, "`mask` must be None.*Received: mask="),
        (lambda: layers.Lambda(ops.relu, arguments=[1]), TypeError, "`arguments` must be a dict.*arguments="),
        (lambda: layers.Lambda(ops.relu, (4,))(np.ones((2, 3))), ValueError, r"has the shape \(None, 3\).*\(None, 4\)"),
        (lambda: layers.Dot("1"), TypeError, "`axes` must be an integer or two. Received: axes='1'"),
        (lambda: layers.Dot((1, 2, 3)), ValueError, "`axes` must be an integer or two"),
        (lambda: layers.dot([np.ones((2, 3))] * 3, 1), ValueError, "exactly 2 inputs"),
        (lambda: layers.dot([np.ones((2, 3))] * 2, 0), ValueError, r"\[dot\] `axes` must be behind the batch"),
        (lambda: layers.dot([np.ones((2, 3))] * 2, 2), ValueError, r"\[dot\] `axis` must be from -2 to 1"),
        (lambda: layers.dot([np.ones((2, 3)), np.ones((2, 4))], 1), ValueError, r"\[dot\] the sizes 3 and 4 along"),
    ],
)
def test_wrong_functions_and_axes(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_lambda_passes_training_and_checks_its_shape(rng):
    def twice(x, training=None):
        return 2.0 * x if training else x

    x = rng.normal(size=(5, 3)).astype("float32")
    layer = layers.Lambda(twice, output_shape=lambda shape: shape)
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer(x, training=True), 2 * x)
    pair = layers.Lambda(lambda xs: xs[0] - xs[1], output_shape=(3,))
    np.testing.assert_array_equal(pair([x, 2 * x]), -x)


def test_normalized_products_of_zeros_have_gradients():
    a, b = fastgd.Input((3,)), fastgd.Input((3,))
    model = fastgd.Model([a, b], layers.Dot(1, normalize=True)([layers.Dense(3, use_bias=False)(a), b]))
    model.compile("sgd", "mse")
    zeros = np.zeros((4, 3), "float32")
    model.fit([zeros, zeros], np.ones(4), verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_build_called_directly_makes_the_weights_once() -> None:
    class Scaled(layers.Layer, abstract=True):
        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")

        def call(self, inputs: Any) -> Any:
            return ops.multiply(inputs, self.factor)

    class Shifted(Scaled, abstract=True):
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self.shift = self.add_weight((input_shape[-1],), "zeros", name="shift")

    for cls, count in ((Scaled, 1), (Shifted, 2)):
        layer = cls()
        layer.build((None, 3))
        assert layer.built
        layer(np.ones((2, 3)))
        assert len(layer.weights) == count


@pytest.mark.parametrize("name", ["renorm", "synchronized"])
def test_batch_normalization_in_one_process_alone(name: str) -> None:
    layers.BatchNormalization(**{name: False})
    with pytest.raises(ValueError, match=rf"`{name}` must be False: .* Received: {name}=True"):
        layers.BatchNormalization(**{name: True})


def test_a_weight_alone_in_an_op_is_trained():
    class Scaled(Layer, abstract=True):
        def build(self, input_shape):
            self.scale = self.add_weight((2, input_shape[-1]), "zeros", name="scale")

        def call(self, inputs):
            return inputs * ops.exp(self.scale[0])

    layer = Scaled()
    model = fastgd.Sequential([fastgd.Input((3,)), layer])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((4, 3)), np.zeros((4, 3)))
    assert np.all(layer.scale.numpy()[0] < 0)
    assert not layer.scale.numpy()[1].any()
    # Outside of layers it is computed at once.
    np.testing.assert_allclose(ops.exp(layer.scale)[1], 1.0)
