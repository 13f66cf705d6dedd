"""Raw and normalised input: one learning rate must suit all weights, so all inputs should be of one size.

A network learns which of two kinds a tumour is from 30 measurements of cells, three times: standardised (mean 0,
deviation 1), from 0 to 1, and raw, as they stand in the table, where areas go up to 4254 and a fractal dimension lies
around 0.004. The curvature of the loss grows with the square of the input: the rate that suits the largest column is
far too small for the others, and for every kind of input the example looks for the best of seven rates. The 569 tumours
come with scikit-learn (`pip install scikit-learn`); without it the example takes the digits that come with fastgd, each
pixel in a unit of its own between a hundredth and a hundred.

The picture: the loss over the epochs with the best rate of each; and the loss of the last epoch against the rate.

    python examples/raw_and_normalised.py --plot raw_and_normalised.png
"""

import numpy as np
from shared import load_bundled, load_digits, new_figure, read_arguments, save, show_table

import fastgd

RATES = (0.00001, 0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)


def load_data():
    """Return a table of numbers of very different sizes, and the class of each row."""
    bundled = load_bundled("breast_cancer")
    if bundled is not None:
        return bundled[:2]
    (x, y), _ = load_digits()
    return x * 10 ** np.random.default_rng(0).uniform(-2, 2, x.shape[1]), y


def train(x, y, rate, epochs):
    """Return the losses of all epochs."""
    fastgd.utils.set_random_seed(1)
    classes = int(y.max()) + 1
    model = fastgd.Sequential(
        [fastgd.Input((x.shape[1],)), fastgd.layers.Dense(16, "tanh"), fastgd.layers.Dense(classes, "softmax")]
    )
    model.compile(fastgd.optimizers.SGD(rate), "sparse_categorical_crossentropy")
    return np.array(model.fit(x, y, batch_size=32, epochs=epochs, verbose=0).history["loss"])


def main():
    args = read_arguments(__doc__, epochs=40)
    x, y = load_data()
    # The pixels in a corner of the digits never vary.
    deviation, spread = np.maximum(x.std(axis=0), 1e-9), np.maximum(np.ptp(x, axis=0), 1e-9)
    inputs = {"standardised": (x - x.mean(axis=0)) / deviation, "0 to 1": (x - x.min(axis=0)) / spread, "raw": x}
    runs = {name: [train(values, y, rate, args.epochs) for rate in RATES] for name, values in inputs.items()}
    best = {name: int(np.nanargmin([losses[-1] for losses in curves])) for name, curves in runs.items()}

    rows = [(name, inputs[name].max(), RATES[k], runs[name][k][0], runs[name][k][-1]) for name, k in best.items()]
    show_table(["input", "largest", "best rate", "loss of epoch 1", f"of epoch {args.epochs}"], rows)

    if args.plot:
        figure, (curves, ends) = new_figure(2, "One network, three scales of its input")
        for (name, losses), style in zip(runs.items(), ("o-", "s--", "^-."), strict=True):
            epochs = range(1, args.epochs + 1)
            curves.plot(epochs, losses[best[name]], style[1:], label=f"{name}, rate {RATES[best[name]]:g}")
            ends.plot(RATES, [loss[-1] for loss in losses], style, label=name)
        curves.set(xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
        ends.set(
            xlabel="learning rate", ylabel=f"cross-entropy of epoch {args.epochs} (nats)", xscale="log", yscale="log"
        )
        curves.legend()
        ends.legend()
        save(figure, args.plot)


if __name__ == "__main__":
    main()
