"""Penalties on weights and activations by Keras' names: what joins the loss besides the distance to the targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from fastgd import config as settings
from fastgd import ops
from fastgd.ops.builder import PlanBuilder, Tensor
from fastgd.ops.parameters import Variable
from fastgd.ops.penalties import weight_orthogonality, weight_penalty
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.registry import Registry, function_config, stands_for_call

_registry: Registry[Regularizer] = Registry("regularizer", {"l1_l2": "L1L2"})


class Regularizer:
    """Base of all regularizers: an object called with a tensor returns the penalty, one number.

    A subclass implements `__call__(x)` with functions of `fastgd.ops`, and `get_config` if it shall be saved; it is
    then found by its name. Any function of one tensor does as well.

    Example:
        >>> fastgd.layers.Dense(8, kernel_regularizer=fastgd.regularizers.L2(1e-4))
    """

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            _registry.add(cls)

    def __call__(self, x: Any) -> Any:
        """Return the penalty of a tensor, of a weight or of an array."""
        raise NotImplementedError(f"{type(self).__name__} must implement __call__(x)")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        raise NotImplementedError(f"{type(self).__name__} must implement get_config()")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Regularizer:
        """Make an object from what `get_config` returned."""
        return cls(**config)


class L1L2(Regularizer):
    """`l1 sum|x| + l2 sum x^2`.

    As a penalty on a weight it costs a pass over the weight per batch; its gradient `l1 sign(x) + 2 l2 x` is added
    where the update visits the weight anyway.

    Args:
        l1: the factor of the absolute values, 0 or more; None is 0.
        l2: the factor of the squares, 0 or more; None is 0.

    Raises:
        ValueError: if a factor is negative.

    Example:
        >>> fastgd.regularizers.L1L2(l1=0.5, l2=2.0)(np.array([-1.0, 3.0]))
        np.float64(22.0)
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor("l1", l1, 0.0)
        self.l2 = _factor("l2", l2, 0.0)

    def __call__(self, x: Any) -> Any:
        """Return the penalty: a number of the array's dtype, a tensor (1,), or (batch,) whose sum it is."""
        if isinstance(x, Tensor):
            return ops.penalty(x, self.l1, self.l2)
        array = _as_array(x)
        total = self.l1 * np.sum(np.abs(array), dtype=np.float64) + self.l2 * np.sum(np.square(array), dtype=np.float64)
        return array.dtype.type(total)

    def lower(self, builder: PlanBuilder, w: Variable) -> Tensor:
        """Emit the penalty on a weight."""
        return weight_penalty(builder, w, self.l1, self.l2)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """`l1 sum|x|`, which draws small values to 0.

    Args:
        l1: the factor, 0 or more; None is 0.01.

    Source:
        Tibshirani, Regression shrinkage and selection via the lasso, J. R. Stat. Soc. B 58, 1996.
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        super().__init__(_factor("l1", l1, 0.01))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"l1": self.l1}


class L2(L1L2):
    """`l2 sum x^2`, without a factor of one half.

    Args:
        l2: the factor, 0 or more; None is 0.01.
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        super().__init__(l2=_factor("l2", l2, 0.01))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean of `|n_i . n_j|` over all pairs of the rows or columns of a matrix, divided by norms.

    Args:
        factor: the factor, 0 or more.
        mode: "rows" or "columns": which vectors shall become orthogonal to each other.

    Raises:
        ValueError: if the factor is negative or the mode unknown.
    """

    modes: ClassVar = ("rows", "columns")

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = check_real("factor", factor, 0.0)
        if mode not in self.modes:
            raise unknown("mode", self.modes, mode=mode)
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        """Return the penalty: a number of the array's dtype or a tensor (1,).

        Raises:
            ValueError: if x has not two axes.
        """
        if isinstance(x, Tensor):
            return ops.orthogonality(x, self.factor, self.mode)
        array = _as_array(x)
        if array.ndim != 2:
            raise invalid("An OrthogonalRegularizer takes a matrix.", shape=array.shape)
        vectors = array if self.mode == "rows" else array.T
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        units = vectors / np.maximum(lengths, settings.epsilon())
        # The products above the diagonal: each pair once.
        products = np.abs(units @ units.T)[np.triu_indices(len(units), 1)]
        return array.dtype.type(self.factor * np.mean(products, dtype=np.float64) if products.size else 0.0)

    def lower(self, builder: PlanBuilder, w: Variable) -> Tensor:
        """Emit the penalty on a weight."""
        return weight_orthogonality(builder, w, self.factor, self.mode)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"factor": self.factor, "mode": self.mode}


# Keras offers every class under its lower-case name too.
l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer


def lower_weight(regularizer: Callable[..., Any], builder: PlanBuilder, w: Variable) -> Tensor:
    """Emit the penalty of `regularizer` on a weight: as one step, or by calling it on the weight as a tensor."""
    if stands_for_call(regularizer, "lower"):
        value: Tensor = regularizer.lower(builder, w)  # type: ignore[attr-defined]
        return value
    return lower_tensor(regularizer, builder.emit("parameter", [], [w.shape], [w])[0])


def lower_tensor(regularizer: Callable[..., Any], x: Tensor) -> Tensor:
    """Emit the penalty of `regularizer` on a tensor.

    Raises:
        TypeError: if the regularizer returns no tensor.
    """
    value = regularizer(x)
    if not isinstance(value, Tensor):
        raise mistyped(f"A regularizer must return a tensor of fastgd.ops: {regularizer!r} does not.", value=value)
    return value


def get(identifier: Any) -> Callable[..., Any] | None:
    """Return the regularizer that `identifier` names: a name, a config, a class, a function, a regularizer, or None.

    Raises:
        ValueError: for an unknown name.
        TypeError: for anything else.
    """
    return _registry.resolve(identifier)


def serialize(regularizer: Any) -> dict[str, Any] | None:
    """Return the config of a regularizer, None for None.

    Raises:
        TypeError: for a plain function, which has none.
    """
    return function_config(regularizer)


def deserialize(config: Mapping[str, Any]) -> Regularizer:
    """Make a regularizer from its config."""
    return _registry.from_config(config, "config")


def _factor(name: str, value: float | None, missing: float) -> float:
    return missing if value is None else check_real(name, value, 0.0)


def _as_array(x: Any) -> Any:
    """Return a weight or an array-like as an array of floats."""
    array = np.asarray(x)
    return array if array.dtype.kind == "f" else array.astype(settings.floatx())
