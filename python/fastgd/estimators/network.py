"""The chains of dense layers behind some estimators, with scikit-learn's penalty and first weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import activations, layers
from fastgd.models import Sequential
from fastgd.ops.builder import Tensor
from fastgd.ops.penalties import weight_penalty
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]

# What scikit-learn calls differently.
_ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid", "exp": "exponential"}

# The share of the moving averages that a batch keeps. Fits of few batches must end with averages of their own.
_MOMENTUM = 0.9


@dataclass(frozen=True)
class Penalty:
    """The penalty `l1 sum|w| + l2 sum w^2` on every kernel.

    Attributes:
        l1: the factor of the absolute values.
        l2: the factor of the squares.
        by_rows: whether it is divided by the rows of the batch.
    """

    l1: float = 0.0
    l2: float = 0.0
    by_rows: bool = False


class PenalisedDense(layers.Dense, abstract=True):
    """A Dense layer with a Penalty, which may change between two fits."""

    penalty = Penalty()

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the sums, and in training the penalty."""
        outputs: Tensor = super().call(inputs)
        rule = self.penalty
        if outputs.builder.training and (rule.l1 or rule.l2):
            value = weight_penalty(outputs.builder, self.kernel, rule.l1, rule.l2)
            outputs.builder.add_loss(value, "sum_over_batch_size" if rule.by_rows else "sum")
        return outputs


@dataclass(frozen=True)
class Architecture:
    """What an MLP is made of.

    Attributes:
        sizes: the features, the units of the hidden layers and those of the output.
        hidden: the activation of each hidden layer.
        output: that of the output.
        dropout: the share of each hidden layer that is silenced.
        normalised: whether hidden layers are normalised before their activation.
        use_bias: whether there are intercepts.
        dtype: "float32" or "float64".
        seed: of the masks of dropout.
    """

    sizes: tuple[int, ...]
    hidden: tuple[Any, ...]
    output: str
    dtype: str
    dropout: tuple[float, ...] = ()
    normalised: bool = False
    use_bias: bool = True
    seed: int = 0


class DenseNetwork:
    """The model of an Architecture.

    Attributes:
        model: the model of fastgd.
        dense: its dense layers.
        normalisations: its layers of batch normalisation.
    """

    def __init__(self, architecture: Architecture) -> None:
        shape = architecture
        # The values come from `load`; drawing others first would only take time.
        plain: dict[str, Any] = {"kernel_initializer": "zeros", "use_bias": shape.use_bias}
        self.dense: list[PenalisedDense] = []
        self.normalisations: list[layers.BatchNormalization] = []
        chain: list[Any] = [layers.Input((shape.sizes[0],), dtype=shape.dtype)]
        for place, (units, function) in enumerate(zip(shape.sizes[1:-1], shape.hidden, strict=True)):
            hidden = activation_of(function)
            if shape.normalised:
                self.normalisations.append(layers.BatchNormalization(momentum=_MOMENTUM))
                self.dense.append(PenalisedDense(units, **plain))
                chain += [self.dense[-1], self.normalisations[-1], layers.Activation(hidden)]
            else:
                self.dense.append(PenalisedDense(units, hidden, **plain))
                chain.append(self.dense[-1])
            if shape.dropout and shape.dropout[place]:
                chain.append(layers.Dropout(shape.dropout[place], seed=shape.seed + place))
        self.dense.append(PenalisedDense(shape.sizes[-1], activation_of(shape.output), **plain))
        self.model = Sequential([*chain, self.dense[-1]])

    def penalise(self, penalty: Penalty) -> bool:
        """Set the penalty; return whether it is another than before."""
        changed = any(layer.penalty != penalty for layer in self.dense)
        for layer in self.dense:
            layer.penalty = penalty
        return changed

    def load(self, coefs: Sequence[Any], intercepts: Sequence[Any], normalisations: Sequence[Any] = ()) -> None:
        """Overwrite all weights."""
        for layer, coef, intercept in zip(self.dense, coefs, intercepts, strict=True):
            layer.kernel.assign(coef)
            if layer.bias is not None:
                layer.bias.assign(intercept)
        for norm, values in zip(self.normalisations, normalisations, strict=True):
            for variable, value in zip(norm.weights, values, strict=True):
                variable.assign(value)

    @property
    def coefs(self) -> list[Array]:
        """Copies of the kernels."""
        return [layer.kernel.numpy() for layer in self.dense]

    @property
    def intercepts(self) -> list[Array]:
        """Copies of the biases, zeros where there are none."""
        biases = [(layer.bias, layer) for layer in self.dense]
        return [np.zeros(layer.units, layer.dtype) if bias is None else bias.numpy() for bias, layer in biases]

    @property
    def normalisation_values(self) -> list[tuple[Array, ...]]:
        """Copies of gamma, beta, moving mean and moving variance of each normalisation."""
        return [tuple(variable.numpy() for variable in norm.weights) for norm in self.normalisations]


