"""Masks: how layers make, take, pass on and lose them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, ops, runtime

Array = np.ndarray[Any, Any]


class Marks(layers.Layer):
    """Masks the steps whose first number is 0."""

    def call(self, inputs: Any) -> Any:
        return inputs * 1.0

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.not_equal(inputs[:, :, 0], 0.0)


class Ends(layers.Layer):
    """Takes masks, and its outputs have none."""

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None."""


class Shows(Ends):
    """Returns the mask that it gets, or -1 for none."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return inputs[:, :, 0] * 0.0 - 1.0 if mask is None else mask * 1.0


class Passes(layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs * 2.0


class Loses(layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * 2.0


def data() -> tuple[Array, Array]:
    x = np.random.default_rng(4).normal(size=(3, 4, 2)).astype("float32")
    x[0, 1, 0] = x[2, 2:, 0] = 0.0
    return x, (x[:, :, 0] != 0).astype("float32")


def shown(*before: Any) -> Any:
    """Return what the chain of layers lets `Shows` see."""
    x, _ = data()
    return fastgd.Sequential([fastgd.Input((4, 2)), *before, Shows()]).predict(x)


def test_layers_that_support_masking_pass_masks_on() -> None:
    _, mask = data()
    np.testing.assert_array_equal(shown(Marks()), mask)
    np.testing.assert_array_equal(shown(Marks(), Passes(), fastgd.Sequential([Passes()])), mask)
    assert Marks().supports_masking
    assert not Loses().supports_masking
    assert (shown(Passes()) == -1).all()


def test_layers_that_do_not_support_masking_lose_masks_with_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"Layer 'loses' \(of type Loses\) was passed an input with a mask"):
        seen = shown(Marks(), Loses(name="loses"))
    assert (seen == -1).all()


def test_ops_lose_masks_silently() -> None:
    x, _ = data()
    inputs = fastgd.Input((4, 2))
    model = fastgd.Model(inputs, Shows()(Marks()(inputs) * 1.5))
    assert (model.predict(x) == -1).all()


def test_a_mask_that_is_given_wins() -> None:
    x, mask = data()
    other = 1.0 - mask
    inputs, given = fastgd.Input((4, 2)), fastgd.Input((4,), dtype="int32")
    shows = Shows(name="shows")
    model = fastgd.Model([inputs, given], shows(Marks(name="marks")(inputs), mask=given))
    np.testing.assert_array_equal(model.predict([x, other.astype("int64")]), other)
    np.testing.assert_array_equal(shows(x, mask=other.astype(bool)), other)
    assert (shows(x) == -1).all()
    classes = {"Marks": Marks, "Shows": Shows}
    for like in (fastgd.models.clone_model(model), fastgd.models.model_from_json(model.to_json(), classes)):
        np.testing.assert_array_equal(like.predict([x, other]), other)


def test_masks_of_several_inputs_go_to_the_arguments_named_after_them() -> None:
    class Both(Ends):
        def call(self, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None, mask: Any = None) -> Any:
            assert mask is None
            return ops.stack([query_mask, value_mask if value_mask is not None else 0.0 * query_mask], -1)

    x, mask = data()
    a, b = fastgd.Input((4, 2)), fastgd.Input((4, 2))
    model = fastgd.Model([a, b], [Both()(Marks()(a), b), Both()(Marks()(a), value=Marks()(b))])
    one, both = model.predict([x, x[::-1]])
    np.testing.assert_array_equal(one, np.stack([mask, 0 * mask], -1))
    np.testing.assert_array_equal(both, np.stack([mask, mask[::-1]], -1))


def test_layers_of_several_inputs_get_a_list_of_masks() -> None:
    class Listed(Ends):
        def call(self, inputs: Any, mask: Any = None) -> Any:
            assert mask[1] is None
            return mask[0] + inputs[1][:, :, 0] * 0.0

    x, mask = data()
    a, b = fastgd.Input((4, 2)), fastgd.Input((4, 2))
    model = fastgd.Model([a, b], Listed()([Marks()(a), b]))
    np.testing.assert_array_equal(model.predict([x, x]), mask)


def test_models_take_masks_and_subclassed_ones_pass_them_inside() -> None:
    x, mask = data()
    inner = fastgd.Sequential([fastgd.Input((4, 2)), Passes(), Shows()])
    np.testing.assert_array_equal(inner(x, mask=mask), mask)

    class Whole(fastgd.Model):
        def __init__(self) -> None:
            super().__init__()
            self.marks, self.shows = Marks(), Shows()

        def call(self, inputs: Any) -> Any:
            return self.shows(self.marks(inputs))

    model = Whole()
    np.testing.assert_array_equal(model(x), mask)
    with fastgd.GradientTape():
        y = model(x)
    np.testing.assert_array_equal(y.numpy(), mask)
    inputs = fastgd.Input((4, 2))
    computed = model.marks.compute_mask(inputs)
    explicit = fastgd.Model(inputs, model.shows(inputs, mask=computed))
    np.testing.assert_array_equal(explicit.predict(x), mask)


def test_losses_on_a_tape_heed_masks() -> None:
    x, mask = data()
    target = np.ones((3, 4, 2), "float32")
    layer, marks = layers.Dense(2), Marks()
    dense = fastgd.Sequential([fastgd.Input((4, 2)), marks, layer])
    values = np.mean((dense(x) - target) ** 2, -1) * mask
    rows = np.array([0.5, 2.0, 1.0], "float32")
    for reduction, weight, expected in (
        ("sum_over_batch_size", None, values.sum() / mask.sum()),
        ("sum_over_batch_size", rows, (rows[:, None] * values).sum() / mask.sum()),
        ("sum", None, values.sum()),
        ("mean_with_sample_weight", rows, (rows[:, None] * values).sum() / (rows[:, None] * mask).sum()),
    ):
        loss = fastgd.losses.MeanSquaredError(reduction=reduction)
        with fastgd.GradientTape() as tape:
            value = loss(target, dense(x), sample_weight=weight)
        gradient = tape.gradient(value, layer.kernel)
        np.testing.assert_allclose(float(value), expected, rtol=1e-5)
        assert np.abs(gradient).max() > 0


def test_losses_without_values_for_steps_refuse_masks() -> None:
    model = fastgd.Sequential([fastgd.Input((4, 2)), Marks(), layers.Dense(2, "sigmoid")])
    model.compile("sgd", "dice")
    with pytest.raises(ValueError, match="The loss 'dice' has values of shape .*, which a mask of steps does not fit"):
        model.fit(data()[0], np.zeros((3, 4, 2)), verbose=0)


def test_both_interpreters_train_masked_models_alike() -> None:
    x, _ = data()
    y = np.array([[0, 1, 2, 0], [1, 1, 0, 2], [2, 2, 1, 0]])
    found = []
    for backend in ("native", "numpy"):
        with runtime.backend(backend):
            timed = layers.TimeDistributed(layers.Dense(3, "softmax"))
            model = fastgd.Sequential([fastgd.Input((4, 2)), Marks(), layers.BatchNormalization(), timed])
            rng = np.random.default_rng(0)
            model.compile(fastgd.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
            model.set_weights([abs(rng.normal(size=w.shape)) for w in model.weights])
            history = model.fit(x, y, sample_weight=np.array([1.0, 2.0, 0.5]), epochs=3, verbose=0).history
            found.append([*map(np.asarray, history.values()), *model.get_weights()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


def test_softmax_gives_masked_elements_no_share() -> None:
    x = np.array([[1.0, 2.0, 3.0], [0.5, 0.1, 0.2]], "float32")
    mask = np.array([[1, 0, 1], [0, 0, 0]], bool)
    y = layers.Softmax()(x, mask=mask)
    np.testing.assert_allclose(y[0], [np.exp(-2) / (1 + np.exp(-2)), 0, 1 / (1 + np.exp(-2))], rtol=1e-6)
    np.testing.assert_array_equal(y[1], 0.0)
    with pytest.raises(ValueError, match="`mask` must fit the inputs"):
        layers.Softmax()(fastgd.Input((4, 3)), mask=fastgd.Input((4,)))


def test_lambda_layers_may_take_and_make_masks() -> None:
    _, mask = data()
    late = layers.Lambda(lambda x: x * 1.0, mask=lambda x, mask: 1.0 - mask)
    np.testing.assert_array_equal(shown(Marks(), late), 1.0 - mask)
    taking = layers.Lambda(lambda x, mask: x * ops.expand_dims(mask, -1), mask=lambda x, mask: mask)
    np.testing.assert_array_equal(shown(Marks(), taking), mask)


def test_wrong_masks_and_inputs_are_refused() -> None:
    steps, mask = fastgd.Input((4, 2)), fastgd.Input((3,))
    with pytest.raises(ValueError, match="`mask` must begin with the batch and the steps"):
        layers.TimeDistributed(layers.Dense(2))(steps, mask=mask)
    with pytest.raises(ValueError, match=r"TimeDistributed takes inputs \(batch, steps, ...\)"):
        layers.TimeDistributed(layers.Dense(2))(mask)
    with pytest.raises(TypeError, match="`layer` must be a layer"):
        layers.TimeDistributed("dense")
    with pytest.raises(ValueError, match="`mask` must be a list with one mask, or None, per input"):
        layers.Add().compute_mask([steps, steps], mask)
    with pytest.raises(ValueError, match="`mask` must lack one axis"):
        layers.BatchNormalization()(steps, mask=fastgd.Input((4, 2)))


def test_ops_inside_take_the_steps_for_a_part_of_the_batch() -> None:
    class Turned(layers.Layer):
        def call(self, inputs: Any) -> Any:
            mean = ops.broadcast_to(ops.mean(inputs, axis=(0, 1), keepdims=True), (None, 2))
            return ops.reshape(inputs - mean, (None, 2, -1))

    x = np.arange(24.0, dtype="float32").reshape(2, 6, 2)
    y = layers.TimeDistributed(Turned())(x)
    np.testing.assert_allclose(y, x.reshape(2, 6, 2, 1) - x.mean(), rtol=1e-6)
