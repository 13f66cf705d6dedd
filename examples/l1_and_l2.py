"""L1 and L2: both punish large weights, but only L1 makes weights vanish.

A linear regression tells how far diabetes will have progressed a year on from ten measurements of a patient, all of
them standardised, with a penalty on its weights: strength * sum |w| pulls each weight towards zero with the same force
however small it is, strength * sum w^2 pulls the less the smaller it is. So L1 drops one measurement after the other,
and L2 keeps all of them and shrinks them together. Some of the measurements tell nearly the same: without a penalty two
of these have large weights of opposite signs. The 442 patients come with scikit-learn (`pip install scikit-learn`);
without it the example takes the ink in the rows and columns of the digits that come with fastgd.

The picture: the weights against the strength, for either penalty; and the error for patients not seen in training.

    python examples/l1_and_l2.py --plot l1_and_l2.png
"""

import numpy as np
from shared import COLOURS, load_bundled, load_digits, new_figure, read_arguments, save, show_table

import fastgd
from fastgd.regularizers import L1, L2

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
SMALL = 0.01


def load_data():
    """Return x and y to train on, x and y to test with, all standardised, and the names of the columns."""
    bundled = load_bundled("diabetes")
    if bundled is None:
        (x, y), _ = load_digits()
        x = np.hstack([x.reshape(-1, 8, 8).sum(axis=axis) for axis in (1, 2)])
        names = [f"{line} {k}" for line in ("column", "row") for k in range(8)]
    else:
        x, y, names = bundled
    order = np.random.default_rng(4).permutation(len(x))
    train, test = order[len(x) // 4 :], order[: len(x) // 4]
    # The pixels in a corner of the digits never vary.
    x = (x - x[train].mean(axis=0)) / np.maximum(x[train].std(axis=0), 1e-6)
    y = (y - y[train].mean()) / y[train].std()
    return x[train], y[train], x[test], y[test], names


def fit(regularizer, data, epochs):
    """Return the weights, and the mean squared error for what was not seen in training."""
    x_train, y_train, x_test, y_test, _ = data
    fastgd.utils.set_random_seed(1)
    unit = fastgd.layers.Dense(1, kernel_regularizer=regularizer)
    model = fastgd.Sequential([fastgd.Input((x_train.shape[1],)), unit])
    # The rate falls to nothing, so that L1 leaves the weights it holds down at zero and not trembling around it.
    model.compile(fastgd.optimizers.SGD(fastgd.optimizers.schedules.CosineDecay(0.1, epochs), momentum=0.9), "mse")
    model.fit(x_train, y_train, batch_size=len(x_train), epochs=epochs, verbose=0)
    error = np.mean((model.predict(x_test, verbose=0)[:, 0] - y_test) ** 2)
    return model.get_weights()[0][:, 0], error


def main():
    args = read_arguments(__doc__, epochs=1500)
    data = load_data()
    runs = {("none", 0.0): fit(None, data, args.epochs)}
    for strength in STRENGTHS:
        runs["L1", strength] = fit(L1(strength), data, args.epochs)
        runs["L2", strength] = fit(L2(strength), data, args.epochs)

    rows = [
        (*key, int(np.sum(np.abs(weights) >= SMALL)), np.abs(weights).max(), error)
        for key, (weights, error) in sorted(runs.items())
    ]
    show_table(["penalty", "strength", f"weights of {SMALL} or more", "largest weight", "test error"], rows)

    if args.plot:
        figure, (*paths, errors) = new_figure(3, "What a penalty does to the weights of a linear regression")
        # Of many weights only those have names that are large without a penalty.
        named = list(np.argsort(-np.abs(runs["none", 0.0][0]))[:6])
        for axis, name in zip(paths, ("L1", "L2"), strict=True):
            curves = np.array([runs[name, strength][0] for strength in STRENGTHS])
            for k, curve in enumerate(curves.T):
                place = named.index(k) if k in named else None
                colour = "0.8" if place is None else COLOURS[place]
                axis.plot(STRENGTHS, curve, ".-", color=colour, label=None if place is None else data[-1][k])
            axis.axhline(0.0, color="black", linewidth=0.8, zorder=1)
            axis.set(xlabel="strength", ylabel="weight (standard deviations)", xscale="log", title=name)
        paths[1].sharey(paths[0])
        paths[1].legend(title="largest weights", loc="lower right", ncols=2)
        for name, colour, style in (("L2", 1, "s--"), ("L1", 2, "^-")):
            values = [runs[name, strength][1] for strength in STRENGTHS]
            errors.plot(STRENGTHS, values, style, color=COLOURS[colour], label=name)
        errors.axhline(runs["none", 0.0][1], color=COLOURS[0], linestyle=":", label="none")
        errors.set(xlabel="strength", ylabel="mean squared error of the test (variances)", xscale="log")
        errors.legend()
        save(figure, args.plot)


if __name__ == "__main__":
    main()
