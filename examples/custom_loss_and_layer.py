"""A layer and a loss of one's own, written with fastgd.ops: the gradient comes by itself, and can be checked.

The layer has for every unit a centre c and a width: exp(-softplus(w) * |x - c|^2), the bumps of a radial basis network.
The loss is Cauchy's, mean of log(1 + (error / scale)^2), to which a wild value counts little. The derivatives of both
are nowhere written down: the ops know theirs.

They are checked against central differences, (loss(w + h d) - loss(w - h d)) / 2h, along a random direction d. The
picture shows how far both are apart against h: the error of the formula falls with h^2, until rounding, which
grows with 1/h, takes over. So there is a best h, and an agreement of nine digits there is all that float64 allows.

    python examples/custom_loss_and_layer.py --plot custom_loss_and_layer.png
"""

import numpy as np
from shared import load_digits, new_figure, read_arguments, save, show_table

import fastgd
from fastgd import ops


class Bumps(fastgd.layers.Layer):
    """exp(-softplus(w) * |x - c|^2) for each unit."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.centres = self.add_weight(
            (self.units, input_shape[-1]), fastgd.initializers.RandomUniform(0, 1), name="centres"
        )
        self.widths = self.add_weight((self.units,), fastgd.initializers.Constant(-2.0), name="widths")

    def call(self, inputs):
        distances = ops.expand_dims(inputs, 1) - self.centres
        return ops.exp(-ops.softplus(self.widths) * ops.sum(ops.square(distances), axis=-1))


class Cauchy(fastgd.losses.Loss):
    """The mean of log(1 + (error / scale)^2)."""

    def __init__(self, scale=0.5, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, y_true, y_pred):
        return ops.mean(ops.log1p(ops.square((y_pred - y_true) / self.scale)), axis=-1)


def main():
    args = read_arguments(__doc__, epochs=30)
    (x, y), (x_test, y_test) = load_digits()
    goals = np.eye(10)[y]
    model = fastgd.Sequential([fastgd.Input((64,), dtype="float64"), Bumps(40), fastgd.layers.Dense(10)])
    model.compile(fastgd.optimizers.Adam(0.02), Cauchy())

    start = model.flat_parameters
    direction = np.random.default_rng(0).normal(size=start.size)
    slope = model.loss_and_gradient(x, goals)[1] @ direction
    widths = np.logspace(-9, -1, 33)
    errors = []
    for h in widths:
        ends = []
        for sign in (1, -1):
            model.flat_parameters = start + sign * h * direction
            ends.append(model.loss_and_gradient(x, goals)[0])
        errors.append(abs((ends[0] - ends[1]) / (2 * h) - slope) / abs(slope))
    model.flat_parameters = start
    print(f"slope {slope:.12g}; central differences agree to {min(errors):.1e} at h = {widths[np.argmin(errors)]:.0e}")

    history = model.fit(x, goals, epochs=args.epochs, verbose=0).history["loss"]
    accuracy = np.mean(model.predict(x_test, verbose=0).argmax(axis=1) == y_test)
    show_table(["epochs", "loss at first", "at last", "test accuracy, %"],
               [(float(args.epochs), history[0], history[-1], 100 * accuracy)])  # fmt: skip

    if args.plot:
        figure, (axis,) = new_figure(1, "The gradient against central differences")
        axis.loglog(widths, np.maximum(errors, 1e-16), "o-", label="relative difference")
        large = widths[widths > 1e-5]
        axis.loglog(large, 2 * errors[16] * (large / widths[16]) ** 2, "--", color="0.4", label="falls with h²")
        axis.set(xlabel="step h along a random direction", ylabel="relative difference of the slopes")
        axis.legend()
        save(figure, args.plot)


if __name__ == "__main__":
    main()
