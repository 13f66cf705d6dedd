"""The solver "lbfgs": SciPy's L-BFGS-B over all weights as one vector, with loss and gradient from the engine."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from fastgd.callbacks import CallbackList
from fastgd.estimators.objective import Objective
from fastgd.estimators.rows import Rows
from fastgd.estimators.training import shown_loss
from fastgd.models.data import ArrayData
from fastgd.models.gradients import loss_and_gradient
from fastgd.models.model import Model

Array = npt.NDArray[Any]

# How many rows go through the network at a time, which bounds the memory.
_ROWS = 8192


@dataclass
class Limits:
    """When L-BFGS-B stops, under scikit-learn's names, and whether it prints each step."""

    max_iter: int
    max_fun: int
    tol: float
    ftol: float
    verbose: Any = False


def minimise(
    model: Model, objective: Objective, rows: Rows, limits: Limits, callbacks: Any = None
) -> tuple[float, int, list[float]]:
    """Minimise the loss over all rows; the weights of the model become the best that were found.

    Args:
        model: the model, compiled with a loss that is a sum over rows divided by their number.
        objective: what is minimised.
        rows: the rows.
        limits: when to stop.
        callbacks: callbacks of fastgd; each iteration is an epoch to them.

    Returns:
        The loss at the end, the number of iterations, and the loss after each.
    """
    assert rows.targets is not None
    objectives = model._ready("fit")
    constant = objective.constant(rows.targets, rows.weights)
    given = list(callbacks or ())
    listeners = CallbackList(given, model=model, verbose=0, epochs=limits.max_iter, steps=None)
    curve: list[float] = []
    shown = np.nan
    begun = 0
    model.stop_training = False

    # SciPy's own vectors are short: threads of BLAS, which spin between its calls, would only be in the engine's way.
    with model._gradient_engine(rows) as engine, threadpool_limits(1, "blas"):  # type: ignore[arg-type]

        def compute(vector: Array) -> tuple[float, Array]:
            nonlocal shown
            model.flat_parameters = vector
            loss, seen, gradient = 0.0, 0.0, np.zeros(len(vector))
            for feeds in rows.parts():
                share = feeds.rows / rows.count
                part, slope = loss_and_gradient(model, engine, objectives, ArrayData(model, feeds, _ROWS))
                loss += share * part
                seen += share * shown_loss(engine, objective)
                gradient += share * slope
            shown = seen + constant
            return loss, gradient

        def search(vector: Array) -> tuple[float, Array]:
            nonlocal begun
            if begun == len(curve):
                # The first evaluation since the last iteration ended.
                listeners.on_epoch_begin(begun)
                begun += 1
            return compute(vector)

        def step(vector: Array) -> None:
            # The line search ends where it evaluated last.
            curve.append(shown)
            if limits.verbose:
                print(f"Iteration {len(curve)}, loss = {shown:.8f}")
            kept[...] = vector
            listeners.on_epoch_end(len(curve) - 1, {"loss": shown})
            if model.stop_training:
                raise StopIteration

        kept = model.flat_parameters.astype(np.float64)
        listeners.on_train_begin()
        iterations = 0
        try:
            result = minimize(
                search,
                kept.copy(),
                method="L-BFGS-B",
                jac=True,
                callback=step,
                options={"maxfun": limits.max_fun, "maxiter": limits.max_iter, "gtol": limits.tol, "ftol": limits.ftol},
            )
            kept = result.x
            iterations = min(int(result.nit), limits.max_iter)
            if result.status != 0 and not model.stop_training:
                warnings.warn(f"lbfgs did not converge: {_text(result.message)}.", ConvergenceWarning, stacklevel=5)
        except KeyboardInterrupt:
            iterations = len(curve)
            warnings.warn("Training interrupted by user.", stacklevel=5)
        if np.isfinite(kept).all():
            compute(kept)
        else:
            model.flat_parameters = kept
        listeners.on_train_end({"loss": shown})
    for callback in given:
        callback.set_model(None)
    return shown, iterations, curve


def _text(message: Any) -> str:
    return message.decode() if isinstance(message, bytes) else str(message)
