"""Checking gradients: what backward passes give, against central finite differences of what forward passes give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import ops, runtime
from fastgd.layers import Layer
from fastgd.losses import Loss
from fastgd.ops.builder import PlanBuilder, Tensor
from fastgd.ops.parameters import Variable
from fastgd.plan import BATCH, Term
from fastgd.utils.checks import check_above_zero
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.structure import flatten

__all__ = ["GradientCheck", "check_gradients", "numerical_gradient"]

Array = npt.NDArray[Any]

# What a gradient is compared with at least: below, rounding is all that differences show.
_LEAST_SCALE = 1e-3


@dataclass(frozen=True)
class GradientCheck:
    """The outcome of `check_gradients`: the element whose gradient is farthest from finite differences.

    Attributes:
        name: what the element belongs to: "inputs[0]", or the path of a weight.
        index: its place in there.
        analytic: its gradient by the backward pass.
        numerical: its gradient by central differences.
        error: the distance of the two, divided by the largest gradient in the same array.
        elements: how many elements were compared.
    """

    name: str
    index: tuple[int, ...]
    analytic: float
    numerical: float
    error: float
    elements: int


def numerical_gradient(function: Callable[[Array], Any], x: npt.ArrayLike, step: float | None = None) -> Array:
    """Return the gradient of a function of an array by central finite differences.

    Each element is `(f(x + h) - f(x - h)) / (2 h)`, where h = step max(1, |element|). The formula is off by
    `h^2 |f'''| / 6`, rounding by about `2^-53 |f| / h`: a step near the cube root of 2^-52 balances the two.

    Args:
        function: takes an array of the shape of x, and returns one number.
        x: the point; it is computed in float64.
        step: the relative step, 6.06e-6 if None: the cube root of 2^-52.

    Returns:
        An array of float64 of the shape of x.

    Raises:
        ValueError: if `step` is not above 0, or if the function returns several numbers.

    Example:
        >>> fastgd.testing.numerical_gradient(lambda x: np.sum(x**2), [1.0, -3.0])
        array([ 2., -6.])
    """
    relative = np.finfo(np.float64).eps ** (1 / 3) if step is None else check_above_zero("step", step)
    point = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        kept = point[index]
        h = relative * max(1.0, abs(float(kept)))
        values = []
        for moved in (kept + h, kept - h):
            point[index] = moved
            values.append(_one_number(function(point.copy())))
        # What was added is not quite h.
        gradient[index] = (values[0] - values[1]) / ((kept + h) - (kept - h))
        point[index] = kept
    return gradient


def check_gradients(
    function: Any,
    inputs: Any,
    tolerance: float = 1e-6,
    step: float | None = None,
    training: bool = True,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradients of a layer, a model, a loss or a function with central finite differences, in float64.

    The number that is differentiated is `sum(r y)` over all elements of all outputs y, with random factors r from 0.5
    to 1.5. Its gradient by each floating input and each trainable weight runs through the backward pass of the current
    backend, and is compared element by element with `numerical_gradient`. Weights are left as they are.

    Take small inputs, since each element costs two forward passes, and none at a kink, such as 0 for relu, where
    differences are no derivative.

    Args:
        function: a layer or a model, built or not; a loss, whose gradient is that by the predictions; or a function of
            tensors, written with `fastgd.ops` or with `ops.numpy_function`.
        inputs: an array with the batch as its first axis, or a list of them: for a loss [y_true, y_pred]. Arrays of
            integers are labels.
        tolerance: the largest error allowed, relative to the largest gradient in the same array, or to 0.001.
        step: as in `numerical_gradient`.
        training: whether layers behave as in training; random ones draw the same each time.
        seed: of the factors r.

    Returns:
        The worst element.

    Raises:
        AssertionError: if an error is larger than `tolerance`, or no number; the message says where and by how much.
        ValueError: if nothing has a gradient.

    Example:
        >>> fastgd.testing.check_gradients(fastgd.layers.Dense(3, "tanh"), np.random.normal(size=(4, 5)))
        GradientCheck(name='dense/kernel', index=(1, 2), ...)
    """
    bound = check_above_zero("tolerance", tolerance)
    arrays = [np.asarray(x) for x in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]
    for k, array in enumerate(arrays):
        if array.dtype.kind not in "biuf" or array.ndim == 0:
            message = f"`inputs[{k}]` must be an array of numbers with the batch as its first axis."
            raise invalid(message, shape=array.shape, dtype=str(array.dtype))
    experiment = _Experiment(function, arrays, isinstance(inputs, (list, tuple)), training, seed)
    found = [
        _compare(name, analytic, numerical_gradient(experiment.total_with(array), array, step))
        for name, array, analytic in experiment.gradients()
        if array.size
    ]
    if not found:
        raise invalid("`function` has neither floating inputs nor weights that a gradient could flow to.", f=function)
    # An error that is no number is the worst of all.
    worst = max(found, key=lambda each: np.inf if np.isnan(each.error) else each.error)
    if not worst.error <= bound:
        raise AssertionError(
            f"The gradient by {worst.name} is wrong at {worst.index}: backward gives {worst.analytic:.9g}, "
            f"central differences {worst.numerical:.9g}. The error is {worst.error:.2g} of the largest gradient by "
            f"{worst.name}, {bound:.2g} is allowed."
        )
    return replace(worst, elements=sum(each.elements for each in found))


