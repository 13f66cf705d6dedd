"""Every public estimator passes all of scikit-learn's checks."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import check_estimator

import fastgd
from fastgd import estimators

pytestmark = pytest.mark.filterwarnings("ignore")


def network(n_features_in: int, n_outputs: int, last: str | None = None) -> Any:
    dense = fastgd.layers.Dense
    entrance = fastgd.Input((n_features_in,), dtype="float64")
    return fastgd.Sequential([entrance, dense(8, "tanh"), dense(n_outputs, last)])


def classifying_network(n_features_in: int, n_outputs: int) -> Any:
    return network(n_features_in, n_outputs, "sigmoid" if n_outputs == 1 else "softmax")


QUICK: dict[str, Any] = {"learning_rate_init": 0.05, "max_iter": 30}

INSTANCES = [
    estimators.MLPClassifier((8,), **QUICK),
    estimators.MLPRegressor(hidden_layer_sizes=(8,), **QUICK),
    estimators.SGDClassifier(max_iter=30, eta0=0.1),
    estimators.SGDRegressor(max_iter=30, eta0=0.1),
    estimators.LogisticRegression(max_iter=20),
    estimators.NeuralClassifier(classifying_network, **QUICK),
    estimators.NeuralRegressor(network, **QUICK),
]


def name_of(estimator: Any) -> str:
    return f"{type(estimator).__name__}-{getattr(estimator, 'solver', '')}"


@pytest.mark.parametrize("estimator", INSTANCES, ids=name_of)
def test_no_check_fails(estimator: Any) -> None:
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    assert len(results) > 50
    assert [(r["check_name"], r["exception"]) for r in results if r["status"] not in ("passed", "skipped")] == []


def test_every_estimator_is_checked() -> None:
    assert {type(estimator).__name__ for estimator in INSTANCES} == set(estimators.__all__)
