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
        function: takes the inputs, and `training` if it has an argument of that name.
        output_shape: None, or the shape of one sample of the output, or a function that gives the whole shape for that
            of the inputs, with None for the batch. Shapes follow from the function; this one is compared with it.
        mask: None: layers pass no masks on.
        arguments: further keyword arguments of the function.
        **kwargs: those of `Layer`.

    Raises:
        TypeError: if the function or the arguments are of another kind.
        ValueError: for a mask; when called, if the output has another shape than `output_shape`.

    Example:
        >>> fastgd.layers.Lambda(lambda x: ops.square(x) + 1.0)
        >>> fastgd.layers.Lambda(ops.clip, arguments={"x_min": 0.0, "x_max": 1.0})
    """

    def __init__(
        self,
        function: Callable[..., Any] | Mapping[str, Any],
        output_shape: Sequence[int | None] | Callable[[Any], Any] | None = None,
        mask: None = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(function, Mapping):
            function = find_op(str(function.get("config")))
        if not callable(function):
            raise mistyped("`function` must be a function written with fastgd.ops.", function=function)
        if mask is not None:
            raise invalid("`mask` must be None: layers pass no masks on.", mask=mask)
        if arguments is not None and not isinstance(arguments, Mapping):
            raise mistyped("`arguments` must be a dict of keyword arguments.", arguments=arguments)
        self.function = function
        self.arguments = dict(arguments or {})
        self._wanted = output_shape if callable(output_shape) or output_shape is None else tuple(output_shape)
        self._passes_training = "training" in inspect.signature(function).parameters

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Emit the function's steps."""
        known = {"training": training} if self._passes_training else {}
        y = self.function(inputs, **self.arguments, **known)
        if isinstance(y, Tensor) and self._wanted is not None:
            shape = _wanted_shape(self._wanted, inputs)
            if y.shape != shape:
                raise invalid(f"The output of {self.name!r} has the shape {y.shape}.", output_shape=shape)
        return y

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer; see the class on functions."""
        name = op_name(self.function)
        function = self.function if name is None else {"class_name": "function", "config": name}
        own = {"function": function, "output_shape": self._wanted, "mask": None, "arguments": self.arguments}
        return {**super().get_config(), **own}


def _wanted_shape(wanted: Any, inputs: Any) -> Shape:
    """Return the whole shape that `output_shape` tells."""
    if not callable(wanted):
        return (flatten(inputs)[0].shape[0], *wanted)
    shapes = [x.shape for x in inputs] if isinstance(inputs, (list, tuple)) else inputs.shape
    return tuple(wanted(shapes))
