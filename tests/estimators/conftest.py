"""What the tests of the estimators share: some data; without scikit-learn they are skipped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")


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
