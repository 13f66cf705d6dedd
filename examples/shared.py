"""What several examples need: their arguments, data as rows, a loss of two weights, tables and pictures."""

import argparse
import os
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

import fastgd

# Of Okabe and Ito's palette, which most people who confuse colours can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def read_arguments(text, epochs, **switches):
    """Return the arguments of an example: `epochs`, `quick`, `plot`, the file for its picture, and the `switches`."""
    parser = argparse.ArgumentParser(description=text.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=epochs, help="how often to go through the data (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="two epochs, to see it run")
    parser.add_argument("--plot", metavar="FILE", help="draw the picture into a .png, .svg or .pdf")
    for name, meaning in switches.items():
        parser.add_argument(f"--{name}", action="store_true", help=meaning)
    args = parser.parse_args()
    args.quick = args.quick or os.environ.get("FASTGD_SMOKE") == "1"
    if args.quick:
        args.epochs = min(args.epochs, 2)
    if args.plot:
        # Better told now than after the training.
        figure_class(parser)
    fastgd.utils.set_random_seed(0)
    return args


def find_data(name):
    """Return a folder of the data sets: in the one that FASTGD_DATA names, or in shared/data beside the checkout.

    None if there is none.
    """
    roots = [os.environ.get("FASTGD_DATA"), Path(__file__).resolve().parents[2] / "shared" / "data"]
    folders = [Path(root) / name for root in roots if root]
    return next((folder for folder in folders if folder.is_dir()), None)


def load_images():
    """Return MNIST or, without its files, the digits that come with fastgd, enlarged: uint8 images (n, 28, 28, 1)."""
    folder = find_data("mnist")
    if folder is not None:
        (x_train, y_train), (x_test, y_test) = fastgd.datasets.mnist.load_data(folder)
        return (x_train[..., None], y_train), (x_test[..., None], y_test)
    print("FASTGD_DATA names no folder that holds mnist/: enlarged images of 8 x 8 pixels instead")
    larger = np.ones((1, 3, 3))
    return tuple(
        (np.pad(np.kron(x * 15.9, larger), ((0, 0), (2, 2), (2, 2))).astype("uint8")[..., None], y)
        for x, y in fastgd.datasets.digits.load_data()
    )


def load_digits():
    """Return the digits as rows of 64 numbers from 0 to 1: (x_train, y_train), (x_test, y_test)."""
    (x_train, y_train), (x_test, y_test) = fastgd.datasets.digits.load_data()
    return (x_train.reshape(-1, 64) / 16, y_train), (x_test.reshape(-1, 64) / 16, y_test)


def load_bundled(name):
    """Return x, y and the names of the columns of a set of scikit-learn; where it is missing say so and return None."""
    try:
        from sklearn import datasets
    except ImportError:
        print(f"on digits: the {name.replace('_', ' ')} data need scikit-learn (pip install 'fastgd[examples]')")
        return None
    bundled = getattr(datasets, f"load_{name}")()
    return bundled.data, bundled.target, list(bundled.feature_names)


def zeros_and_ones():
    """Return the ink in the four middle pixels, from 0 to 1, of all zeros and ones, and which digit each is."""
    (x, y), _ = fastgd.datasets.digits.load_data()
    chosen = y < 2
    return x[chosen, 3:5, 3:5].mean(axis=(1, 2))[:, None] / 16, y[chosen].astype("float64")


def descend(optimizer, epochs):
    """Fit digit = slope * ink + intercept with full batches; return the points (slope, intercept) and their losses."""
    x, t = zeros_and_ones()
    model = fastgd.Sequential([fastgd.Input((1,), dtype="float64"), fastgd.layers.Dense(1)])
    model.compile(optimizer, "mse")
    model.flat_parameters = [0.2, 2.0]
    points = [model.flat_parameters]
    note = fastgd.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: points.append(model.flat_parameters))
    model.fit(x, t, batch_size=len(x), epochs=epochs, verbose=0, callbacks=[note])
    slope, intercept = np.array(points).T
    return np.array(points), np.mean((slope * x + intercept - t[:, None]) ** 2, axis=0)


def draw_valley(axis):
    """Draw the loss of `descend` as contours over its two weights, with its lowest point."""
    x, t = zeros_and_ones()
    slope, intercept = np.meshgrid(np.linspace(-1.6, 2.4, 120), np.linspace(-1.2, 2.2, 120))
    loss = sum((slope * a + intercept - b) ** 2 for a, b in zip(x[:, 0], t, strict=True)) / len(x)
    levels = np.geomspace(loss.min() * 1.05, loss.max(), 16)
    axis.contour(slope, intercept, loss, levels, colors="0.75", linewidths=0.8, zorder=0)
    best = np.linalg.lstsq(np.hstack([x, np.ones_like(x)]), t, rcond=None)[0]
    axis.plot(*best, "*", color="black", markersize=12, label="lowest point", zorder=5)
    axis.set(xlabel="slope", ylabel="intercept", xlim=(-1.6, 2.4), ylim=(-1.2, 2.2))


def figure_class(parser=None):
    """Return matplotlib's class of figures; without matplotlib, end with what to install."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        message = "--plot needs matplotlib: pip install 'fastgd[plot]'"
        raise SystemExit(message) if parser is None else parser.error(message) from None
    return Figure


def new_figure(panels, title):
    """Return a figure and its panels, side by side."""
    figure = figure_class()(figsize=(5.2 * panels, 4.4), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for axis in axes:
        axis.set_prop_cycle(color=COLOURS)
        axis.grid(color="0.92")
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def tile(images, columns, padding=1):
    """Return images (n, height, width) as one, `columns` beside each other, with space between them; nan is space."""
    images = np.pad(np.asarray(images, "float64"), ((0, 0), *[(padding, padding)] * 2), constant_values=np.nan)
    missing = -len(images) % columns
    images = np.concatenate([images, np.full((missing, *images.shape[1:]), np.nan)])
    height, width = images.shape[1:]
    rows = images.reshape(-1, columns, height, width).transpose(0, 2, 1, 3)
    return rows.reshape(-1, columns * width)


def show_images(axis, images, columns, **options):
    """Draw images (n, height, width) in rows of `columns`, dark on white."""
    axis.imshow(tile(images, columns), **{"cmap": "gray_r", **options})
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)


def save(figure, path):
    """Write a figure."""
    figure.savefig(path, dpi=110)
    print(f"picture: {path}")


def show_table(columns, rows):
    """Print a table: texts to the left, numbers to the right."""
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*(value if isinstance(value, str) else f"{value:.4g}" for value in row))
    Console().print(table)
