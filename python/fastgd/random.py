"""Random arrays with Keras' names: each function draws at once.

A seed that is an integer gives the same numbers in each call; a `SeedGenerator` gives others in each; None takes the
global generator, which `utils.set_random_seed` seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import config, ops
from fastgd.ops.builder import Tensor, emitting_builder
from fastgd.ops.recording import RecordedTensor, current_recording
from fastgd.utils.checks import check_int, check_real
from fastgd.utils.draws import truncated
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.naming import automatic_name
from fastgd.utils.public_names import refuse_unknown_names
from fastgd.utils.seeds import draw_seed

Array = npt.NDArray[Any]
Shape = Sequence[int]
Seed = Any

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]


class SeedGenerator:
    """Seeds for the functions of this module, another one for each call.

    Args:
        seed: an integer, from which all seeds follow; from the global generator if None.
        name: a name; automatic if None.

    Attributes:
        state: the seed, and how many calls there were.

    Example:
        >>> seeds = fastgd.random.SeedGenerator(seed=42)
        >>> fastgd.random.normal((2, 3), seed=seeds)
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.name = name or automatic_name("seed_generator")
        self._given = None if seed is None else check_int("seed", seed, 0)
        self.state = [draw_seed() if self._given is None else self._given, 0]

    def next(self) -> list[int]:
        """Return the seed of the next call: that of this generator, and the number of the call."""
        seed = list(self.state)
        self.state[1] += 1
        return seed

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like generator."""
        return {"seed": self._given, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> SeedGenerator:
        """Make a generator from what `get_config` returned."""
        return cls(**config)


def normal(shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Seed = None) -> Array:
    """Return normal deviates.

    Args:
        shape: the shape of the array.
        mean: their mean.
        stddev: their standard deviation.
        dtype: that of the array; `config.floatx()` if None.
        seed: an integer, a `SeedGenerator` or None.

    Raises:
        TypeError: inside of a layer's `call`, which is asked once for all batches; for another shape or seed.
    """
    return _floats(mean + stddev * _generator(seed).standard_normal(_sizes(shape)), dtype)


def truncated_normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Seed = None
) -> Array:
    """Return normal deviates of which none is farther than two standard deviations from the mean.

    Arguments and errors are those of `normal`.
    """
    return _floats(mean + stddev * truncated(_generator(seed), _sizes(shape)), dtype)


def uniform(shape: Shape, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Seed = None) -> Array:
    """Return numbers from `minval` to below `maxval`, all alike likely; other arguments and errors as in `normal`.

    An integer dtype gives integers.
    """
    if dtype is not None and np.dtype(dtype).kind in "iu":
        return randint(shape, int(minval), int(maxval), dtype, seed)
    return _floats(_generator(seed).uniform(minval, maxval, _sizes(shape)), dtype)


def randint(shape: Shape, minval: int, maxval: int, dtype: Any = "int32", seed: Seed = None) -> Array:
    """Return integers from `minval` to below `maxval`, all alike likely; other arguments and errors as in `normal`."""
    numbers: Array = np.asarray(_generator(seed).integers(minval, maxval, _sizes(shape)))
    return numbers.astype(dtype)


def categorical(logits: npt.ArrayLike, num_samples: int, dtype: Any = "int32", seed: Seed = None) -> Array:
    """Return classes drawn with probabilities in proportion to `exp(logits)`.

    Args:
        logits: array (n, classes).
        num_samples: how many are drawn for each row.
        dtype: that of the result.
        seed: as in `normal`.

    Returns:
        Array (n, num_samples).

    Raises:
        ValueError: if the logits have another shape.
    """
    given = np.asarray(logits, np.float64)
    if given.ndim != 2:
        raise invalid("`logits` must have the shape (n, classes).", shape=given.shape)
    count = check_int("num_samples", num_samples, 0)
    # The largest of the logits with Gumbel's deviates added falls on each class with its probability.
    noise = _generator(seed).gumbel(size=(len(given), count, given.shape[1]))
    drawn: Array = np.argmax(given[:, None, :] + noise, axis=-1)
    return drawn.astype(dtype)


def shuffle(x: npt.ArrayLike, axis: int = 0, seed: Seed = None) -> Array:
    """Return x with its parts along an axis in another order; `seed` is that of `normal`."""
    return np.asarray(_generator(seed).permutation(np.asarray(x), axis=axis))


def gamma(shape: Shape, alpha: Any, dtype: Any = None, seed: Seed = None) -> Array:
    """Return deviates of the gamma distribution with the shape parameter `alpha`, a number or an array that fits.

    Other arguments and errors are those of `normal`.
    """
    return _floats(_generator(seed).standard_gamma(alpha, _sizes(shape)), dtype)


def beta(shape: Shape, alpha: Any, beta: Any, dtype: Any = None, seed: Seed = None) -> Array:
    """Return deviates of the beta distribution with these parameters, numbers or arrays that fit.

    Other arguments and errors are those of `normal`.
    """
    return _floats(_generator(seed).beta(alpha, beta, _sizes(shape)), dtype)


def binomial(shape: Shape, counts: Any, probabilities: Any, dtype: Any = None, seed: Seed = None) -> Array:
    """Return how often something of a probability happens in as many trials, both numbers or arrays that fit.

    Other arguments and errors are those of `normal`.
    """
    return _floats(_generator(seed).binomial(np.asarray(counts, np.int64), probabilities, _sizes(shape)), dtype)


def dropout(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None) -> Any:
    """Return the inputs with a share of the elements set to zero, and the others divided by 1 - rate.

    Args:
        inputs: an array. Tensors inside of a layer's `call` or of a tape are given to `ops.dropout`, which does
            something in training only.
        rate: the share, from 0 to 1.
        noise_shape: the shape in which elements are drawn: 1 where all along an axis share their fate, None for the
            size of the inputs.
        seed: as in `normal`.

    Raises:
        ValueError: for a wrong rate or a noise shape that does not fit.
    """
    share = check_real("rate", rate, 0.0, 1.0)
    if isinstance(inputs, (Tensor, RecordedTensor)) or hasattr(inputs, "record"):
        number = np.random.default_rng(_seed_of(seed)).integers(0, 2**63)
        return ops.dropout(inputs, share, int(number), noise_shape)
    given = np.asarray(inputs)
    values = given if given.dtype.kind == "f" else given.astype(config.floatx())
    if share in (0.0, 1.0):
        return values * (1 - share)
    wanted = values.shape if noise_shape is None else tuple(noise_shape)
    if len(wanted) != values.ndim:
        raise invalid("`noise_shape` must have one size per axis.", noise_shape=noise_shape, shape=values.shape)
    sizes = tuple(whole if size is None else size for size, whole in zip(wanted, values.shape, strict=True))
    kept = _generator(seed).random(sizes) >= share
    return np.where(kept, values / (1 - share), 0).astype(values.dtype)


def _seed_of(seed: Seed) -> Any:
    if isinstance(seed, SeedGenerator):
        return seed.next()
    return draw_seed() if seed is None else check_int("seed", seed, 0)


def _generator(seed: Seed) -> np.random.Generator:
    if emitting_builder() is not None and current_recording() is None:
        raise mistyped(
            "Random arrays cannot be drawn in a layer's `call`: it is asked once, and all batches would get the same. "
            "Use ops.gaussian_noise, ops.dropout or the layers of these names there, or draw in `train_step`.",
            seed=seed,
        )
    return np.random.default_rng(_seed_of(seed))


def _sizes(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, str) or not hasattr(shape, "__len__"):
        raise mistyped("`shape` must be a tuple of integers.", shape=shape)
    return tuple(check_int("shape", size, 0) for size in shape)


def _floats(values: Any, dtype: Any) -> Array:
    result: Array = np.asarray(values).astype(config.floatx() if dtype is None else dtype)
    return result


refuse_unknown_names(sys.modules[__name__])
