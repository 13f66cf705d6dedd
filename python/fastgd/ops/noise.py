"""Random ops, which do something in training only: `dropout`, `alpha_dropout` and `gaussian_noise`."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.plan import Attribute


@works_on_arrays("x")
def dropout(x: Tensor, rate: float, seed: int, noise_shape: Sequence[int | None] | None = None) -> Tensor:
    """Return `x * keep / (1 - rate)` in training, where each element is kept with probability 1 - rate; else x.

    Args:
        x: tensor of any shape (batch, ...).
        rate: the share of elements set to zero, from 0 to 1.
        seed: from 0 to 2**64 - 1; a second step with the same seed in one plan draws other masks.
        noise_shape: the shape in which masks are drawn: one size per axis, 1 where all elements along the axis share
            their fate, None for the size of x.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: for a wrong rate or a noise shape that does not fit.
    """
    return _mask("dropout", x, rate, seed, noise_shape)


@works_on_arrays("x")
def alpha_dropout(x: Tensor, rate: float, seed: int, noise_shape: Sequence[int | None] | None = None) -> Tensor:
    """Return x with a share of the elements set to the limit of SELU, at unchanged mean 0 and variance 1; else x.

    Args:
        x: tensor of any shape (batch, ...).
        rate: that share, from 0 to below 1.
        seed: as in `dropout`.
        noise_shape: as in `dropout`.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: for a wrong rate or a noise shape that does not fit.
    """
    require(rate < 1.0, "alpha_dropout", f"the rate must be below 1: it is {rate}")
    return _mask("alpha_dropout", x, rate, seed, noise_shape)


@works_on_arrays("x")
def gaussian_noise(x: Tensor, stddev: float, seed: int, multiply: bool = False) -> Tensor:
    """Return `x + stddev z`, or `x (1 + stddev z)` with `multiply`, in training, with normal deviates z; else x.

    Args:
        x: tensor of any shape (batch, ...).
        stddev: 0 or more.
        seed: as in `dropout`.
        multiply: whether the noise is a factor.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if `stddev` is negative.
    """
    require_tensors("gaussian_noise", x)
    require(stddev >= 0.0, "gaussian_noise", f"the deviation must be 0 or more: it is {stddev}")
    attrs: dict[str, Attribute] = {
        "stddev": float(stddev), "seed": x.builder.distinct_seed(seed), "multiply": multiply,
    }  # fmt: skip
    return x.builder.emit("gaussian_noise", [x], [x.dims], attrs=attrs)[0]


def _mask(op: str, x: Tensor, rate: float, seed: int, noise_shape: Sequence[int | None] | None) -> Tensor:
    require_tensors(op, x)
    require(0.0 <= rate <= 1.0, op, f"the rate must lie between 0 and 1: it is {rate}")
    attrs: dict[str, Attribute] = {"rate": float(rate), "seed": x.builder.distinct_seed(seed)}
    if noise_shape is not None:
        text = f"noise_shape={tuple(noise_shape)} does not fit {show_dims(x.dims)}"
        require(len(noise_shape) == len(x.dims), op, f"{text}: it needs one size per axis")
        dims = tuple(whole if size is None else size for size, whole in zip(noise_shape, x.dims, strict=True))
        fits = all(size in (1, whole) for size, whole in zip(dims, x.dims, strict=True))
        require(fits, op, f"{text}: sizes are 1, those of x, or None")
        if dims != x.dims:
            attrs["noise_shape"] = dims
    return x.builder.emit(op, [x], [x.dims], attrs=attrs)[0]
