"""Raw and normalised input: one learning rate must suit all weights, so all inputs should be of one size.

The same network learns the digits four times: with pixels from 0 to 1, standardised (mean 0, deviation 1), raw from 0
to 16, and badly scaled, each pixel in a unit of its own between a hundredth and a hundred, as columns of a table often
are. The curvature of the loss grows with the square of the input: the rate that suits the largest input is far too
small for the others, and for every kind of input the example looks for the best of six rates.

The picture: the loss over the epochs with the best rate of each; and the loss of the last epoch against the rate.

    python examples/raw_and_normalised.py --plot raw_and_normalised.png
"""

import numpy as np
from shared import load_digits, new_figure, read_arguments, save, show_table

import fastgd

RATES = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)


def train(x, y, rate, epochs):
    """Return the losses of all epochs."""
    fastgd.utils.set_random_seed(1)
    model = fastgd.Sequential(
        [fastgd.Input((64,)), fastgd.layers.Dense(32, "tanh"), fastgd.layers.Dense(10, "softmax")]
    )
    model.compile(fastgd.optimizers.SGD(rate), "sparse_categorical_crossentropy")
    return np.array(model.fit(x, y, batch_size=32, epochs=epochs, verbose=0).history["loss"])


def main():
    args = read_arguments(__doc__, epochs=25)
    (x, y), _ = load_digits()
    # Pixels in the corners never vary.
    deviation = np.maximum(x.std(axis=0), 1e-3)
    inputs = {
        "0 to 1": x,
        "standardised": (x - x.mean(axis=0)) / deviation,
        "raw, 0 to 16": 16 * x,
        "badly scaled": x * 10 ** np.random.default_rng(0).uniform(-2, 2, x.shape[1]),
    }
    runs = {name: [train(values, y, rate, args.epochs) for rate in RATES] for name, values in inputs.items()}
    best = {name: int(np.nanargmin([losses[-1] for losses in curves])) for name, curves in runs.items()}

    rows = [(name, inputs[name].max(), RATES[k], runs[name][k][0], runs[name][k][-1]) for name, k in best.items()]
    show_table(["input", "largest", "best rate", "loss of epoch 1", f"of epoch {args.epochs}"], rows)

    if args.plot:
        figure, (curves, ends) = new_figure(2, "One network, four scales of its input")
        for (name, losses), style in zip(runs.items(), ("o-", "s--", "^-.", "D:"), strict=True):
            epochs = range(1, args.epochs + 1)
            curves.plot(epochs, losses[best[name]], style[1:], label=f"{name}, rate {RATES[best[name]]:g}")
            ends.plot(RATES, [loss[-1] for loss in losses], style, label=name)
        curves.set(xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
        ends.set(
            xlabel="learning rate", ylabel=f"cross-entropy of epoch {args.epochs} (nats)", xscale="log", yscale="log"
        )
        # Room for the legend below the curves.
        curves.set_ylim(bottom=curves.get_ylim()[0] / 8)
        curves.legend(loc="lower left")
        ends.legend()
        save(figure, args.plot)


if __name__ == "__main__":
    main()
