"""Whole recurrent sequences as one step each: `simple_rnn`, `lstm` and `gru`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from fastgd.ops.activations import FUSED
from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.parameters import Variable, as_variable
from fastgd.plan import Attribute
from fastgd.utils.errors import unknown

Weight = Variable | npt.ArrayLike

# The functions that these steps take: those without numbers whose derivative follows from their output.
RECURRENT_FUNCTIONS = tuple(name for name, numbers in FUSED.items() if not numbers)


@works_on_arrays("x", "h", "mask", "factors")
def simple_rnn(
    x: Tensor,
    kernel: Weight,
    recurrent_kernel: Weight,
    bias: Weight | None = None,
    h: Tensor | None = None,
    mask: Tensor | None = None,
    factors: Tensor | None = None,
    activation: str = "tanh",
    go_backwards: bool = False,
    return_sequences: bool = False,
    zero_output_for_mask: bool = False,
    stored: Sequence[Variable] = (),
) -> tuple[Tensor, Tensor]:
    """Return `h_t = f(x_t kernel + bias + h_{t-1} recurrent_kernel)` over the time steps.

    Args:
        x: tensor (batch, t, i).
        kernel: array or variable (i, u).
        recurrent_kernel: array or variable (u, u).
        bias: array or variable (u,), or None.
        h: the initial state, a tensor (batch, u), or None for 0.
        mask: tensor (batch, t), or None; where it is 0, the step is skipped: it keeps the states and repeats the output
            before, 0 before the first.
        factors: what h_{t-1} is multiplied by before its product, a tensor (batch, u), or None.
        activation: the name of f: a function without numbers whose derivative follows from its output (docs/ops.md).
        go_backwards: whether to begin at the last time step.
        return_sequences: whether to return every output.
        zero_output_for_mask: whether skipped steps give 0 instead.
        stored: one variable (batch, u), not trainable, for each state: they hold the initial states, unless those are
            given, and each run leaves the final ones there; or none.

    Returns:
        The outputs (batch, t, u) in the order of processing, or only the last (batch, u); and the final h.

    Raises:
        ValueError: if the shapes do not fit or a function is unknown.
    """
    attrs = _flags(go_backwards, return_sequences, zero_output_for_mask) | _functions("simple_rnn", activation)
    weights = kernel, recurrent_kernel, bias
    y, last = _recur("simple_rnn", x, weights, 1, [h], mask, factors, attrs, stored)
    return y, last


@works_on_arrays("x", "h", "c", "mask", "factors")
def lstm(
    x: Tensor,
    kernel: Weight,
    recurrent_kernel: Weight,
    bias: Weight | None = None,
    h: Tensor | None = None,
    c: Tensor | None = None,
    mask: Tensor | None = None,
    factors: Tensor | None = None,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    go_backwards: bool = False,
    return_sequences: bool = False,
    zero_output_for_mask: bool = False,
    stored: Sequence[Variable] = (),
) -> tuple[Tensor, Tensor, Tensor]:
    """Return a long short-term memory over the time steps.

    With z = x_t kernel + bias + h_{t-1} recurrent_kernel, cut into four blocks i, f, c, o:
    `c_t = s(z_f) c_{t-1} + s(z_i) f(z_c)`, `h_t = s(z_o) f(c_t)`.

    Args:
        x: tensor (batch, t, i).
        kernel: array or variable (i, 4u).
        recurrent_kernel: array or variable (u, 4u).
        bias: array or variable (4u,), or None.
        h: the initial h, a tensor (batch, u), or None for 0.
        c: the initial c, the same; both are given or none.
        mask: as in `simple_rnn`.
        factors: as in `simple_rnn`.
        activation: the name of f, as in `simple_rnn`.
        recurrent_activation: the name of s, the same.
        go_backwards: as in `simple_rnn`.
        return_sequences: as in `simple_rnn`.
        zero_output_for_mask: as in `simple_rnn`.
        stored: as in `simple_rnn`, for h and c.

    Returns:
        The outputs, as in `simple_rnn`, the final h and the final c.

    Raises:
        ValueError: if the shapes do not fit or a function is unknown.
    """
    functions = _functions("lstm", activation, recurrent_activation)
    attrs = _flags(go_backwards, return_sequences, zero_output_for_mask) | functions
    weights = kernel, recurrent_kernel, bias
    y, last, cell = _recur("lstm", x, weights, 4, [h, c], mask, factors, attrs, stored)
    return y, last, cell


@works_on_arrays("x", "h", "mask", "factors")
def gru(
    x: Tensor,
    kernel: Weight,
    recurrent_kernel: Weight,
    bias: Weight | None = None,
    h: Tensor | None = None,
    mask: Tensor | None = None,
    factors: Tensor | None = None,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    reset_after: bool = True,
    go_backwards: bool = False,
    return_sequences: bool = False,
    zero_output_for_mask: bool = False,
    stored: Sequence[Variable] = (),
) -> tuple[Tensor, Tensor]:
    """Return gated recurrent units over the time steps.

    With a = x_t kernel + bias, cut into three blocks z, r, h, and the same blocks R of the recurrent kernel:
    `z = s(a_z + h_{t-1} R_z)`, `r = s(a_r + h_{t-1} R_r)`, `g = f(a_h + (r h_{t-1}) R_h)`,
    `h_t = z h_{t-1} + (1 - z) g`.
    With `reset_after` a second row of the bias is added to the recurrent products, and g = f(a_h + r (h_{t-1} R_h)).

    Args:
        x: tensor (batch, t, i).
        kernel: array or variable (i, 3u).
        recurrent_kernel: array or variable (u, 3u).
        bias: array or variable (3u,), or (2, 3u) with `reset_after`, or None.
        h: the initial state, a tensor (batch, u), or None for 0.
        mask: as in `simple_rnn`.
        factors: as in `simple_rnn`; the h in z h_{t-1} is not multiplied by them.
        activation: the name of f, as in `simple_rnn`.
        recurrent_activation: the name of s, the same.
        reset_after: whether r is applied after the recurrent product.
        go_backwards: as in `simple_rnn`.
        return_sequences: as in `simple_rnn`.
        zero_output_for_mask: as in `simple_rnn`.
        stored: as in `simple_rnn`.

    Returns:
        The outputs, as in `simple_rnn`, and the final h.

    Raises:
        ValueError: if the shapes do not fit or a function is unknown.
    """
    functions = _functions("gru", activation, recurrent_activation)
    attrs = _flags(go_backwards, return_sequences, zero_output_for_mask) | functions | {"reset_after": reset_after}
    weights = kernel, recurrent_kernel, bias
    y, last = _recur("gru", x, weights, 3, [h], mask, factors, attrs, stored)
    return y, last


def _flags(go_backwards: bool, return_sequences: bool, zero_output_for_mask: bool) -> dict[str, Attribute]:
    return {
        "go_backwards": go_backwards,
        "return_sequences": return_sequences,
        "zero_output_for_mask": zero_output_for_mask,
    }


def _functions(op: str, *names: str) -> dict[str, Attribute]:
    """Return the attributes of the functions: the activation, then perhaps the recurrent one."""
    attributes = dict(zip(("activation", "recurrent_activation"), names, strict=False))
    for attribute, name in attributes.items():
        if name not in RECURRENT_FUNCTIONS:
            raise unknown(f"function of {op}", RECURRENT_FUNCTIONS, **{attribute: name})
    return dict(attributes)


def _recur(
    op: str,
    x: Tensor,
    weights: tuple[Weight, Weight, Weight | None],
    gates: int,
    initial: Sequence[Tensor | None],
    mask: Tensor | None,
    factors: Tensor | None,
    attrs: dict[str, Attribute],
    stored: Sequence[Variable],
) -> tuple[Tensor, ...]:
    """Check the shapes and emit the step."""
    given = [state for state in initial if state is not None]
    require(len(given) in (0, len(initial)), op, "all initial states are given, or none")
    inputs = [x, *given, *(each for each in (factors, mask) if each is not None)]
    require_tensors(op, *inputs)
    require(len(x.dims) == 3 and x.dims[1] > 0, op, f"x must be (batch, steps, features): it is {show_dims(x.dims)}")
    n, t, i = x.dims
    kernel, recurrent = as_variable(weights[0], "kernel", x.dtype), as_variable(weights[1], "recurrent_kernel", x.dtype)
    u = recurrent.shape[0] if recurrent.shape else 0
    params = [kernel, recurrent]
    shapes: list[tuple[int, ...]] = [(i, gates * u), (u, gates * u)]
    if weights[2] is not None:
        params.append(as_variable(weights[2], "bias", x.dtype))
        shapes.append((2, gates * u) if attrs.get("reset_after") else (gates * u,))
    for variable, shape in zip(params, shapes, strict=True):
        text = f"`{variable.name}` must have the shape {shape}: it has {variable.shape}"
        require(variable.shape == shape, op, text)
    expected = [(n, u)] * (len(given) + (factors is not None)) + [(n, t)] * (mask is not None)
    for tensor, dims in zip(inputs[1:], expected, strict=True):
        text = f"states and factors must be {show_dims((n, u))}, the mask {show_dims((n, t))}"
        require(tensor.dims == dims, op, f"{text}: one is {show_dims(tensor.dims)}")
    require(len(stored) in (0, len(initial)), op, f"takes {len(initial)} variables for its states: {len(stored)} given")
    for variable in stored:
        require(not variable.trainable and variable.shape[1:] == (u,), op, f"{variable} cannot store a state")
    flags: dict[str, Attribute] = {
        "use_bias": len(params) == 3,
        "initial_state": bool(given),
        "recurrent_dropout": factors is not None,
        "masked": mask is not None,
        "stateful": bool(stored),
    }
    outputs = [(n, t, u) if attrs["return_sequences"] else (n, u)] + [(n, u)] * len(initial)
    return x.builder.emit(op, inputs, outputs, [*params, *stored], attrs | flags)
