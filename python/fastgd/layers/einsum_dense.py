"""A fully connected layer over several axes, as an equation says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from fastgd import ops
from fastgd.layers.weighted_sum import WeightedSum
from fastgd.ops.builder import Tensor
from fastgd.ops.shaping import view
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid


class EinsumDense(WeightedSum):
    """`y = f(einsum(equation, x, kernel) + bias)`, the last axes of x being summed over with the first of the kernel.

    The equation names each axis with a letter: "abc,cde->abde" turns the last axis into two, "abcd,cde->abe" the last
    two into one. Axes that stay, which the kernel has not, come first; three dots stand for any number of them. The
    kernel's other axes follow in y in their order.

    Args:
        equation: the axes of x, of the kernel and of y.
        output_shape: the sizes of y without the batch: an integer or a tuple, with None for those that x tells.
        activation: f: a name, a function of `fastgd.activations` or one written with `fastgd.ops`; None is linear.
        bias_axes: those of the axes that the kernel makes, by their letters, along which the bias differs; None for no
            bias.
        kernel_initializer: the initial kernel.
        bias_initializer: the initial bias.
        kernel_regularizer: the penalty on the kernel: a name, a config, a Regularizer or a function.
        bias_regularizer: the same for the bias.
        activity_regularizer: the penalty on y, divided by the batch size.
        kernel_constraint: what the kernel goes through after each update: a name, a config, a Constraint or a function.
        bias_constraint: the same for the bias.
        **kwargs: those of `Layer`.

    Shapes:
        x and y as the equation says, the batch first.

    Raises:
        ValueError: if the equation has another form or does not fit x or `output_shape`.

    Example:
        >>> fastgd.layers.EinsumDense("abc,cde->abde", output_shape=(None, 4, 16), bias_axes="de")
    """

    supports_masking = True

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: str | Callable[..., Any] | None = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        initial = kernel_initializer, bias_initializer
        rules = kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint
        super().__init__(activation, bias_axes is not None, *initial, *rules, **kwargs)
        self.equation = equation
        self._stays, self._summed, self._made = _letters(equation)
        sizes = output_shape if isinstance(output_shape, (list, tuple)) else (output_shape,)
        self.partial_output_shape = tuple(None if n is None else check_int("output_shape", n, 1) for n in sizes)
        self.bias_axes = bias_axes
        if not set(bias_axes or "") <= set(self._made):
            raise invalid("`bias_axes` must be axes that the kernel makes.", bias_axes=bias_axes, equation=equation)

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        kept = len(input_shape) - len(self._summed) if isinstance(input_shape, tuple) else 0
        named = len(self._stays.lstrip("."))
        fits = kept >= max(1, named) if self._stays.startswith(".") else kept == named
        if not fits or None in input_shape[kept:]:
            raise invalid(f"The input of {self.name!r} does not fit {self.equation!r}.", input_shape=input_shape)
        made = self.partial_output_shape[-len(self._made) :]
        whole = (*input_shape[1:kept], *made)
        # The sizes before those that the kernel makes may be left out, as three dots do.
        given = (*whole[: -len(self.partial_output_shape)], *self.partial_output_shape)
        if (
            None in made
            or len(given) != len(whole)
            or any(a not in (None, b) for a, b in zip(given, whole, strict=True))
        ):
            raise invalid(
                f"`output_shape` does not fit {self.equation!r} and the input {input_shape}.",
                output_shape=self.partial_output_shape,
            )
        self._sizes: tuple[int, ...] = tuple(size for size in made if size is not None)
        axes = self.bias_axes or ""
        first = min((self._made.index(letter) for letter in axes), default=0)
        bias = [size if c in axes else 1 for c, size in zip(self._made[first:], self._sizes[first:], strict=True)]
        self.add_kernel((*input_shape[kept:], *self._sizes), bias)
        super().build(input_shape)

    def project(self, x: Tensor, **activation: Any) -> Tensor:
        """Emit the product of x (batch, ..., all axes that are summed over as one); so are those that the kernel makes.

        Args:
            x: the tensor.
            **activation: the name and the numbers of an activation that the step takes along.
        """
        if self.bias is None or self.bias.size == prod(self._sizes):
            return ops.dense(x, self.kernel, self.bias, **activation)
        y = ops.dense(x, self.kernel)
        shown = ops.add(view(y, (*y.dims[:-1], *self._sizes)), self.bias)
        return ops.activation(view(shown, y.dims), activation.pop("activation"), **activation) if activation else shown

    def sums(self, inputs: Tensor, **activation: Any) -> Tensor:
        """Emit the step, between views that show several axes as one and one as several."""
        kept = len(inputs.dims) - len(self._summed)
        y = self.project(view(inputs, (*inputs.dims[:kept], prod(inputs.dims[kept:]))), **activation)
        return view(y, (*inputs.dims[:kept], *self._sizes))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        config = {**super().get_config(), "equation": self.equation, "output_shape": self.partial_output_shape}
        del config["use_bias"]
        return {**config, "bias_axes": self.bias_axes}


def _letters(equation: str) -> tuple[str, str, str]:
    """Return the axes of x that stay, those that are summed over, and those that the kernel makes.

    Raises:
        ValueError: if the equation has another form.
    """
    parts = re.fullmatch(r"((?:\.{3})?[A-Za-z]+),([A-Za-z]+)->((?:\.{3})?[A-Za-z]+)", equation.replace(" ", ""))
    if parts:
        x, kernel, y = parts.groups()
        for cut in range(1, len(kernel)):
            summed, made = kernel[:cut], kernel[cut:]
            stays = x[: len(x) - cut]
            letters = stays.replace("...", "") + summed + made
            if stays and x == stays + summed and y == stays + made and len(set(letters)) == len(letters):
                return stays, summed, made
    raise invalid(
        "`equation` must have the form 'stays summed, summed made -> stays made', such as 'abc,cde->abde'.",
        equation=equation,
    )
