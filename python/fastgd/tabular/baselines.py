"""What a network must beat: the mean or the most frequent class, a linear model, scikit-learn's own network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgd.tabular.network import LARGE_BATCH, MANY_ROWS, SMALL_BATCH, NetworkSettings
from fastgd.utils.extras import import_extra

Array = NDArray[Any]
BASELINES = ("constant", "linear", "mlp")
# The penalties that ridge regression chooses from, by leaving one row out.
_PENALTIES = np.logspace(-2, 4, 13)
_LINEAR_STEPS = 1000


def fit_baseline(
    name: str, x: Array, y: Array, test: Array, settings: NetworkSettings, balanced: bool, seed: int
) -> tuple[str, Array]:
    """Fit a model of scikit-learn to the same features and return what to call it and its outputs for `test`.

    Args:
        name: "constant", "linear" or "mlp".
        x, y: the features and encoded targets of training: class numbers, or scaled numbers.
        test: the features to predict for.
        settings: those of the networks, of which "mlp" takes what it knows.
        balanced: whether each class weighs as much as any other; "constant" and "mlp" have no weights.
        seed: that of "mlp".
    """
    is_class = y.dtype.kind == "i"
    if name == "constant":
        label = "most frequent class" if is_class else "mean"
        shares = np.bincount(y) / len(y) if is_class else np.array([y.mean()])
        return label, np.tile(shares, (len(test), 1))
    if name == "linear":
        linear = import_extra("sklearn.linear_model", "tabular", "The linear baseline")
        if not is_class:
            return "ridge regression", linear.RidgeCV(_PENALTIES).fit(x, y).predict(test)
        weight = "balanced" if balanced else None
        model = linear.LogisticRegression(max_iter=_LINEAR_STEPS, class_weight=weight)
        return "logistic regression", _fit_quietly(model, x, y).predict_proba(test)
    networks = import_extra("sklearn.neural_network", "tabular", "The baseline mlp")
    cls = networks.MLPClassifier if is_class else networks.MLPRegressor
    model = cls(
        hidden_layer_sizes=settings.hidden,
        batch_size=min(len(x), settings.batch_size or (LARGE_BATCH if len(x) >= MANY_ROWS else SMALL_BATCH)),
        learning_rate_init=1e-3 if settings.learning_rate is None else settings.learning_rate,
        max_iter=settings.epochs,
        early_stopping=settings.validation > 0,
        validation_fraction=settings.validation or 0.1,
        n_iter_no_change=settings.patience,
        random_state=seed,
    )
    fitted = _fit_quietly(model, x, y)
    return "scikit-learn's MLP", fitted.predict_proba(test) if is_class else fitted.predict(test)


def _fit_quietly(model: Any, x: Array, y: Array) -> Any:
    import warnings

    # That the most steps were reached is no news about a baseline.
    warning = import_extra("sklearn.exceptions", "tabular", "Fitting baselines").ConvergenceWarning
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", warning)
        return model.fit(x, y)
