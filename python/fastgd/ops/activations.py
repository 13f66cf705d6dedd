"""Activation functions under the names and arguments of Keras' ops: the ops `activation` and `prelu`."""

from __future__ import annotations

import math

from fastgd.ops.axes import normal_axis
from fastgd.ops.binary import multiply
from fastgd.ops.builder import Dims, Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.indexing import split
from fastgd.ops.operands import as_tensors
from fastgd.ops.parameters import Variable
from fastgd.plan import Attribute
from fastgd.utils.checks import check_above_zero, check_bool, check_real
from fastgd.utils.errors import mistyped, unknown

# The numbers of each elementwise function. Those of the first table have a derivative that follows from their output,
# so that a product can take them along.
FUSED: dict[str, tuple[str, ...]] = {
    "linear": (),
    "sigmoid": (),
    "tanh": (),
    "relu": (),
    "leaky_relu": ("negative_slope",),
    "relu6": (),
    "elu": ("alpha",),
    "selu": (),
    "celu": ("alpha",),
    "exponential": (),
    "softplus": (),
    "log_sigmoid": (),
    "softsign": (),
    "squareplus": ("b",),
    "sparse_plus": (),
    "sparse_sigmoid": (),
    "hard_sigmoid": (),
    "hard_tanh": (),
    "soft_shrink": ("threshold",),
    "hard_shrink": ("threshold",),
}
ELEMENTWISE: dict[str, tuple[str, ...]] = {
    **FUSED,
    "thresholded_relu": ("negative_slope", "max_value", "threshold"),
    "threshold": ("threshold", "default_value"),
    "tanh_shrink": (),
    "silu": (),
    "hard_silu": (),
    "mish": (),
    "gelu": (),
    "gelu_tanh": (),
}
ALONG_AN_AXIS = ("softmax", "log_softmax", "sparsemax")


def function_attributes(attribute: str, function: str, numbers: dict[str, float]) -> dict[str, Attribute]:
    """Return the attributes by which a step names an elementwise function.

    Args:
        attribute: the attribute that holds the name.
        function: one of `ELEMENTWISE`.
        numbers: a value for each number of the function.

    Raises:
        ValueError: for an unknown function.
        TypeError: for a number that the function has not, or that is missing.
    """
    if function not in ELEMENTWISE:
        raise unknown("activation", ELEMENTWISE, **{attribute: function})
    if set(numbers) != set(ELEMENTWISE[function]):
        wanted = ", ".join(f"`{name}`" for name in ELEMENTWISE[function]) or "no number"
        given: dict[str, object] = {**numbers} or {attribute: function}
        raise mistyped(f"The function {function} takes {wanted}.", **given)
    attrs: dict[str, Attribute] = {attribute: function}
    attrs.update({name: float(value) for name, value in numbers.items()})
    return attrs


@works_on_arrays("x", batch=False)
def activation(x: Tensor, function: str, **numbers: float) -> Tensor:
    """Return `f(x)`, of the shape of x.

    Args:
        x: tensor of any shape (batch, ...).
        function: the name of f in docs/ops.md: one of `ELEMENTWISE` or `ALONG_AN_AXIS`.
        **numbers: the numbers of f, all of them; the functions along an axis may have `axis`, by default the last.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: for an unknown function, or an axis that x has not.
        TypeError: for numbers other than those of f.

    Example:
        >>> ops.activation(np.array([-1.0, 1.0]), "leaky_relu", negative_slope=0.5)
        array([-0.5,  1. ])
    """
    (x,) = as_tensors("activation", x)
    if function in ALONG_AN_AXIS:
        attrs = _axis_attributes(function, x.dims, **numbers)
    elif function in ELEMENTWISE:
        attrs = function_attributes("function", function, numbers)
    else:
        raise unknown("activation", (*ELEMENTWISE, *ALONG_AN_AXIS), function=function)
    return x.builder.emit("activation", [x], [x.dims], attrs=attrs)[0]


def _axis_attributes(function: str, dims: Dims, axis: float = -1) -> dict[str, Attribute]:
    """Return the attributes of a function along an axis, which is named only where it is not the last."""
    require(axis == int(axis), function, f"`axis` must be an integer. Received: axis={axis}")
    place = normal_axis(function, int(axis), len(dims))
    require(dims[place] >= 0, function, f"`axis` must not be the batch of {show_dims(dims)}. Received: axis={axis}")
    return {"function": function} if place == len(dims) - 1 else {"function": function, "axis": place}


