"""Dead ReLUs: a unit that no image switches on gets no gradient, so it stays off for good.

relu(z) = max(z, 0) has the slope 0 below 0. A large step, or a bias that begins far below 0, can bring a unit to where
its z is negative for all training images. LeakyReLU has a small slope there (0.2), along which such a unit can
come back. The example counts the units of two hidden layers whose z is above 0 for no training image.

The picture: the share of such units and the accuracy on the training images, against the rate of the first epoch, after
which all go on with 0.05 (above), and against the bias that the hidden layers begin with (below). Where a curve ends,
the loss was not finite: dead units learn nothing, but they do not blow up either.

    python examples/dead_relus.py --plot dead_relus.png
"""

import numpy as np
from shared import figure_class, load_digits, read_arguments, save, show_table

import fastgd

RATES = (0.05, 0.1, 0.3, 0.6, 0.8, 1.0, 2.0)
BIASES = (0.0, -0.5, -1.0, -1.5, -2.0, -3.0)
KINDS = {
    "ReLU": (fastgd.layers.ReLU, "o-", "#0072B2"),
    "LeakyReLU": (lambda: fastgd.layers.LeakyReLU(0.2), "s--", "#D55E00"),
}


def train(kind, rate, bias, epochs):
    """Train one epoch with a rate, the others with 0.05; return the share of units that are off, and the accuracy."""
    (x, y), _ = load_digits()
    fastgd.utils.set_random_seed(1)
    start = fastgd.initializers.Constant(bias)
    image = fastgd.Input((64,))
    first = fastgd.layers.Dense(64, bias_initializer=start)(image)
    second = fastgd.layers.Dense(64, bias_initializer=start)(KINDS[kind][0]()(first))
    digit = fastgd.layers.Dense(10, "softmax")(KINDS[kind][0]()(second))
    model = fastgd.Model(image, digit)
    schedule = fastgd.optimizers.schedules.PiecewiseConstantDecay([45], [rate, 0.05])
    model.compile(fastgd.optimizers.SGD(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    losses = model.fit(x, y, batch_size=32, epochs=epochs, verbose=0).history["loss"]
    if not np.isfinite(losses[-1]):
        return np.nan, np.nan
    before_activation = np.hstack(fastgd.Model(image, [first, second]).predict(x, verbose=0))
    off = ~(before_activation > 0).any(axis=0)
    return 100 * off.mean(), 100 * model.evaluate(x, y, verbose=0)[1]


def main():
    args = read_arguments(__doc__, epochs=20)
    sweeps = {
        "rate of epoch 1": {rate: {kind: train(kind, rate, 0.0, args.epochs) for kind in KINDS} for rate in RATES},
        "first bias": {bias: {kind: train(kind, 0.05, bias, args.epochs) for kind in KINDS} for bias in BIASES},
    }
    for name, runs in sweeps.items():
        rows = [(f"{value:g}", *(number for kind in KINDS for number in run[kind])) for value, run in runs.items()]
        show_table([name, *(f"{kind}: {what}, %" for kind in KINDS for what in ("off", "accuracy"))], rows)

    if args.plot:
        figure = figure_class()(figsize=(10, 7), layout="constrained")
        figure.suptitle("Units that no training image switches on")
        for row, (name, runs) in zip(figure.subplots(2, 2), sweeps.items(), strict=True):
            for k, (axis, what) in enumerate(zip(row, ("units that are off (%)", "accuracy (%)"), strict=True)):
                for kind, (_, style, colour) in KINDS.items():
                    values = [run[kind][k] for run in runs.values()]
                    axis.plot(list(runs), values, style, color=colour, label=kind)
                axis.set(xlabel=name, ylabel=what, ylim=(-4, 124 - 20 * k))
                axis.grid(color="0.92")
                axis.legend(loc="lower left" if k else "upper left")
            if name == "rate of epoch 1":
                for axis in row:
                    axis.set_xscale("log")
            else:
                for axis in row:
                    axis.invert_xaxis()
        save(figure, args.plot)


if __name__ == "__main__":
    main()
