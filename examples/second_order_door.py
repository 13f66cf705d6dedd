"""The door for other solvers: SciPy's L-BFGS trains a network through `flat_parameters` and `loss_and_gradient`.

A solver of another library wants a function of one vector that returns the loss and its gradient. L-BFGS guesses
the curvature from the last few gradients and takes steps that gradient descent cannot. With all images in every
gradient it needs far fewer of them than Adam to get as low. (In batches of 32, Adam makes 45 steps for each of them.)

The picture: the loss against the number of gradients over all images, for L-BFGS, Adam and plain gradient descent.
Without SciPy the example trains only the latter two.

    python examples/second_order_door.py --plot second_order_door.png
"""

from shared import load_digits, new_figure, read_arguments, save, show_table

import fastgd


def make(optimizer):
    """Return a small network in float64, always the same; the penalty gives it a lowest point."""
    fastgd.utils.set_random_seed(1)
    model = fastgd.Sequential(
        [
            fastgd.Input((64,), dtype="float64"),
            fastgd.layers.Dense(16, "tanh", kernel_regularizer=fastgd.regularizers.L2(1e-4)),
            fastgd.layers.Dense(10, "softmax", kernel_regularizer=fastgd.regularizers.L2(1e-4)),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def solve(x, y, gradients):
    """Return the loss of every gradient that L-BFGS asks for; None without SciPy."""
    try:
        from scipy.optimize import minimize
    except ImportError:
        print("without SciPy no L-BFGS: pip install scipy")
        return None
    model, losses = make("sgd"), []

    def objective(weights):
        model.flat_parameters = weights
        loss, gradient = model.loss_and_gradient(x, y)
        losses.append(loss)
        return loss, gradient

    found = minimize(objective, model.flat_parameters, jac=True, method="L-BFGS-B", options={"maxfun": gradients})
    # The last point that was tried need not be the best one.
    model.flat_parameters = found.x
    return losses


def main():
    args = read_arguments(__doc__, epochs=300)
    (x, y), _ = load_digits()
    runs = {"L-BFGS": solve(x, y, args.epochs)}
    candidates = {
        "Adam, rate 0.03": fastgd.optimizers.Adam(0.03),
        "gradient descent, rate 1": fastgd.optimizers.SGD(1.0),
    }
    for name, optimizer in candidates.items():
        model = make(optimizer)
        runs[name] = model.fit(x, y, batch_size=len(x), epochs=args.epochs, verbose=0).history["loss"]
    runs = {name: losses for name, losses in runs.items() if losses is not None}

    show_table(["solver", "gradients", "least loss"], [(name, float(len(run)), min(run)) for name, run in runs.items()])

    if args.plot:
        figure, (axis,) = new_figure(1, "Gradients over all images, and what they buy")
        for (name, losses), style in zip(runs.items(), ("-", "--", "-."), strict=False):
            axis.plot(range(1, len(losses) + 1), losses, style, label=name)
        axis.set(xlabel="gradients over all 1,437 images", ylabel="cross-entropy and penalty (nats)", yscale="log")
        axis.legend()
        save(figure, args.plot)


if __name__ == "__main__":
    main()
