"""A generative adversarial network draws digits: a generator against a discriminator, in a training step of one's own.

The generator makes images of random numbers, the discriminator tells them from real ones, and each learns from the
other. `train_step` writes one round of that with a `GradientTape` for each. A classifier that knows the real digits
then looks at the made ones: how many does it take for a digit without much doubt, and which digits are there?

The picture: one column per random point, one row per stage of the training; below it the losses.
"""

import numpy as np
from shared import COLOURS, load_digits, new_figure, read_arguments, save, show_images, show_table

import fastgd
from fastgd.layers import Dense, Dropout, LeakyReLU

LATENT = 16
STAGES = 6
COLUMNS = 12
SAMPLES = 2000
BATCH = 64


def make_generator():
    """Return the model from LATENT random numbers to an image of 64 pixels from 0 to 1."""
    return fastgd.Sequential(
        [
            fastgd.Input((LATENT,)),
            Dense(128),
            LeakyReLU(0.2),
            Dense(128),
            LeakyReLU(0.2),
            Dense(64, "sigmoid"),
        ],
        name="generator",
    )


def make_discriminator():
    """Return the model from an image to its logit of being real."""
    return fastgd.Sequential(
        [
            fastgd.Input((64,)),
            Dense(128),
            LeakyReLU(0.2),
            Dropout(0.3),
            Dense(128),
            LeakyReLU(0.2),
            Dropout(0.3),
            Dense(1),
        ],
        name="discriminator",
    )


class GAN(fastgd.Model):
    """A generator and a discriminator that train each other."""

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.latent = generator.input_shape[-1]
        self.random = np.random.default_rng(0)

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        """Take an optimizer for each of the two."""
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn
        self.d_loss = fastgd.metrics.Mean(name="d_loss")
        self.g_loss = fastgd.metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        """The metrics that begin anew in every epoch."""
        return [self.d_loss, self.g_loss]

    def points(self, count):
        """Return random points for the generator."""
        return self.random.normal(size=(count, self.latent)).astype("float32")

    def train_step(self, real):
        """Teach the discriminator to tell images apart, then the generator to make it fail."""
        ones, zeros = np.ones((len(real), 1)), np.zeros((len(real), 1))
        made = self.generator(self.points(len(real)))
        with fastgd.GradientTape() as tape:
            # Labels of 0.9 keep the discriminator from being too sure of itself.
            d_loss = self.loss_fn(0.9 * ones, self.discriminator(real, training=True))
            d_loss = d_loss + self.loss_fn(zeros, self.discriminator(made, training=True))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))

        with fastgd.GradientTape() as tape:
            made = self.generator(self.points(len(real)), training=True)
            g_loss = self.loss_fn(ones, self.discriminator(made, training=True))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))

        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return self.get_metrics_result()


def make_judge(x, y):
    """Return a classifier that has learnt the real digits."""
    layers = [fastgd.Input((64,)), Dense(128, "relu"), Dropout(0.3), Dense(10, "softmax")]
    judge = fastgd.Sequential(layers)
    judge.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    judge.fit(x, y, epochs=40, verbose=0)
    return judge


def train_in_stages(gan, judge, x, epochs, verbose=0):
    """Train, and let the classifier look at images now and then.

    Returns:
        The stages, in epochs; at each the images of COLUMNS points; the losses; how many images of each digit the
        classifier has found at the end without much doubt.
    """
    fixed, many = gan.points(COLUMNS), gan.points(SAMPLES)
    stages = sorted({round(epochs * (k / (STAGES - 1)) ** 2) for k in range(STAGES)})
    images, rows, history = [], [], {"d_loss": [], "g_loss": []}
    for before, stage in zip([0, *stages], stages, strict=False):
        if stage > before:
            logs = gan.fit(x, initial_epoch=before, epochs=stage, batch_size=BATCH, verbose=verbose).history
            for name, values in history.items():
                values.extend(logs[name])
        images.append(gan.generator.predict(fixed, verbose=0))
        found = judge.predict(gan.generator.predict(many, verbose=0), verbose=0)
        counts = np.bincount(found.argmax(axis=1)[found.max(axis=1) > 0.9], minlength=10)
        losses = [f"{values[-1]:.3f}" if values else "" for values in history.values()]
        share = f"{100 * counts.sum() / SAMPLES:.1f} %"
        rows.append(
            [f"{stage}", str(stage * -(-len(x) // BATCH)), *losses, share, " ".join(map(str, np.flatnonzero(counts)))]
        )
    show_table(["epochs", "steps", "loss of D", "loss of G", "taken for digits", "which"], rows)
    return stages, images, history, counts


def main():
    """Train, let the classifier look at images of several stages, and draw some."""
    args = read_arguments(__doc__, epochs=200)
    (x, y), (x_test, y_test) = load_digits()
    x = x.astype("float32")
    judge = make_judge(x, y)
    gan = GAN(make_generator(), make_discriminator())
    gan.compile(
        fastgd.optimizers.Adam(4e-4, beta_1=0.5),
        fastgd.optimizers.Adam(4e-4, beta_1=0.5),
        fastgd.losses.BinaryCrossentropy(from_logits=True),
    )
    stages, images, history, _ = train_in_stages(gan, judge, x, args.epochs)
    accuracy = judge.evaluate(x_test, y_test, verbose=0)[1]
    print(f"the classifier is right on {100 * accuracy:.1f} % of held real digits")
    if args.plot:
        figure, (left, right) = new_figure(2, "A generator learns digits from a discriminator")
        draw(left, right, stages, np.reshape(images, (-1, 8, 8)), history)
        save(figure, args.plot)


def draw(left, right, stages, images, history):
    """Draw the images of all stages and the losses."""
    show_images(left, images, COLUMNS, vmin=0, vmax=1)
    height = images.shape[1] + 2
    left.set_yticks(height * np.arange(len(stages)) + height / 2, [str(stage) for stage in stages])
    left.set(ylabel="epochs")
    for name, values in history.items():
        right.plot(values, linewidth=0.8, label=name, color=COLOURS[name == "g_loss"])
    right.set(xlabel="epoch", ylabel="loss")
    right.legend()


if __name__ == "__main__":
    main()
