"""Initial values of weights, with Keras' names, limits and standard deviations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fastgd import config
from fastgd.utils.checks import check_above_zero, check_real, check_seed
from fastgd.utils.draws import truncated
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.registry import Registry, to_config
from fastgd.utils.seeds import draw_seed

Array = npt.NDArray[Any]

# The standard deviation of a standard normal distribution cut off at 2: dividing by it gives the cut one unit variance.
_TRUNCATED_STDDEV = 0.87962566103423978

_registry: Registry[Initializer] = Registry(
    "initializer",
    {
        "normal": "RandomNormal",
        "uniform": "RandomUniform",
        "zero": "Zeros",
        "one": "Ones",
        "identityinitializer": "Identity",
        "orthogonalinitializer": "Orthogonal",
    },
)


class Initializer:
    """Base of all initializers: an object called with a shape returns an array.

    A subclass implements `__call__(shape, dtype=None)` and `get_config`, and is then found by its name.
    """

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            _registry.add(cls)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        """Return the initial value of a weight of `shape` in `dtype`, `config.floatx()` if None."""
        raise NotImplementedError(f"{type(self).__name__} must implement __call__(shape, dtype=None)")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Initializer:
        """Make an object from what `get_config` returned."""
        return cls(**config)


class Zeros(Initializer):
    """Every element is 0."""

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        """Return zeros."""
        return np.zeros(shape, dtype or config.floatx())


class Ones(Initializer):
    """Every element is 1."""

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        """Return ones."""
        return np.ones(shape, dtype or config.floatx())


class Constant(Initializer):
    """Every element is `value`."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = check_real("value", value)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        """Return an array of the value."""
        return np.full(shape, self.value, dtype or config.floatx())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"value": self.value}


class Identity(Initializer):
    """`gain` where row and column are the same, 0 elsewhere; for matrices alone, which need not be square.

    Args:
        gain: the number on the diagonal.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check_real("gain", gain)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        """Return the matrix.

        Raises:
            ValueError: if `shape` has not two axes.
        """
        if len(shape) != 2:
            raise invalid("`shape` must have two axes for an Identity.", shape=shape)
        value = np.zeros(shape, dtype or config.floatx())
        np.fill_diagonal(value, self.gain)
        return value

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"gain": self.gain}


class RandomInitializer(Initializer, abstract=True):
    """Base of the random initializers: one object gives the same values each time it is called with one shape.

    Args:
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = check_seed("seed", seed)
        self._drawn = draw_seed() if self.seed is None else self.seed

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Array:
        """Return random values; they are drawn in float64, so that both dtypes begin alike."""
        values = self.sample(np.random.default_rng(self._drawn), tuple(shape))
        return values.astype(dtype or config.floatx())

    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Return values drawn from `generator`."""
        raise NotImplementedError(f"{type(self).__name__} must implement sample(generator, shape)")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"seed": self.seed}


