"""Learning rates: too small crawls, too large climbs out of the valley, and the curvature says where the border lies.

A line is fitted to real digits: is it a zero or a one, by the ink in its middle? The loss has two weights, so it can be
drawn. Along the direction of greatest curvature c a step multiplies the distance to the lowest point by 1 - rate * c,
which is a shrinking only for rates below 2 / c.

The picture: on the left the loss over the epochs for four rates; on the right the first 10 steps of the same descents
on the contours of the loss. The small rate has hardly begun, the good one follows the floor of the valley, the large
one jumps from side to side, less and less, and the jumps of the one beyond the border grow without end.

    python examples/learning_rates.py --plot learning_rates.png
"""

import numpy as np
from shared import descend, draw_valley, new_figure, read_arguments, save, show_table, zeros_and_ones

from fastgd.optimizers import SGD


def main():
    args = read_arguments(__doc__, epochs=60)
    x, _ = zeros_and_ones()
    features = np.hstack([x, np.ones_like(x)])
    curvature = np.linalg.eigvalsh(2 * features.T @ features / len(x))[-1]
    border = 2 / curvature

    rates = {
        "too small": 0.01 * border,
        "good": 0.6 * border,
        "large": 0.9 * border,
        "too large": 1.03 * border,
    }
    runs = {name: descend(SGD(rate), args.epochs) for name, rate in rates.items()}

    print(f"greatest curvature {curvature:.3f}, so rates must stay below 2 / {curvature:.3f} = {border:.3f}")
    rows = [(name, rates[name], losses[0], losses[-1]) for name, (_, losses) in runs.items()]
    show_table(["rate", "value", "loss at first", f"after {args.epochs} epochs"], rows)

    if args.plot:
        figure, (curves, valley) = new_figure(2, "Gradient descent with four learning rates")
        draw_valley(valley)
        for (name, (points, losses)), marker in zip(runs.items(), "os^D", strict=True):
            curves.plot(losses, marker=marker, markevery=5, markersize=4, label=f"{name}: {rates[name]:.3f}")
            valley.plot(*points[:11].T, marker=marker, markersize=4, linewidth=1.2)
        curves.set(xlabel="epoch (one step each)", ylabel="mean squared error", yscale="log")
        curves.legend(title="learning rate")
        valley.set_title("the first 10 steps; the star is the lowest point", fontsize=10)
        save(figure, args.plot)


if __name__ == "__main__":
    main()
