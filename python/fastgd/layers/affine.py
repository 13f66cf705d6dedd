"""The base of the layers that normalise and then apply a gamma and a beta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd import constraints, initializers, regularizers
from fastgd.layers.layer import Layer
from fastgd.ops.axes import axes_behind_batch
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_bool, check_int, check_real
from fastgd.utils.errors import invalid
from fastgd.utils.registry import to_config


class AffineNormalization(Layer, abstract=True):
    """Base of the normalising layers with the arguments that they share."""

    gamma: Variable | None
    beta: Variable | None

    def __init__(
        self,
        axis: int | Sequence[int],
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis: Any = check_axes(axis)
        self.epsilon = check_real("epsilon", epsilon, 0.0)
        self.center = check_bool("center", center)
        self.scale = check_bool("scale", scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def add_affine(self, shape: Sequence[int]) -> None:
        """Make gamma and beta, where they are wanted."""
        self.gamma = self._add("gamma", shape) if self.scale else None
        self.beta = self._add("beta", shape) if self.center else None

    def _add(self, name: str, shape: Sequence[int]) -> Variable:
        return self.add_weight(
            shape,
            getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
            name=name,
        )

    def channels(self, input_shape: Any) -> tuple[int, ...]:
        """Return the sizes of the axes along which gamma and beta lie."""
        return sizes_along(self.name, self.axis, input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        own = {"axis": self.axis, "epsilon": self.epsilon, "center": self.center, "scale": self.scale}
        rules: dict[str, Any] = {}
        for name in ("beta", "gamma"):
            rules[f"{name}_regularizer"] = regularizers.serialize(getattr(self, f"{name}_regularizer"))
            rules[f"{name}_constraint"] = constraints.serialize(getattr(self, f"{name}_constraint"))
        return {**super().get_config(), **own, **self.initializer_config("beta", "gamma"), **rules}

    def initializer_config(self, *names: str) -> dict[str, Any]:
        """Return the configs of the initializers of these weights."""
        return {f"{name}_initializer": to_config(getattr(self, f"{name}_initializer")) for name in names}


def check_axes(axis: Any) -> int | list[int]:
    """Return an axis as an int, and several as a list."""
    if isinstance(axis, (list, tuple)):
        return [check_int("axis", place, -(2**31)) for place in axis]
    return check_int("axis", axis, -(2**31))


def sizes_along(name: str, axis: int | list[int], input_shape: Any) -> tuple[int, ...]:
    """Return the sizes of a shape along the axes, in ascending order.

    Raises:
        ValueError: if an axis is the batch, is not there or is named twice.
    """
    if isinstance(input_shape, list):
        raise invalid(f"The layer {name!r} takes one input.", input_shape=input_shape)
    return tuple(input_shape[place] for place in axes_behind_batch(name, axis, len(input_shape)))
