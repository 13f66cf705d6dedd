"""MNIST with one hidden layer: 784-128-10, Adam, ten epochs.

Needs the IDX files in mnist/ of the folder that FASTGD_DATA names, or of shared/data beside the checkout; the t10k
files alone will do. Without them the example says so and ends.
"""

import os
import sys

from shared import find_data

import fastgd

# A short form for checks that only want to see it run.
SMOKE = os.environ.get("FASTGD_SMOKE") == "1"


def main() -> int:
    """Train and report the accuracy on the held part."""
    folder = find_data("mnist")
    if folder is None:
        print("skipped: set FASTGD_DATA to a folder that holds mnist/ with its IDX files")
        return 0
    (x_train, y_train), (x_test, y_test) = fastgd.datasets.mnist.load_data(folder)
    if SMOKE:
        x_train, y_train = x_train[:1000], y_train[:1000]

    fastgd.utils.set_random_seed(0)
    model = fastgd.Sequential(
        [
            fastgd.Input(shape=x_train.shape[1:]),
            fastgd.layers.Flatten(),
            fastgd.layers.Dense(128, activation="relu"),
            fastgd.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train / 255.0, y_train, epochs=1 if SMOKE else 10, batch_size=32, validation_split=0.1)
    _, accuracy = model.evaluate(x_test / 255.0, y_test, verbose=0)
    print(f"accuracy on {len(x_test)} held images: {100 * accuracy:.2f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
