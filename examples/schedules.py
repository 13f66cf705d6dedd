"""Schedules: large steps to get near, small ones to arrive.

The same network learns the digits with SGD in batches of 8, whose gradients are noisy. A penalty keeps it from fitting
every image, so the noise never ends. A constant rate keeps jumping about the lowest point, the further the larger it
is; rates that fall let it settle. A schedule is given to the optimizer in place of the rate and is asked in every step.

The picture: the rate over the steps, and the loss over all training images after every epoch.

    python examples/schedules.py --plot schedules.png
"""

import numpy as np
from shared import load_digits, new_figure, read_arguments, save, show_table

import fastgd
from fastgd.optimizers import schedules

BATCH = 8
RATE = 0.3


def train(rate, epochs):
    """Return the loss over all training images after every epoch, and the accuracy on the test images."""
    (x, y), (x_test, y_test) = load_digits()
    fastgd.utils.set_random_seed(1)
    model = fastgd.Sequential(
        [
            fastgd.Input((64,)),
            fastgd.layers.Dense(16, "relu", kernel_regularizer="l2"),
            fastgd.layers.Dense(10, "softmax"),
        ]
    )
    model.compile(fastgd.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    losses = []
    look = fastgd.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: losses.append(model.evaluate(x, y, verbose=0)[0])
    )
    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[look])
    return losses, 100 * model.evaluate(x_test, y_test, verbose=0)[1]


def main():
    args = read_arguments(__doc__, epochs=30)
    per_epoch = -(-1437 // BATCH)
    steps = per_epoch * args.epochs
    rates = {
        "constant": RATE,
        "steps": schedules.PiecewiseConstantDecay([steps // 2, 3 * steps // 4], [RATE, RATE / 10, RATE / 100]),
        "exponential": schedules.ExponentialDecay(RATE, steps, 0.01),
        "cosine": schedules.CosineDecay(0.0, steps - steps // 10, warmup_target=RATE, warmup_steps=steps // 10),
        "restarts": schedules.CosineDecayRestarts(RATE, steps // 3, t_mul=1.0, m_mul=0.7),
    }
    runs = {name: train(rate, args.epochs) for name, rate in rates.items()}

    rows = [(name, np.max(losses), losses[-1], accuracy) for name, (losses, accuracy) in runs.items()]
    show_table(["schedule", "largest loss", "last loss", "test accuracy, %"], rows)

    if args.plot:
        figure, (left, right) = new_figure(2, f"SGD in batches of {BATCH} with five schedules")
        at = np.linspace(0, steps - 1, 600).astype(int)
        for (name, rate), style in zip(rates.items(), ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1))), strict=True):
            values = [rate(step) if callable(rate) else rate for step in at.tolist()]
            left.plot(at / per_epoch, values, linestyle=style, label=name)
            right.plot(range(1, args.epochs + 1), runs[name][0], linestyle=style, label=name)
        left.set(xlabel="epoch", ylabel="learning rate")
        right.set(xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
        right.legend()
        save(figure, args.plot)


if __name__ == "__main__":
    main()
