"""Optimizers: what momentum, rates for each weight, and signs make of the same gradients.

All optimizers descend from the same point into the same valley, the loss of a line with two weights, and train the same
network on the digits. Each has a learning rate that suits it: they do not mean the same by it. In the valley SGD slides
down the steep side and then creeps along the floor; momentum overshoots and comes back; those with a rate for each
weight head for the goal at an angle that has little to do with the gradient's.

The picture: the paths in the valley, in two panels, and the loss of the network over the epochs.

    python examples/optimizers.py --plot optimizers.png
"""

from shared import descend, draw_valley, load_digits, new_figure, read_arguments, save, show_table

import fastgd
from fastgd import optimizers

# By name: how to make it for the valley with a rate, that rate, and the rate for the network.
CANDIDATES = {
    "SGD": (optimizers.SGD, 0.1, 0.1),
    "SGD, momentum": (lambda rate: optimizers.SGD(rate, momentum=0.9), 0.1, 0.05),
    "SGD, Nesterov": (lambda rate: optimizers.SGD(rate, momentum=0.9, nesterov=True), 0.1, 0.05),
    "Lion": (optimizers.Lion, 0.03, 0.001),
    "Ftrl": (optimizers.Ftrl, 0.5, 0.1),
    "Adagrad": (optimizers.Adagrad, 0.5, 0.1),
    "Adadelta": (optimizers.Adadelta, 20.0, 5.0),
    "RMSprop": (optimizers.RMSprop, 0.05, 0.005),
    "Adam": (optimizers.Adam, 0.2, 0.01),
    "AdamW": (optimizers.AdamW, 0.2, 0.01),
    "Adamax": (optimizers.Adamax, 0.2, 0.01),
    "Nadam": (optimizers.Nadam, 0.2, 0.01),
}
FIRST_PANEL = list(CANDIDATES)[:6]
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))


def train(optimizer, epochs):
    """Return the loss of a network on the digits after every epoch."""
    (x, y), _ = load_digits()
    fastgd.utils.set_random_seed(1)
    model = fastgd.Sequential(
        [fastgd.Input((64,)), fastgd.layers.Dense(32, "relu"), fastgd.layers.Dense(10, "softmax")]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model.fit(x, y, batch_size=32, epochs=epochs, verbose=0).history["loss"]


def main():
    args = read_arguments(__doc__, epochs=15)
    paths = {name: descend(make(rate), 4 * args.epochs) for name, (make, rate, _) in CANDIDATES.items()}
    curves = {name: train(make(rate), args.epochs) for name, (make, _, rate) in CANDIDATES.items()}

    rows = [
        (name, CANDIDATES[name][1], paths[name][1][-1], CANDIDATES[name][2], curve[-1])
        for name, curve in curves.items()
    ]
    show_table(["optimizer", "rate", "valley: loss at the end", "rate", "digits: loss at the end"], rows)

    if args.plot:
        figure, (left, middle, right) = new_figure(3, "The same gradients, twelve optimizers")
        for axis in (left, middle):
            draw_valley(axis)
        for k, (name, (points, _)) in enumerate(paths.items()):
            axis, style = (left if name in FIRST_PANEL else middle), STYLES[k % 6]
            (line,) = axis.plot(*points.T, linestyle=style, linewidth=1.6, label=name)
            right.plot(
                range(1, args.epochs + 1), curves[name], color=line.get_color(), linestyle=style,
                linewidth=2 if name in FIRST_PANEL else 1, label=name,
            )  # fmt: skip
        right.set(xlabel="epoch", ylabel="cross-entropy on the digits (nats)", yscale="log")
        left.legend(fontsize=8)
        middle.legend(fontsize=8)
        right.legend(fontsize=8, ncols=2)
        save(figure, args.plot)


if __name__ == "__main__":
    main()
