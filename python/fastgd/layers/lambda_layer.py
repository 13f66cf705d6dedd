"""The layer that calls a function written with ops."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastgd.layers.argument_configs import find_op, op_name
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Shape, Tensor
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.structure import flatten


class Lambda(Layer):
    """`y = function(x, **arguments)` for a function written with `fastgd.ops`; it has no weights.

    A config names functions of `fastgd.ops`; any other function stands in it as itself, never as code, so that such a
    layer can be cloned and copied but not written as JSON. A class derived from `Layer` can.

    Args:
        function: takes the inputs, and `training` or `mask` if it has arguments of these names.
        output_shape: None, or the shape of one sample of the output, or a function that gives the whole shape for that
            of the inputs, with None for the batch. Shapes follow from the function; this one is compared with it.
        mask: None, and the output has no mask; or a function of the inputs and their mask, written with `fastgd.ops`,
            that returns that of the output.
        arguments: further keyword arguments of the function.
        **kwargs: those of `Layer`.

    Raises:
        TypeError: if the function or the arguments are of another kind.
        ValueError: when called, if the output has another shape than `output_shape`.

    Example:
        >>> fastgd.layers.Lambda(lambda x: ops.square(x) + 1.0)
        >>> fastgd.layers.Lambda(ops.clip, arguments={"x_min": 0.0, "x_max": 1.0})
    """

    def __init__(
        self,
        function: Callable[..., Any] | Mapping[str, Any],
        output_shape: Sequence[int | None] | Callable[[Any], Any] | None = None,
        mask: Callable[..., Any] | Mapping[str, Any] | None = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        function = _found(function)
        if not callable(function):
            raise mistyped("`function` must be a function written with fastgd.ops.", function=function)
        self.mask = _found(mask)
        if self.mask is not None and not callable(self.mask):
            raise mistyped("`mask` must be None or a function of the inputs and their mask.", mask=mask)
        self.supports_masking = self.mask is not None
        if arguments is not None and not isinstance(arguments, Mapping):
            raise mistyped("`arguments` must be a dict of keyword arguments.", arguments=arguments)
        self.function = function
        self.arguments = dict(arguments or {})
        self._wanted = output_shape if callable(output_shape) or output_shape is None else tuple(output_shape)
        parameters = inspect.signature(function).parameters
        self._passed = [name for name in ("training", "mask") if name in parameters]

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Emit the function's steps."""
        known = {"training": training, "mask": mask}
        y = self.function(inputs, **self.arguments, **{name: known[name] for name in self._passed})
        if isinstance(y, Tensor) and self._wanted is not None:
            shape = _wanted_shape(self._wanted, inputs)
            if y.shape != shape:
                raise invalid(f"The output of {self.name!r} has the shape {y.shape}.", output_shape=shape)
        return y

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return what the function `mask` makes of the inputs and their mask."""
        return None if self.mask is None else self.mask(inputs, previous_mask)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer; see the class on functions."""
        own = {"function": _named(self.function), "output_shape": self._wanted, "mask": _named(self.mask)}
        own["arguments"] = self.arguments
        return {**super().get_config(), **own}


def _found(function: Any) -> Any:
    """Return the function of fastgd.ops that a config names, and anything else as it is."""
    return find_op(str(function.get("config"))) if isinstance(function, Mapping) else function


def _named(function: Any) -> Any:
    """Return a function of fastgd.ops as a config, and anything else as it is."""
    name = None if function is None else op_name(function)
    return function if name is None else {"class_name": "function", "config": name}


def _wanted_shape(wanted: Any, inputs: Any) -> Shape:
    """Return the whole shape that `output_shape` tells."""
    if not callable(wanted):
        return (flatten(inputs)[0].shape[0], *wanted)
    shapes = [x.shape for x in inputs] if isinstance(inputs, (list, tuple)) else inputs.shape
    return tuple(wanted(shapes))
