"""Models for pickles: the config, the classes of the layers, the weights, and how the model was compiled."""

from __future__ import annotations

import copy
from typing import Any

from fastgd.layers import Layer
from fastgd.models import Model
from fastgd.models.configs import layer_config, layer_from_config
from fastgd.utils.errors import invalid


class StoredModel:
    """A model without anything native; `restore` returns one like it, with the same weights.

    Args:
        model: the model.

    Raises:
        ValueError: for a model that is a class with a `call` of its own, which has no config.
    """

    def __init__(self, model: Model) -> None:
        refuse_subclassed(model)
        self.config = layer_config(model)
        self.classes = {type(layer).__name__: type(layer) for layer in _layers_of(model)}
        self.weights = [variable.numpy() for variable in model.weights] if model.built else None
        # What layers without a seed have drawn: their masks go on where they were.
        self.drawn = [layer.__dict__.get("_drawn") for layer in _layers_of(model)]
        self.compiled: Any = None
        if model.compiled:
            optimizer = model.optimizer
            self.compiled = type(optimizer), optimizer.get_config(), copy.copy(model.loss)

    def restore(self) -> Model:
        """Return the model."""
        model = layer_from_config(self.config, self.classes)
        assert isinstance(model, Model)
        if self.weights is not None:
            set_weights(model, self.weights)
        for layer, drawn in zip(_layers_of(model), self.drawn, strict=False):
            if drawn is not None:
                layer.__dict__["_drawn"] = drawn
        if self.compiled is not None:
            kind, config, loss = self.compiled
            model.compile(optimizer=kind.from_config(config), loss=loss)
        return model


def copy_model(model: Model) -> Model:
    """Return a model of its own with the layers and the weights of `model`, not compiled, and with masks of its own."""
    stored = StoredModel(model)
    stored.compiled, stored.drawn = None, []
    return stored.restore()


def set_weights(model: Model, values: Any) -> None:
    """Overwrite all weights of a model, in their order."""
    for variable, value in zip(model.weights, values, strict=True):
        variable.assign(value)


def refuse_subclassed(model: Model) -> None:
    """Raise a ValueError for a model that cannot be made again from its config."""
    if model.subclassed:
        raise invalid(
            "`model` must be a Sequential or functional model, or a function that returns any model.", model=model.name
        )


def _layers_of(model: Model) -> list[Layer]:
    """Return the layers of a model and of the models inside it."""
    inner = [layer for layer in model.layers if isinstance(layer, Model)]
    return [*model.layers, *(layer for part in inner for layer in _layers_of(part))]
