"""What the tests of the estimators share: some data. Where scikit-learn is absent there are no tests."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

collect_ignore_glob = [] if importlib.util.find_spec("sklearn") else ["test_*.py"]


@pytest.fixture(scope="session")
def digits() -> tuple[Any, Any]:
    """Return 400 digits of ten classes, from 0 to 1."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X[:400] / 16, y[:400]


@pytest.fixture
def numbers() -> tuple[Any, Any]:
    """Return rows and targets that hang on them nearly linearly."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(120, 6))
    return X, X @ rng.normal(size=6) + 0.1 * rng.normal(size=120)