class RandomNormal(RandomInitializer):
    """Values from the normal distribution of `mean` and `stddev`."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = check_real("mean", mean)
        self.stddev = check_real("stddev", stddev, 0.0)
        super().__init__(seed)

    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Return values drawn from `generator`."""
        return generator.normal(self.mean, self.stddev, shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class TruncatedNormal(RandomNormal):
    """Values from the normal distribution of `mean` and `stddev`, drawn again beyond two standard deviations."""

    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Return values drawn from `generator`."""
        return self.mean + self.stddev * truncated(generator, shape)


class RandomUniform(RandomInitializer):
    """Values uniform between `minval` and `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval = check_real("minval", minval)
        self.maxval = check_real("maxval", maxval, self.minval)
        super().__init__(seed)

    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Return values drawn from `generator`."""
        return generator.uniform(self.minval, self.maxval, shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


class VarianceScaling(RandomInitializer):
    """Values of variance `scale / fan`: uniform within `sqrt(3 scale / fan)`, or normal.

    Args:
        scale: a positive number.
        mode: which fan: "fan_in", "fan_out" or "fan_avg", their mean.
        distribution: "truncated_normal" (cut at two standard deviations), "untruncated_normal" or "uniform".
        seed: as in `RandomInitializer`.

    Source:
        Glorot and Bengio, AISTATS 2010; He and others, ICCV 2015; LeCun and others, Efficient BackProp, 1998.
    """

    modes: ClassVar = ("fan_in", "fan_out", "fan_avg")
    distributions: ClassVar = ("truncated_normal", "untruncated_normal", "uniform")

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        self.scale = check_above_zero("scale", scale)
        if mode not in self.modes:
            raise unknown("mode", self.modes, mode=mode)
        if distribution not in self.distributions:
            raise unknown("distribution", self.distributions, distribution=distribution)
        self.mode = mode
        self.distribution = distribution
        super().__init__(seed)

    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Return values drawn from `generator`."""
        fan_in, fan_out = compute_fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return generator.normal(0.0, math.sqrt(variance), shape)
        return math.sqrt(variance) / _TRUNCATED_STDDEV * truncated(generator, shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed}


class _Preset(VarianceScaling, abstract=True):
    """A VarianceScaling whose numbers are fixed, so that only the seed is an argument."""

    preset: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "truncated_normal")

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self.preset, seed=seed)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"seed": self.seed}


class GlorotUniform(_Preset):
    """Values uniform within `sqrt(6 / (fan_in + fan_out))`."""

    preset = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Preset):
    """Values from a normal distribution of variance `2 / (fan_in + fan_out)`, cut at two standard deviations."""

    preset = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Preset):
    """Values uniform within `sqrt(6 / fan_in)`."""

    preset = (2.0, "fan_in", "uniform")


class HeNormal(_Preset):
    """Values from a normal distribution of variance `2 / fan_in`, cut at two standard deviations."""

    preset = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Preset):
    """Values uniform within `sqrt(3 / fan_in)`."""

    preset = (1.0, "fan_in", "uniform")


class LecunNormal(_Preset):
    """Values from a normal distribution of variance `1 / fan_in`, cut at two standard deviations."""

    preset = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """`gain q` with orthonormal columns in q, or orthonormal rows if it has fewer rows than columns.

    The values are those of a matrix with as many columns as the last axis is long. q is drawn uniformly from all such
    matrices: it is the q of the decomposition `q r` of normal values whose r has a positive diagonal.

    Args:
        gain: the length of the columns or rows.
        seed: as in `RandomInitializer`.

    Source:
        Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural
        networks, ICLR 2014; Mezzadri, How to generate random matrices from the classical compact groups, 2007.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = check_real("gain", gain)
        super().__init__(seed)

    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Return values drawn from `generator`.

        Raises:
            ValueError: if `shape` has fewer than two axes.
        """
        if len(shape) < 2:
            raise invalid("`shape` must have two or more axes for an Orthogonal.", shape=shape)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diagonal(r) < 0, -self.gain, self.gain)
        return (q.T if rows < columns else q).reshape(shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"gain": self.gain, "seed": self.seed}


# Keras offers every class under its lower-case name too, and two under a longer one.
IdentityInitializer = identity = Identity
OrthogonalInitializer = orthogonal = Orthogonal
constant, ones, zeros = Constant, Ones, Zeros
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling = VarianceScaling


def compute_fans(shape: Sequence[int]) -> tuple[float, float]:
    """Return how many inputs and outputs a weight of `shape` connects; leading axes are a receptive field."""
    if len(shape) < 2:
        size = float(math.prod(shape))
        return size, size
    field = math.prod(shape[:-2])
    return float(field * shape[-2]), float(field * shape[-1])


def get(identifier: str | Mapping[str, Any] | Initializer | type[Initializer]) -> Initializer:
    """Return the initializer that `identifier` names: a name, a config, a class or an initializer.

    Raises:
        ValueError: for an unknown name.
        TypeError: for anything else.
    """
    if isinstance(identifier, Initializer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    if isinstance(identifier, str):
        return _registry.find(identifier, "initializer")()
    if isinstance(identifier, Mapping):
        return _registry.from_config(identifier, "initializer")
    raise mistyped("`initializer` must be a name, a config or an Initializer.", initializer=identifier)


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Return the config of an initializer."""
    return to_config(initializer)


def deserialize(config: Mapping[str, Any]) -> Initializer:
    """Make an initializer from its config."""
    return _registry.from_config(config, "config")
