"""Overfitting and dropout: a network that knows its 200 images by heart, and one that is kept from it.

A network with 85,000 weights learns from 200 digits only. Its loss on them falls to nothing, while that on 360 images
which it does not see begins to rise: it is ever more certain, also where it is wrong. Dropout switches off half of the
hidden units at random in every step, so that no unit can rely on another one; stopping early ends the training where
the loss on the unseen images was least.

The picture: the loss over the epochs, on the images trained with (logarithmic) and on those held back.

    python examples/overfitting_and_dropout.py --plot overfitting_and_dropout.png
"""

import numpy as np
from shared import COLOURS, load_digits, new_figure, read_arguments, save, show_table

import fastgd


def train(dropout, epochs):
    """Return the history of a training with a share of dropout."""
    (x_train, y_train), held = load_digits()
    fastgd.utils.set_random_seed(1)
    model = fastgd.Sequential(
        [
            fastgd.Input((64,)),
            fastgd.layers.Dense(256, "relu"),
            fastgd.layers.Dropout(dropout),
            fastgd.layers.Dense(256, "relu"),
            fastgd.layers.Dropout(dropout),
            fastgd.layers.Dense(10, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    # The loss that `fit` reports is one with dropout; this one is without, as that of the held images is.
    losses = []
    look = fastgd.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: losses.append(model.evaluate(x_train[:200], y_train[:200], verbose=0)[0])
    )
    data = x_train[:200], y_train[:200]
    history = model.fit(*data, 20, epochs, verbose=0, validation_data=held, callbacks=[look]).history
    return {**history, "loss": losses}


def main():
    args = read_arguments(__doc__, epochs=80)
    runs = {"no dropout": train(0.0, args.epochs), "dropout 0.5": train(0.5, args.epochs)}

    rows = []
    for name, run in runs.items():
        best = int(np.argmin(run["val_loss"]))
        rows.append((name, run["loss"][-1], run["val_loss"][-1], 100 * run["val_accuracy"][-1], best + 1.0,
                     run["val_loss"][best]))  # fmt: skip
    show_table(["network", "loss", "held: loss", "held: accuracy, %", "best epoch", "its loss, held"], rows)

    if args.plot:
        figure, (trained, held) = new_figure(2, "200 training images and a large network")
        for k, (name, run) in enumerate(runs.items()):
            epochs = range(1, args.epochs + 1)
            trained.plot(epochs, run["loss"], ("--", "-")[k], label=name)
            held.plot(epochs, run["val_loss"], ("--", "-")[k], color=COLOURS[k], label=name)
            best = int(np.argmin(run["val_loss"]))
            held.plot(best + 1, run["val_loss"][best], "o", color=COLOURS[k], label="its least loss: stop here")
        trained.set(xlabel="epoch", ylabel="cross-entropy, images trained with (nats)", yscale="log")
        held.set(xlabel="epoch", ylabel="cross-entropy, images held back (nats)", ylim=(0.2, 0.6))
        trained.legend()
        held.legend()
        save(figure, args.plot)


if __name__ == "__main__":
    main()
