"""SGDClassifier, SGDRegressor and LogisticRegression beyond what they share with scikit-learn's."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import r2_score

from fastgd.estimators import LogisticRegression, SGDClassifier, SGDRegressor
from fastgd.estimators.regressor import mean_r2

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_classifiers_learn_with_every_loss(digits: Any) -> None:
    X, y = digits
    for loss in ("hinge", "squared_hinge", "perceptron", "modified_huber", "log_loss"):
        for targets in (y, y > 4):
            model = SGDClassifier(loss, max_iter=60, eta0=0.05, random_state=0).fit(X, targets)
            assert model.score(X, targets) > 0.85
            scores = model.decision_function(X)
            chosen = scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0).astype(int)
            np.testing.assert_array_equal(model.classes_[chosen], model.predict(X))
            assert hasattr(model, "predict_proba") == (loss in ("modified_huber", "log_loss"))
            if hasattr(model, "predict_proba"):
                np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_penalties_shrink_weights(numbers: Any) -> None:
    X, y = numbers
    y = y - y.mean() + 0.01 * X[:, 0]

    def weights(**arguments: Any) -> Any:
        return SGDRegressor(max_iter=400, tol=0, batch_size=120, random_state=0, **arguments).fit(X, y).coef_

    plain = weights(penalty=None)
    np.testing.assert_allclose(plain, np.linalg.lstsq(X, y - y.mean(), rcond=None)[0], atol=0.05)
    for penalty in ("l2", "l1", "elasticnet"):
        assert np.abs(weights(penalty=penalty, alpha=0.3)).sum() < 0.9 * np.abs(plain).sum()
    np.testing.assert_allclose(weights(penalty="elasticnet", l1_ratio=1.0, alpha=0.3), weights(penalty="l1", alpha=0.3))
    np.testing.assert_allclose(weights(penalty="elasticnet", l1_ratio=0.0, alpha=0.3), weights(alpha=0.3))


def test_partial_fits_pickles_and_intercepts(numbers: Any) -> None:
    X, y = numbers
    model = SGDRegressor(fit_intercept=False, learning_rate="invscaling", solver="sgd", eta0=0.1)
    for _ in range(30):
        model.partial_fit(X, y)
    assert model.coef_.shape == (6,) and model.intercept_.tolist() == [0.0]
    loaded = pickle.loads(pickle.dumps(model)).partial_fit(X, y)
    np.testing.assert_array_equal(loaded.coef_, model.partial_fit(X, y).coef_)
    two = SGDRegressor(max_iter=200, eta0=0.05).fit(X, np.c_[y, -y])
    assert two.coef_.shape == (2, 6) and two.score(X, np.c_[y, -y]) > 0.9


def test_logistic_regression_takes_optimizers_and_several_labels(digits: Any) -> None:
    X, y = digits
    exact = LogisticRegression(C=0.5, tol=1e-8, max_iter=500).fit(X, y)
    stepwise = LogisticRegression(C=0.5, solver="adam", max_iter=300, tol=0, batch_size=400, learning_rate_init=0.05)
    stepwise.fit(X, y)
    np.testing.assert_allclose(stepwise.predict_proba(X), exact.predict_proba(X), atol=0.02)
    sparse = LogisticRegression(C=0.5, l1_ratio=1.0, solver="adam", max_iter=300).fit(X, y)
    assert np.median(np.abs(sparse.coef_)) < 0.3 * np.median(np.abs(exact.coef_))
    labels = LogisticRegression().fit(X, np.c_[y > 4, y % 2 == 0].astype(int))
    assert labels.coef_.shape == (2, 64) and labels.predict_proba(X).shape == (400, 2)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (SGDClassifier("no such loss"), "`loss` is not a known loss.*hinge"),
        (SGDClassifier(penalty="l3"), "`penalty`"),
        (SGDClassifier(l1_ratio=2.0), "`l1_ratio`"),
        (LogisticRegression(C=0), "`C` must be a number above 0"),
        (LogisticRegression(l1_ratio=0.5), "`l1_ratio` above 0 needs an optimizer"),
    ],
)
def test_wrong_arguments_are_named(model: Any, words: str, digits: Any) -> None:
    with pytest.raises(ValueError, match=words):
        model.fit(*digits)


def test_r2_is_that_of_sklearn(numbers: Any) -> None:
    X, y = numbers
    rng = np.random.default_rng(0)
    targets = np.c_[y, X[:, 0], np.ones(120), np.ones(120)]
    predictions = targets + 0.3 * rng.normal(size=targets.shape) * [1, 1, 0, 1]
    for weights in (None, rng.random(120)):
        for t, p in ((targets, predictions), (y, predictions[:, 0])):
            assert mean_r2(t, p, weights) == pytest.approx(r2_score(t, p, sample_weight=weights))
    assert np.isnan(mean_r2(y[:1], y[:1], None))
