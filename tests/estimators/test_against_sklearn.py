"""The same arguments give the same network, to rounding, as in scikit-learn where no order of rows is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn import linear_model, neural_network
from sklearn.datasets import load_digits
from sklearn.utils.fixes import parse_version

from fastgd import estimators

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.skipif(parse_version(sklearn.__version__) < parse_version("1.9"), reason="its semantics are older"),
]

X, LABELS = load_digits(return_X_y=True)
X, LABELS = X[:330] / 16, LABELS[:330]
WEIGHTS = np.random.default_rng(0).integers(0, 4, len(X)).astype(float)

TARGETS = {
    "binary": LABELS == 3,
    "multiclass": LABELS,
    "multilabel": (X[:, 20:23] > 0.5).astype(int),
}

SETTINGS: list[dict[str, Any]] = [
    {"solver": "adam", "batch_size": 330},
    {"solver": "sgd", "batch_size": 330, "momentum": 0, "activation": "logistic"},
    # Batches of 100 and a last one of 30, whose penalty is divided by another number.
    {"solver": "sgd", "batch_size": 100, "alpha": 1.0, "learning_rate": "invscaling", "learning_rate_init": 0.2},
    {"solver": "sgd", "batch_size": 110, "alpha": 1.0, "nesterovs_momentum": False, "activation": "identity"},
    {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.5, "n_iter_no_change": 1, "tol": 0.5},
    {"solver": "adam", "batch_size": 50, "hidden_layer_sizes": (7, 5), "activation": "tanh", "epsilon": 1e-3},
    {"solver": "lbfgs", "alpha": 0.5, "max_iter": 6},
]


def assert_equal_fits(own: Any, other: Any, x: Any, y: Any, weights: Any = None, tolerance: float = 1e-9) -> None:
    own.fit(x, y, weights)
    other.fit(x, y, weights)
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(own, name), getattr(other, name), strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    if hasattr(other, "loss_curve_"):
        np.testing.assert_allclose(own.loss_curve_, other.loss_curve_, rtol=tolerance)
        assert (own.best_loss_ or 0) == pytest.approx(other.best_loss_ or 0, rel=tolerance)
    if own.solver == "sgd":
        assert own._optimizer.learning_rate == pytest.approx(other._optimizer.learning_rate)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(own, name) == getattr(other, name), name
    np.testing.assert_allclose(own.predict(x), other.predict(x), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: "-".join(map(str, s.values())))
def test_classifiers_agree(settings: dict[str, Any]) -> None:
    arguments = {"hidden_layer_sizes": (9,), "max_iter": 8, "shuffle": False, "random_state": 3, **settings}
    for y in TARGETS.values():
        own, other = estimators.MLPClassifier(**arguments), neural_network.MLPClassifier(**arguments)
        assert_equal_fits(own, other, X, y, tolerance=1e-6 if settings["solver"] == "lbfgs" else 1e-9)
        np.testing.assert_allclose(own.predict_proba(X), other.predict_proba(X), rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(own.classes_, other.classes_)


@pytest.mark.parametrize("settings", SETTINGS[:-1], ids=lambda s: "-".join(map(str, s.values())))
def test_regressors_agree(settings: dict[str, Any]) -> None:
    arguments = {"hidden_layer_sizes": (9,), "max_iter": 8, "shuffle": False, "random_state": 3, **settings}
    for y in (LABELS / 9, X[:, 30:33]):
        own, other = estimators.MLPRegressor(**arguments), neural_network.MLPRegressor(**arguments)
        assert_equal_fits(own, other, X, y)
    # Poisson's loss adds 1e-7 to predictions, as Keras' does.
    own, other = estimators.MLPRegressor("poisson", **arguments), neural_network.MLPRegressor("poisson", **arguments)
    if settings.get("learning_rate") != "adaptive":
        assert_equal_fits(own, other, X, LABELS / 9, tolerance=1e-4)


def test_weighted_fits_agree() -> None:
    arguments: dict[str, Any] = {"hidden_layer_sizes": (9,), "batch_size": 330, "max_iter": 8, "random_state": 3}
    for solver in ("adam", "lbfgs"):
        own = estimators.MLPClassifier(solver=solver, alpha=0.3, **arguments)
        other = neural_network.MLPClassifier(solver=solver, alpha=0.3, **arguments)
        assert_equal_fits(own, other, X, LABELS, WEIGHTS, 1e-6 if solver == "lbfgs" else 1e-9)
        own = estimators.MLPRegressor(solver=solver, alpha=0.3, **arguments)
        other = neural_network.MLPRegressor(solver=solver, alpha=0.3, **arguments)
        assert_equal_fits(own, other, X, LABELS / 9, WEIGHTS, 1e-6 if solver == "lbfgs" else 1e-9)


def test_warm_starts_and_partial_fits_agree() -> None:
    arguments: dict[str, Any] = {"hidden_layer_sizes": (9,), "batch_size": 330, "max_iter": 3, "random_state": 3}
    pair = (estimators.MLPClassifier(**arguments), neural_network.MLPClassifier(**arguments))
    for estimator in pair:
        for _ in range(4):
            estimator.partial_fit(X, LABELS, classes=np.arange(10))
    np.testing.assert_allclose(pair[0].coefs_[0], pair[1].coefs_[0], atol=1e-12)
    np.testing.assert_allclose(pair[0].loss_curve_, pair[1].loss_curve_)
    pair = (estimators.MLPClassifier(**arguments), neural_network.MLPClassifier(**arguments))
    for estimator in pair:
        estimator.set_params(warm_start=True, solver="sgd", momentum=0, max_iter=2)
        estimator.fit(X, LABELS).fit(X, LABELS)
    np.testing.assert_allclose(pair[0].coefs_[0], pair[1].coefs_[0], atol=1e-12)
    np.testing.assert_allclose(pair[0].loss_curve_, pair[1].loss_curve_)


def test_early_stopping_agrees() -> None:
    arguments: dict[str, Any] = {
        "hidden_layer_sizes": (9,), "batch_size": 297, "shuffle": False, "early_stopping": True, "max_iter": 40,
        "solver": "sgd", "n_iter_no_change": 2, "learning_rate_init": 0.3, "tol": 0.02, "random_state": 1,
    }  # fmt: skip
    for kind, y in (("Classifier", LABELS == 3), ("Regressor", LABELS / 9)):
        own = getattr(estimators, f"MLP{kind}")(**arguments)
        other = getattr(neural_network, f"MLP{kind}")(**arguments)
        assert_equal_fits(own, other, X, y)
        np.testing.assert_allclose(own.validation_scores_, other.validation_scores_)
        assert own.best_validation_score_ == pytest.approx(other.best_validation_score_)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_logistic_regression_agrees(kind: str) -> None:
    for C, intercept, weights in ((0.1, True, WEIGHTS), (2.0, False, None)):
        arguments: dict[str, Any] = {"C": C, "fit_intercept": intercept, "tol": 1e-8, "max_iter": 500}
        own = estimators.LogisticRegression(class_weight="balanced", **arguments)
        other = linear_model.LogisticRegression(class_weight="balanced", **arguments)
        own.fit(X, TARGETS[kind], weights)
        other.fit(X, TARGETS[kind], weights)
        np.testing.assert_allclose(own.coef_, other.coef_, atol=2e-5)
        np.testing.assert_allclose(own.intercept_, other.intercept_, atol=2e-5)
        np.testing.assert_allclose(own.predict_proba(X), other.predict_proba(X), atol=1e-5)
        np.testing.assert_allclose(own.decision_function(X), other.decision_function(X), atol=1e-4)


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "perceptron", "modified_huber", "log_loss"])
def test_linear_classifiers_minimise_what_sklearn_does(loss: str) -> None:
    # Each class against all others is a problem of its own: an optimum here is a point where scikit-learn's objective,
    # written out, does not fall in any direction.
    alpha = 0.05
    own = estimators.SGDClassifier(loss, alpha=alpha, solver="lbfgs", max_iter=200, tol=1e-6).fit(X, LABELS)
    assert own.coef_.shape == (10, 64) and own.intercept_.shape == (10,)

    def objective(w: Any, b: Any) -> float:
        scores = (np.where(LABELS[:, None] == np.arange(10), 1, -1)) * (X @ w.T + b)
        values = {
            "hinge": np.maximum(0, 1 - scores),
            "squared_hinge": np.maximum(0, 1 - scores) ** 2,
            "perceptron": np.maximum(0, -scores),
            "modified_huber": np.where(scores >= -1, np.maximum(0, 1 - scores) ** 2, -4 * scores),
            "log_loss": np.log1p(np.exp(-scores)),
        }[loss]
        return float(values.mean(axis=0).sum() + 0.5 * alpha * np.sum(w**2))

    best = objective(own.coef_, own.intercept_)
    assert own.loss_ == pytest.approx(best)
    rng = np.random.default_rng(2)
    for _ in range(10):
        step = 0.1 * rng.normal(size=own.coef_.shape)
        assert objective(own.coef_ + step, own.intercept_) > best


def test_linear_regressors_agree() -> None:
    y = LABELS / 9
    own = estimators.SGDRegressor(alpha=0.1, solver="lbfgs", tol=1e-9, max_iter=500).fit(X, y)
    ridge = linear_model.Ridge(alpha=0.1 * len(X)).fit(X, y)
    np.testing.assert_allclose(own.coef_, ridge.coef_, atol=1e-4)
    assert own.intercept_[0] == pytest.approx(ridge.intercept_, abs=1e-4)
    for loss, value in (
        ("huber", lambda r: np.where(r < 0.2, 0.5 * r**2, 0.2 * (r - 0.1))),
        ("epsilon_insensitive", lambda r: np.maximum(0, r - 0.2)),
        ("squared_epsilon_insensitive", lambda r: np.maximum(0, r - 0.2) ** 2),
    ):
        own = estimators.SGDRegressor(loss, penalty=None, epsilon=0.2, max_iter=1, random_state=0).fit(X, y)
        # The first epoch is two batches: of 200 rows before any update, and of the rest after one.
        whole = estimators.SGDRegressor(loss, penalty=None, epsilon=0.2, max_iter=1, batch_size=330).fit(X, y)
        assert whole.loss_ == pytest.approx(float(value(np.abs(y)).mean()))
        assert own.loss_ < whole.loss_
