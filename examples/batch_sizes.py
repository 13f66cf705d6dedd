"""Batch sizes: one exact step per epoch, many rough ones, or something between.

The same network learns the digits with the same learning rate in batches of all 1,437 images, of 32 and of one. The
gradient over all is exact, but buys one step per epoch; those of single images point roughly the right way, and there
are 1,437 of them, which shake the loss. Counted in seconds, steps with one image lose their lead over those with 32,
which share the work of a matrix product.

The picture: the loss over the epochs on the left, and over the time they took on the right (logarithmic).

    python examples/batch_sizes.py --plot batch_sizes.png
"""

import time

import numpy as np
from shared import load_digits, new_figure, read_arguments, save, show_table

import fastgd


def train(batch_size, epochs):
    """Return the loss over the training images after every epoch, and the seconds that a typical epoch takes."""
    (x, y), _ = load_digits()
    fastgd.utils.set_random_seed(1)
    model = fastgd.Sequential(
        [fastgd.Input((64,)), fastgd.layers.Dense(32, "relu"), fastgd.layers.Dense(10, "softmax")]
    )
    model.compile(fastgd.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    losses, seconds = [model.evaluate(x, y, verbose=0)], []
    for _ in range(epochs):
        start = time.perf_counter()
        model.fit(x, y, batch_size=batch_size, verbose=0)
        seconds.append(time.perf_counter() - start)
        # What `fit` reports is a mean over the epoch, while the weights move; this is the loss at its end.
        losses.append(model.evaluate(x, y, batch_size=len(x), verbose=0))
    # The median, because other programs may hold up a single epoch.
    return np.array(losses), np.median(seconds)


def main():
    args = read_arguments(__doc__, epochs=30)
    sizes = {"all 1,437": 1437, "32": 32, "1": 1}
    runs = {name: train(size, args.epochs) for name, size in sizes.items()}

    rows = [
        (name, -(-1437 // sizes[name]) * args.epochs, losses[-1], 1000 * seconds)
        for name, (losses, seconds) in runs.items()
    ]
    show_table(["batch", "steps", f"loss after {args.epochs} epochs", "ms per epoch"], rows)

    if args.plot:
        figure, (over_epochs, over_time) = new_figure(2, "One network, one learning rate, three batch sizes")
        for (name, (losses, seconds)), style in zip(runs.items(), ("-", "--", "-."), strict=True):
            over_epochs.plot(losses, style, label=name)
            over_time.plot(1000 * seconds * np.arange(1, len(losses)), losses[1:], style, label=name)
        over_epochs.set(xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
        over_time.set(xlabel="time spent on training (ms)", ylabel="cross-entropy (nats)", yscale="log", xscale="log")
        over_epochs.legend(title="images per batch")
        save(figure, args.plot)


if __name__ == "__main__":
    main()
