"""A convolutional network reads MNIST, with and without images moved and turned at random, and beside Keras.

Two convolutions of 3 x 3 with pooling, then a dense layer: the network of most introductions. The images stay bytes
and become numbers from 0 to 1 in the network, batch by batch. A second training sees every image a little moved and
turned, another way each time, so that the network cannot learn 8,000 images by heart. With `--keras` the same lines
build and train the network with Keras on TensorFlow as well (pip install keras tensorflow), and the times stand side
by side: whole trainings, with all that each library does in its first epoch.

The picture: accuracy on the held images after each epoch; the filters of the first layer, red above and blue below
zero; images that the last network gets wrong, each with what it is and what it was taken for.

    FASTGD_DATA=path/to/data python examples/convolutional_network.py --plot convolutional_network.png
"""

import os
import sys
import time
from functools import partial

import numpy as np
from shared import COLOURS, load_images, new_figure, read_arguments, save, show_images, show_table

import fastgd

WRONG_COLUMNS = 6


def make_network(keras, augmented):
    """Return the compiled network; `keras` is fastgd or Keras."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    moved = [layers.RandomTranslation(0.08, 0.08, "constant"), layers.RandomRotation(0.03, "constant")]
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            *(moved if augmented else []),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def import_keras():
    """Return Keras with TensorFlow behind it."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import keras
    except ImportError:
        raise SystemExit("--keras needs both: pip install keras tensorflow") from None
    return keras


def note_time(times, epoch, logs):
    """Add the time at the end of an epoch to a list."""
    times.append(time.perf_counter())


def main():
    args = read_arguments(__doc__, epochs=10, keras="train the same with Keras on TensorFlow as well")
    (x_train, y_train), held = load_images()
    if args.quick:
        x_train, y_train, held = x_train[:512], y_train[:512], tuple(array[:256] for array in held)
    print(f"{len(x_train)} images to train, {len(held[0])} held back; batches of 64")
    runs = {"fastgd": (fastgd, False), "fastgd, moved": (fastgd, True)}
    if args.keras:
        runs["Keras, TensorFlow"] = (import_keras(), False)

    rows, curves = [], {}
    for name, (keras, augmented) in runs.items():
        print(name)
        model = make_network(keras, augmented)
        if not curves:
            model.summary()
        ends = [time.perf_counter()]
        clock = keras.callbacks.LambdaCallback(on_epoch_end=partial(note_time, ends))
        bar = 1 if sys.stdout.isatty() else 2
        history = model.fit(x_train, y_train, 64, args.epochs, bar, [clock], validation_data=held).history
        curves[name] = 100 * np.array(history["val_accuracy"])
        passed = np.flatnonzero(curves[name] > 98)
        rows.append((name, history["loss"][-1], f"{curves[name][-1]:.2f}", str(passed[0] + 1) if passed.size else "",
                     ends[-1] - ends[0], ends[-1] - ends[-2]))  # fmt: skip
        if keras is fastgd:
            best = model
    show_table(["training", "loss", "held: accuracy, %", "past 98 % in epoch", "seconds", "last epoch"], rows)
    if args.plot:
        draw(args.plot, curves, best, *held)


def draw(path, curves, model, x, y):
    """Draw the curves, the filters and the wrong answers."""
    figure, (left, middle, right) = new_figure(3, "A convolutional network on handwritten digits")
    for colour, (name, accuracy) in zip(COLOURS, curves.items(), strict=False):
        left.plot(range(1, len(accuracy) + 1), accuracy, "o-", markersize=3, color=colour, label=name)
    left.set(xlabel="epoch", ylabel="accuracy on held images, %")
    left.legend()
    filters = model.layers[-7].get_weights()[0][:, :, 0].transpose(2, 0, 1)
    size = np.abs(filters).max()
    show_images(middle, filters, 8, cmap="RdBu_r", vmin=-size, vmax=size)
    middle.set_title("filters of the first layer")

    answers = model.predict(x, verbose=0).argmax(axis=1)
    wrong = np.flatnonzero(answers != y)
    shown = wrong[: 5 * WRONG_COLUMNS]
    right.set_title(f"{len(wrong)} of {len(y)} wrong")
    if shown.size:
        # Space above each image for what it is and what it was taken for.
        images = np.pad(x[shown, :, :, 0], ((0, 0), (9, 0), (0, 0)))
        show_images(right, images, WRONG_COLUMNS)
        for place, k in enumerate(shown):
            row, column = divmod(place, WRONG_COLUMNS)
            text = f"{y[k]}, not {answers[k]}"
            right.text(30 * column + 15, 39 * row + 6, text, fontsize=7, ha="center", color=COLOURS[1])
    save(figure, path)


if __name__ == "__main__":
    main()
