"""L1 and L2: both punish large weights, but only L1 makes weights vanish.

One layer of 640 weights reads the digits, with a penalty on its weights: strength * sum |w| pulls each weight towards
zero with the same force however small it is, strength * sum w^2 pulls the less the smaller it is. So L1 leaves few
weights of some size, and L2 many small ones. Some penalty costs no accuracy on images not seen, much of it does.

The picture: how many weights are of which size, with either penalty at the strength 0.003 and without; and, against the
strength, the share of weights below 0.02 and the accuracy on the test images.

    python examples/l1_and_l2.py --plot l1_and_l2.png
"""

import numpy as np
from shared import COLOURS, load_digits, new_figure, read_arguments, save, show_table

import fastgd
from fastgd.regularizers import L1, L2

STRENGTHS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
SHOWN = 0.003
SMALL = 0.02


def train(regularizer, epochs):
    """Return the weights of the layer and the accuracy on the test images."""
    (x_train, y_train), (x_test, y_test) = load_digits()
    fastgd.utils.set_random_seed(1)
    model = fastgd.Sequential([fastgd.Input((64,)), fastgd.layers.Dense(10, "softmax", kernel_regularizer=regularizer)])
    # The rate falls to nothing, so that L1 leaves the weights it holds down at zero and not trembling around it.
    schedule = fastgd.optimizers.schedules.CosineDecay(0.3, 45 * epochs)
    model.compile(fastgd.optimizers.SGD(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=32, epochs=epochs, verbose=0)
    return model.get_weights()[0].ravel(), model.evaluate(x_test, y_test, verbose=0)[1]


def main():
    args = read_arguments(__doc__, epochs=60)
    runs = {("none", 0.0): train(None, args.epochs)}
    for strength in STRENGTHS:
        runs["L1", strength] = train(L1(strength), args.epochs)
        runs["L2", strength] = train(L2(strength), args.epochs)
    small = {key: 100 * np.mean(np.abs(weights) < SMALL) for key, (weights, _) in runs.items()}

    rows = [(*key, small[key], 100 * accuracy) for key, (_, accuracy) in sorted(runs.items())]
    show_table(["penalty", "strength", f"weights below {SMALL}, %", "test accuracy, %"], rows)

    if args.plot:
        figure, (sizes, shares, accuracies) = new_figure(3, "What a penalty does to the weights")
        for key, style in ((("none", 0.0), ":"), (("L2", SHOWN), "--"), (("L1", SHOWN), "-")):
            weights = np.clip(runs[key][0], -1.5, 1.5)
            sizes.hist(
                weights, np.linspace(-1.5, 1.5, 32), histtype="step", linewidth=1.6, linestyle=style, label=key[0]
            )
        sizes.set(xlabel="weight (outer ones are in the last bars)", ylabel="number of weights", yscale="log")
        sizes.legend(title=f"strength {SHOWN}")
        for name, colour, style in (("L2", 1, "s--"), ("L1", 2, "^-")):
            values = [small[name, strength] for strength in STRENGTHS]
            shares.plot(STRENGTHS, values, style, color=COLOURS[colour], label=name)
            values = [100 * runs[name, strength][1] for strength in STRENGTHS]
            accuracies.plot(STRENGTHS, values, style, color=COLOURS[colour], label=name)
        accuracies.axhline(100 * runs["none", 0.0][1], color=COLOURS[0], linestyle=":", label="none")
        shares.axhline(small["none", 0.0], color=COLOURS[0], linestyle=":", label="none")
        shares.set(xlabel="strength", ylabel=f"weights below {SMALL} (%)", xscale="log")
        accuracies.set(xlabel="strength", ylabel="accuracy on the test images (%)", xscale="log")
        shares.legend()
        save(figure, args.plot)


if __name__ == "__main__":
    main()