class _Experiment:
    """The plan of sum(r y), and the arrays that it runs on."""

    def __init__(self, function: Any, arrays: Sequence[Array], listed: bool, training: bool, seed: int) -> None:
        builder = PlanBuilder("float64", training)
        self._training = training
        self._feeds = [np.array(a, dtype=np.int32 if a.dtype.kind in "biu" else np.float64) for a in arrays]
        symbols = [
            builder.input(f"inputs[{k}]", (BATCH, *a.shape[1:]), str(a.dtype)) for k, a in enumerate(self._feeds)
        ]
        # The targets of a loss get no gradient.
        self._moved = {1: "inputs[1]"} if isinstance(function, Loss) else dict(enumerate(x.name for x in symbols))
        outputs = flatten(_call(function, symbols, listed, training))
        rng = np.random.default_rng(seed)
        terms = []
        for y in outputs:
            if not isinstance(y, Tensor):
                raise mistyped("`function` must return tensors of fastgd.ops.", returned=y)
            size = prod(y.dims)
            if size < 0:
                self._feeds.append(rng.uniform(0.5, 1.5, (len(arrays[0]), -size)))
                factors = ops.ravel(builder.input("factors", (BATCH, -size)))
            else:
                factors = builder.read(Variable(rng.uniform(0.5, 1.5, size), "factors", "float64", trainable=False))
            value = ops.reshape(ops.sum(factors * ops.ravel(y)), (1,))
            terms.append(Term(value.name, value.name, reduction="sum"))
        self._terms = [*terms, *builder.losses]
        plan = builder.build((), self._terms)
        self._executor = runtime.create_executor(plan)
        # Copies, so that a weight can be moved without anybody noticing.
        self._params = [np.array(variable.value, dtype=np.float64) for variable in builder.variables]
        self._weights = {spec.name: w for spec, w in zip(plan.params, self._params, strict=True) if spec.trainable}
        self._executor.bind_parameters(self._params)

    def gradients(self) -> list[tuple[str, Array, Array]]:
        """Return the name of everything that a gradient flows to, its array, and that gradient."""
        seen = self._run()
        moved = {name: self._feeds[k] for k, name in self._moved.items() if self._feeds[k].dtype == np.float64}
        # A gradient that nothing leads to is zero.
        return [
            (name, array, np.array(seen.get(f"d:{name}", np.zeros_like(array))))
            for name, array in {**moved, **self._weights}.items()
        ]

    def total_with(self, array: Array) -> Callable[[Array], float]:
        """Return the function of one of the arrays that is differentiated."""

        def total(value: Array) -> float:
            kept = array.copy()
            array[...] = value
            seen = self._run()
            array[...] = kept
            rows = len(self._feeds[0])
            parts = [np.sum(seen[t.tensor]) / (1 if t.reduction == "sum" else rows) for t in self._terms]
            return float(sum(parts))

        return total

    def _run(self) -> Mapping[str, Array]:
        return self._executor.inspect(self._feeds, self._training)


def _call(function: Any, symbols: Sequence[Tensor], listed: bool, training: bool) -> Any:
    """Return what the function makes of tensors."""
    given = list(symbols) if listed and len(symbols) > 1 else symbols[0]
    if isinstance(function, Loss):
        if len(symbols) != 2:
            raise invalid("`inputs` of a loss must be [y_true, y_pred].", inputs=len(symbols))
        y_true, y_pred = symbols
        return function.lower_given(y_pred, y_true)
    if isinstance(function, Layer):
        return function.emit(given, training)
    if not callable(function):
        raise mistyped("`function` must be a layer, a model, a loss or a function.", function=function)
    return function(*symbols)


def _compare(name: str, analytic: Array, numerical: Array) -> GradientCheck:
    """Return the element that differs most."""
    scale = max(float(np.max(np.abs(analytic))), float(np.max(np.abs(numerical))), _LEAST_SCALE)
    difference = np.abs(analytic - numerical)
    place = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
    index = tuple(int(i) for i in np.unravel_index(place, analytic.shape))
    error = float(difference[index]) / scale
    return GradientCheck(name, index, float(analytic[index]), float(numerical[index]), error, analytic.size)


def _one_number(value: Any) -> float:
    array = np.asarray(value)
    if array.size != 1:
        raise invalid("`function` must return one number.", shape=array.shape)
    return float(array.reshape(-1)[0])