def draw_weights(
    sizes: Sequence[int], functions: Sequence[Any], state: np.random.RandomState, dtype: Any
) -> tuple[list[Array], list[Array]]:
    """Draw kernels and biases as scikit-learn does: uniform within `sqrt(f / (fan_in + fan_out))`.

    f is 2 where the activation is "logistic", else 6 (Glorot and Bengio, AISTATS 2010).

    Args:
        sizes: the features, the units of the hidden layers and those of the output.
        functions: the activation of each hidden layer; the output goes by the last of them.
        state: the generator.
        dtype: of the arrays.
    """
    coefs, intercepts = [], []
    ruling = [*functions, functions[-1] if functions else None]
    for (fan_in, fan_out), function in zip(pairwise(sizes), ruling, strict=True):
        factor = 2.0 if function in ("logistic", "sigmoid") else 6.0
        bound = np.sqrt(factor / (fan_in + fan_out))
        coefs.append(state.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype, copy=False))
        intercepts.append(state.uniform(-bound, bound, fan_out).astype(dtype, copy=False))
    return coefs, intercepts


def activation_of(function: Any) -> Callable[..., Any]:
    """Return the activation that scikit-learn's name, a name of fastgd or a function means.

    Raises:
        ValueError: for an unknown name.
    """
    return activations.get(_ACTIVATIONS.get(function, function) if isinstance(function, str) else function)


def hidden_sizes(value: Any) -> tuple[int, ...]:
    """Return `hidden_layer_sizes` as a tuple.

    Raises:
        ValueError: if a size is not positive.
    """
    sizes = list(value) if hasattr(value, "__iter__") else [value]
    if any(isinstance(size, bool) or not hasattr(size, "__index__") or size <= 0 for size in sizes):
        raise invalid("`hidden_layer_sizes` must be integers > 0.", hidden_layer_sizes=value)
    return tuple(int(size) for size in sizes)


def per_layer(name: str, value: Any, count: int) -> tuple[Any, ...]:
    """Return one entry per hidden layer of an argument that is one for all or a list.

    Raises:
        ValueError: for a list of another length.
    """
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return (value,) * count
    if len(value) != count:
        raise invalid(f"`{name}` must have one entry per hidden layer, {count}.", **{name: value})
    return tuple(value)


def dropout_rates(value: Any, count: int) -> tuple[float, ...]:
    """Return the share of each hidden layer that dropout silences.

    Raises:
        ValueError: if one is not from 0 to below 1.
    """
    rates = tuple(check_real("dropout", rate, 0.0) for rate in per_layer("dropout", value, count))
    if any(rate >= 1 for rate in rates):
        raise invalid("`dropout` must be below 1.", dropout=value)
    return rates


def scikit_penalty(alpha: float, mean_weight: float, divisor: int | None) -> Penalty:
    """Return the penalty `alpha / 2 sum w^2 / s`, s the sum of the sample weights of a batch.

    Args:
        alpha: the strength.
        mean_weight: the mean weight of a sample, which stands for that of a batch.
        divisor: the rows of every batch; None where batches differ.
    """
    factor = 0.5 * alpha / mean_weight
    return Penalty(l2=factor, by_rows=True) if divisor is None else Penalty(l2=factor / divisor)