def sigmoid(x: Tensor) -> Tensor:
    """Return `1 / (1 + exp(-x))`."""
    return activation(x, "sigmoid")


def tanh(x: Tensor) -> Tensor:
    """Return the hyperbolic tangent `(exp(x) - exp(-x)) / (exp(x) + exp(-x))`."""
    return activation(x, "tanh")


def relu(x: Tensor) -> Tensor:
    """Return `max(x, 0)`; the derivative at 0 is 0."""
    return activation(x, "relu")


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """Return x where it is positive, else `negative_slope * x`; the derivative at 0 is `negative_slope`.

    Source:
        Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013.
    """
    slope = check_real("negative_slope", negative_slope)
    if slope < 0:
        # The output's sign does not tell the input's, from which this one takes its derivative.
        return thresholded_relu(x, slope)
    return activation(x, "leaky_relu", negative_slope=slope)


def thresholded_relu(
    x: Tensor, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Tensor:
    """Return `min(max(x, 0), max_value)` where `x > threshold`, else `negative_slope * (x - threshold)`.

    With `max_value` None, x itself is returned above the threshold. The derivative is 0 at the threshold, 1 at
    `max_value`.

    Raises:
        ValueError: if `max_value` is negative.
    """
    return activation(
        x,
        "thresholded_relu",
        negative_slope=check_real("negative_slope", negative_slope),
        max_value=math.inf if max_value is None else check_real("max_value", max_value, 0.0),
        threshold=check_real("threshold", threshold),
    )


def relu6(x: Tensor) -> Tensor:
    """Return `min(max(x, 0), 6)`; the derivative at 0 and 6 is 0."""
    return activation(x, "relu6")


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, else `alpha * (exp(x) - 1)`; the derivative at 0 is alpha.

    Raises:
        ValueError: if `alpha` is negative.

    Source:
        Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by exponential linear units,
        ICLR 2016.
    """
    return activation(x, "elu", alpha=check_real("alpha", alpha, 0.0))


def selu(x: Tensor) -> Tensor:
    """Return `1.0507 * elu(x, 1.6733)`, which keeps mean 0 and variance 1 from layer to layer.

    Source:
        Klambauer and others, Self-normalizing neural networks, NIPS 2017.
    """
    return activation(x, "selu")


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, else `alpha * (exp(x / alpha) - 1)`.

    Raises:
        ValueError: if `alpha` is not positive.

    Source:
        Barron, Continuously differentiable exponential linear units, arXiv:1704.07483.
    """
    return activation(x, "celu", alpha=check_above_zero("alpha", alpha))


def softplus(x: Tensor) -> Tensor:
    """Return `log(1 + exp(x))`, without overflow: x itself for large x."""
    return activation(x, "softplus")


def softsign(x: Tensor) -> Tensor:
    """Return `x / (1 + |x|)`."""
    return activation(x, "softsign")


def log_sigmoid(x: Tensor) -> Tensor:
    """Return `log(1 / (1 + exp(-x)))`, without overflow: x itself for very negative x."""
    return activation(x, "log_sigmoid")


def silu(x: Tensor) -> Tensor:
    """Return `x * sigmoid(x)`, known as swish, too.

    Source:
        Ramachandran, Zoph and Le, Searching for activation functions, arXiv:1710.05941.
    """
    return activation(x, "silu")


swish = silu


def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    """Return `x * P(X <= x)` for a standard normal X.

    Args:
        x: tensor of any shape.
        approximate: whether to return `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))` instead, as Keras' op does
            by default, while its activation function does not.

    Returns:
        Tensor of the same shape.

    Source:
        Hendrycks and Gimpel, Gaussian error linear units, arXiv:1606.08415.
    """
    return activation(x, "gelu_tanh" if check_bool("approximate", approximate) else "gelu")


def mish(x: Tensor) -> Tensor:
    """Return `x * tanh(log(1 + exp(x)))`.

    Source:
        Misra, Mish: A self regularized non-monotonic activation function, BMVC 2020.
    """
    return activation(x, "mish")


def hard_sigmoid(x: Tensor) -> Tensor:
    """Return `min(max(x + 3, 0), 6) / 6`; the derivative at -3 and 3 is 0."""
    return activation(x, "hard_sigmoid")


def hard_silu(x: Tensor) -> Tensor:
    """Return `x * hard_sigmoid(x)`, known as hard_swish, too; the derivative is 0 at -3 and 1 at 3."""
    return activation(x, "hard_silu")


hard_swish = hard_silu


def hard_tanh(x: Tensor) -> Tensor:
    """Return `min(max(x, -1), 1)`; the derivative at -1 and 1 is 0."""
    return activation(x, "hard_tanh")


def tanh_shrink(x: Tensor) -> Tensor:
    """Return `x - tanh(x)`."""
    return activation(x, "tanh_shrink")


def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Return `x - threshold` above the threshold, `x + threshold` below its negative, 0 between them.

    Raises:
        ValueError: if `threshold` is negative.
    """
    return activation(x, "soft_shrink", threshold=check_real("threshold", threshold, 0.0))


def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Return x where `|x| > threshold`, else 0.

    Raises:
        ValueError: if `threshold` is negative.
    """
    return activation(x, "hard_shrink", threshold=check_real("threshold", threshold, 0.0))


def threshold(x: Tensor, threshold: float, default_value: float) -> Tensor:
    """Return x where `x > threshold`, else `default_value`."""
    numbers = {"threshold": check_real("threshold", threshold)}
    return activation(x, "threshold", **numbers, default_value=check_real("default_value", default_value))


def squareplus(x: Tensor, b: float = 4) -> Tensor:
    """Return `(x + sqrt(x^2 + b)) / 2`.

    Raises:
        ValueError: if `b` is negative.

    Source:
        Barron, Squareplus: A softplus-like algebraic rectifier, arXiv:2112.11687.
    """
    return activation(x, "squareplus", b=check_real("b", b, 0.0))


def sparse_plus(x: Tensor) -> Tensor:
    """Return 0 up to -1, `(x + 1)^2 / 4` between -1 and 1, x from there on."""
    return activation(x, "sparse_plus")


def sparse_sigmoid(x: Tensor) -> Tensor:
    """Return `min(max((x + 1) / 2, 0), 1)`; the derivative at -1 and 1 is 0."""
    return activation(x, "sparse_sigmoid")


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return `exp(x) / sum(exp(x))` over an axis.

    Args:
        x: tensor of any shape (batch, ...).
        axis: negative ones count from the last.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if x has no such axis.

    Example:
        >>> ops.softmax(np.array([[0.0, np.log(3.0)]]))
        array([[0.25, 0.75]])
    """
    return activation(x, "softmax", axis=axis)


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return `x - log(sum(exp(x)))` over an axis: the logarithm of `softmax`, exact also where that is nearly 0."""
    return activation(x, "log_softmax", axis=axis)


def sparsemax(x: Tensor, axis: int = -1) -> Tensor:
    """Return `max(x - t, 0)` over an axis, with the t for which they add up to 1: most of them are 0.

    Args:
        x: tensor of any shape (batch, ...).
        axis: negative ones count from the last.

    Returns:
        Tensor of the same shape, the nearest distribution to x along the axis.

    Raises:
        ValueError: if x has no such axis.

    Example:
        >>> ops.sparsemax(np.array([[0.5, 0.25, -1.0]]))
        array([[0.625, 0.375, 0.   ]])

    Source:
        Martins and Astudillo, From softmax to sparsemax: A sparse model of attention and multi-label classification,
        ICML 2016.
    """
    return activation(x, "sparsemax", axis=axis)


@works_on_arrays("x", batch=False)
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """Return `a sigmoid(b)`, a and b being the halves of x along an axis.

    Args:
        x: tensor of any shape (batch, ...).
        axis: negative ones count from the last; its size is even.

    Returns:
        Tensor of half the size along the axis.

    Raises:
        ValueError: if x has no such axis, or its size is odd.

    Example:
        >>> ops.glu(np.array([[3.0, 0.0]]))
        array([[1.5]])

    Source:
        Dauphin and others, Language modeling with gated convolutional networks, ICML 2017.
    """
    a, b = split(as_tensors("glu", x)[0], 2, axis)
    y: Tensor = multiply(a, sigmoid(b))
    return y


@works_on_arrays("x")
def prelu(x: Tensor, alpha: Variable) -> Tensor:
    """Return x where it is positive, else `alpha * x`; the derivative at 0 is 0.

    Args:
        x: tensor (batch, ...).
        alpha: the slopes: a variable with the shape of one sample, or with 1 on the axes that share them.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes do not fit.
    """
    require_tensors("prelu", x)
    sample = x.dims[1:]
    fits = len(alpha.shape) == len(sample) and all(a in (1, d) for a, d in zip(alpha.shape, sample, strict=True))
    require(fits, "prelu", f"alpha must have the sizes of a sample or 1: x is {show_dims(x.dims)}, alpha {alpha.shape}")
    return x.builder.emit("prelu", [x], [x.dims], [alpha])[0]
