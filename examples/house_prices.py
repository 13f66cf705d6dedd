"""Linear regression of house prices by full-batch gradient descent, compared with the closed form to eight digits.

Needs house_prices/train.csv (columns LotArea and SalePrice) in the folder that FASTGD_DATA names, or in shared/data
beside the checkout; without it the example says so and ends.
"""

import csv
import sys

import numpy as np
from shared import find_data

import fastgd


def main() -> int:
    """Fit the line both ways and return 0 if they agree."""
    folder = find_data("house_prices")
    if folder is None:
        print("skipped: set FASTGD_DATA to a folder that holds house_prices/train.csv")
        return 0
    with (folder / "train.csv").open(newline="") as file:
        rows = [(float(row["LotArea"]), float(row["SalePrice"])) for row in csv.DictReader(file)]
    area, price = np.array(rows).T

    # With both columns standardised the mean squared error curves alike in both parameters (second derivative 2), so
    # each step with learning rate 0.1 leaves 0.8 of the distance, and 150 steps less than 1e-14 of it.
    x = ((area - area.mean()) / area.std())[:, None]
    y = ((price - price.mean()) / price.std())[:, None]
    model = fastgd.Sequential(
        [fastgd.Input(shape=(1,), dtype="float64"), fastgd.layers.Dense(1, dtype="float64")],
    )
    model.compile(optimizer=fastgd.optimizers.SGD(learning_rate=0.1), loss="mean_squared_error")
    model.fit(x, y, batch_size=len(x), epochs=150, verbose=0)

    kernel, bias = model.get_weights()
    slope = float(kernel[0, 0]) * price.std() / area.std()
    intercept = price.mean() + float(bias[0]) * price.std() - slope * area.mean()

    (true_intercept, true_slope), *_ = np.linalg.lstsq(np.stack([np.ones_like(area), area], axis=1), price, rcond=None)
    print(f"{len(area)} houses, SalePrice = intercept + slope * LotArea")
    print(f"gradient descent  intercept {intercept:.9g}  slope {slope:.12g}")
    print(f"closed form       intercept {true_intercept:.9g}  slope {true_slope:.12g}")
    agrees = bool(np.allclose([intercept, slope], [true_intercept, true_slope], rtol=1e-8, atol=0))
    print("they agree to eight digits" if agrees else "they differ")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
