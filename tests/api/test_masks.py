"""Masks: how layers make, take, pass on and lose them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, ops

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
