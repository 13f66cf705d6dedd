"""What an estimator minimises: the loss, the function of the last layer, and the numbers that scikit-learn reports."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from fastgd import losses
from fastgd.losses import Loss
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]

# Losses that read scores of any size; what they leave are no probabilities.
_OF_SCORES = ("Hinge", "SquaredHinge", "CategoricalHinge")


@dataclass(frozen=True)
class Objective:
    """A loss with what belongs to it.

    Attributes:
        loss: the loss of fastgd.
        activation: the function of the last layer by scikit-learn's name.
        units: the units of the last layer.
        scale: what the loss is multiplied by to be minimised.
        shown: what the loss is multiplied by in `loss_` and the curves.
        one_hot: whether the targets of several classes are rows; else they are numbers of classes.
        link: what makes probabilities of the outputs: "logistic", "softmax", "" if they are some already, or None if
            there is no way.
        deviance: whether the loss shown is the deviance, which is 0 for perfect predictions.
    """

    loss: Loss
    activation: str
    units: int
    scale: float = 1.0
    shown: float = 1.0
    one_hot: bool = True
    link: str | None = None
    deviance: bool = False

    def constant(self, targets: Array, weights: Array | None) -> float:
        """Return what the loss shown has besides `shown` times the loss of fastgd."""
        if not self.deviance:
            return 0.0
        rows = (xlogy(targets, targets) - targets).reshape(len(targets), -1).sum(axis=1)
        return float(np.average(rows, weights=weights))


def classification(loss: Any, kind: str, classes: int) -> Objective:
    """Return the objective of a classifier whose network is made for it.

    Args:
        loss: "log_loss", or a name or Loss of fastgd.
        kind: "binary", "multiclass" or "multilabel".
        classes: how many classes or labels there are.

    Raises:
        ValueError: for an unknown loss, or one of exclusive classes for several labels per sample.
    """
    single = 1 if kind == "binary" else classes
    if isinstance(loss, str) and loss == "log_loss":
        if kind == "multiclass":
            return Objective(losses.SparseCategoricalCrossentropy(), "softmax", classes, one_hot=False, link="")
        return Objective(losses.BinaryCrossentropy(), "logistic", single, float(single), float(single), link="")
    chosen = resolve_loss(loss)
    name = type(chosen).__name__
    exclusive = chosen.sparse or chosen.link == "softmax" or name.startswith("Categorical")
    if exclusive and kind == "multilabel":
        raise invalid("`loss` is for exclusive classes, and here a sample may have several labels.", loss=loss)
    units = max(classes, 2) if exclusive else single
    link = "softmax" if exclusive or kind == "multiclass" else "logistic"
    if name in _OF_SCORES:
        return Objective(chosen, "identity", units)
    if chosen.from_logits:
        return Objective(chosen, "identity", units, one_hot=not chosen.sparse, link=link)
    return Objective(chosen, link, units, one_hot=not chosen.sparse, link="")


def of_model(loss: Any, kind: str, classes: int, units: int) -> Objective:
    """Return the objective of a classifier around a model with so many outputs.

    Args:
        loss: None for the logarithmic loss, or a name or Loss of fastgd.
        kind: "binary", "multiclass" or "multilabel".
        classes: how many classes or labels there are.
        units: the size of the model's last axis.

    Raises:
        ValueError: if the model has another number of outputs than the classes want.
    """
    wanted = (1, 2) if kind == "binary" else (classes,)
    if units not in wanted:
        raise invalid(f"`model` must have {' or '.join(map(str, wanted))} outputs for {classes} classes.", units=units)
    single = units == 1 or kind == "multilabel"
    if loss is None or (isinstance(loss, str) and loss == "log_loss"):
        loss = losses.BinaryCrossentropy() if single else losses.SparseCategoricalCrossentropy()
    chosen = resolve_loss(loss)
    link: str | None = ""
    if type(chosen).__name__ in _OF_SCORES:
        link = None
    elif chosen.from_logits:
        link = "logistic" if single else "softmax"
    return Objective(chosen, "", units, one_hot=not chosen.sparse, link=link)


def regression(loss: Any, outputs: int) -> Objective:
    """Return the objective of a regressor.

    Args:
        loss: "squared_error", half the squared error summed over the outputs; "poisson", half the deviance; or a name
            or Loss of fastgd.
        outputs: how many numbers a sample has.
    """
    if isinstance(loss, str) and loss == "squared_error":
        # The gradient is that of the sum over the outputs, the loss shown their mean, as in scikit-learn.
        return Objective(losses.MeanSquaredError(), "identity", outputs, 0.5 * outputs, 0.5)
    if isinstance(loss, str) and loss == "poisson":
        return Objective(losses.Poisson(), "exp", outputs, float(outputs), float(outputs), deviance=True)
    chosen = resolve_loss(loss)
    if chosen.sparse:
        raise invalid("`loss` must be one for numbers, not for classes.", loss=loss)
    return Objective(chosen, "exp" if isinstance(chosen, losses.Poisson) else "identity", outputs)


def resolve_loss(loss: Any) -> Loss:
    """Return the loss that a name, class or object means, as an object of its own.

    Raises:
        ValueError: if there is none.
    """
    found = losses.get(loss)
    if not isinstance(found, Loss):
        raise invalid("`loss` must be a name or an object of `fastgd.losses`.", loss=loss)
    return copy.copy(found)
