"""The base of layers around another layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastgd.layers.layer import Layer, model_classes, registry
from fastgd.utils.errors import mistyped
from fastgd.utils.registry import to_config


class Wrapper(Layer, abstract=True):
    """Base of the layers that call another one; its weights are theirs.

    Args:
        layer: the layer or model, or its config.
        **kwargs: those of `Layer`.

    Raises:
        TypeError: if it is neither.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer: Layer = made_of_config("layer", layer)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "layer": to_config(self.layer)}


def made_of_config(argument: str, layer: Any) -> Layer:
    """Return a layer as it is, or the layer or model of a config.

    Args:
        argument: what messages call it.
        layer: the layer or its config.

    Raises:
        TypeError: if it is neither.
        ValueError: if the config names an unknown class.
    """
    if isinstance(layer, Mapping):
        known = model_classes.get(str(layer.get("class_name")))
        layer = registry.from_config(layer, argument) if known is None else known.from_config(layer["config"])
    if not isinstance(layer, Layer):
        raise mistyped(f"`{argument}` must be a layer.", **{argument: layer})
    return layer
