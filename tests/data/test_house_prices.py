"""House prices: full-batch gradient descent in float64 finds the least-squares line that NumPy finds in closed form."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from fastgd import runtime

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def columns(data_folder: Path) -> tuple[Array, Array]:
    """Return the area of each lot and the price of the house."""
    path = data_folder / "house_prices" / "train.csv"
    if not path.is_file():
        pytest.skip(f"no file house_prices/train.csv in {data_folder}")
    with path.open(newline="", encoding="utf-8") as file:
        rows = [(float(row["LotArea"]), float(row["SalePrice"])) for row in csv.DictReader(file)]
    area, price = np.array(rows).T
    return area, price


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_descent_finds_the_least_squares_line(columns: tuple[Array, Array], backend: str, momentum: float) -> None:
    area, price = columns
    assert len(area) == 1460
    x = (area - area.mean()) / area.std()
    t = (price - price.mean()) / price.std()
    with fastgd.backend(backend):
        model = fastgd.Sequential([fastgd.Input((1,), dtype="float64"), fastgd.layers.Dense(1)])
        model.compile(fastgd.optimizers.SGD(0.2, momentum=momentum), "mse")
        history = model.fit(x, t, batch_size=len(x), epochs=100, verbose=0).history["loss"]
        line = model.predict(x[:50], verbose=0)[:, 0] * price.std() + price.mean()
    assert history[-1] < history[0]
    (kernel,), (bias,) = model.get_weights()
    slope = kernel[0] * price.std() / area.std()
    intercept = bias * price.std() + price.mean() - slope * area.mean()
    expected = np.polyfit(area, price, 1)
    np.testing.assert_allclose([slope, intercept], expected, rtol=tolerances.LEAST_SQUARES, atol=0)
    np.testing.assert_allclose(line, np.polyval(expected, area[:50]), rtol=tolerances.LEAST_SQUARES, atol=0)
    # The residual variance that is left is 1 - r^2.
    assert abs(history[-1] - (1 - np.corrcoef(area, price)[0, 1] ** 2)) <= tolerances.LEAST_SQUARES
