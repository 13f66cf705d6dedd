"""Estimators for scikit-learn's pipelines and searches, trained by the native engine; the extra `sklearn`."""

from __future__ import annotations

try:
    import sklearn as _sklearn  # noqa: F401 - a message of our own if it is absent
except ImportError as _error:
    raise ImportError("fastgd.estimators needs scikit-learn: pip install 'fastgd[sklearn]'.") from _error

from fastgd.estimators.linear import SGDClassifier, SGDRegressor
from fastgd.estimators.logistic import LogisticRegression
from fastgd.estimators.mlp import MLPClassifier, MLPRegressor
from fastgd.estimators.neural import NeuralClassifier, NeuralRegressor

__all__ = [
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "NeuralClassifier",
    "NeuralRegressor",
    "SGDClassifier",
    "SGDRegressor",
]
