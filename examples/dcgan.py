"""A convolutional GAN (DCGAN) draws digits of 28 x 28 pixels: gan.py with other networks.

The generator enlarges 7 x 7 points to 28 x 28 by two transposed convolutions with batch normalization, the
discriminator goes the opposite way. How they teach each other, and how a classifier looks at the images, is in gan.py;
the classifier is the network of convolutional_network.py. It should take at least four fifths of the images for a digit
without much doubt (above 0.9), and find all ten digits among them.

The picture: one column per random point, one row per stage of the training; the losses; images of the last generator,
as they come.

    FASTGD_DATA=path/to/data python examples/dcgan.py --plot dcgan.png
"""

import time

import numpy as np
from convolutional_network import make_network
from gan import BATCH, GAN, SAMPLES, draw, train_in_stages
from shared import load_images, new_figure, read_arguments, save, show_images

import fastgd
from fastgd.layers import (
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Dropout,
    Flatten,
    LeakyReLU,
    Rescaling,
    Reshape,
)

LATENT = 32


def make_generator():
    """Return the model from LATENT random numbers to an image with pixels from 0 to 1."""
    small = fastgd.initializers.RandomNormal(stddev=0.02, seed=1)
    return fastgd.Sequential(
        [
            fastgd.Input((LATENT,)),
            # The first layer decides on the digit as a whole, the convolutions draw its strokes.
            Dense(256, use_bias=False),
            BatchNormalization(momentum=0.9),
            LeakyReLU(0.2),
            Dense(7 * 7 * 128, use_bias=False, kernel_initializer=small),
            BatchNormalization(momentum=0.9),
            LeakyReLU(0.2),
            Reshape((7, 7, 128)),
            Conv2DTranspose(64, 4, strides=2, padding="same", use_bias=False, kernel_initializer=small),
            BatchNormalization(momentum=0.9),
            LeakyReLU(0.2),
            Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid", kernel_initializer=small),
        ],
        name="generator",
    )


def make_discriminator():
    """Return the model from an image to its logit of being real."""
    small = fastgd.initializers.RandomNormal(stddev=0.02, seed=2)
    return fastgd.Sequential(
        [
            fastgd.Input((28, 28, 1)),
            Rescaling(2, -1),
            Conv2D(32, 4, strides=2, padding="same", kernel_initializer=small),
            LeakyReLU(0.2),
            Dropout(0.2),
            Conv2D(64, 4, strides=2, padding="same", kernel_initializer=small),
            BatchNormalization(momentum=0.9),
            LeakyReLU(0.2),
            Dropout(0.2),
            Flatten(),
            Dense(256),
            LeakyReLU(0.2),
            Dropout(0.2),
            Dense(1),
        ],
        name="discriminator",
    )


def main():
    """Train, let the classifier look at the images, and draw some."""
    args = read_arguments(__doc__, epochs=40)
    (x, y), (x_test, y_test) = load_images()
    if args.quick:
        x, y = x[: 3 * BATCH], y[: 3 * BATCH]
    network = make_network(fastgd, augmented=False)
    network.fit(x, y, BATCH, min(args.epochs, 10), verbose=0)
    found = network.predict(x_test, verbose=0)
    accuracy, sure = np.mean(found.argmax(axis=1) == y_test), np.mean(found.max(axis=1) > 0.9)
    print(f"the classifier is right on {100 * accuracy:.1f} % of held real digits, and sure of {100 * sure:.1f} %")
    # It takes bytes.
    judge = fastgd.Sequential([fastgd.Input((28, 28, 1)), Rescaling(255), network])
    x = x.astype("float32") / 255

    gan = GAN(make_generator(), make_discriminator())
    steps = args.epochs * -(-len(x) // BATCH)
    # Large steps at first; small ones towards the end, when the strokes are to become clean.
    rates = fastgd.optimizers.schedules.PolynomialDecay(1e-3, steps, 1e-4)
    gan.compile(
        fastgd.optimizers.Adam(rates, beta_1=0.5),
        fastgd.optimizers.Adam(rates, beta_1=0.5),
        fastgd.losses.BinaryCrossentropy(from_logits=True),
    )
    start = time.perf_counter()
    stages, images, history, counts = train_in_stages(gan, judge, x, args.epochs, verbose="auto")
    seconds = time.perf_counter() - start
    print(f"{steps} steps with {BATCH} images each in {seconds:.0f} s, {1000 * seconds / steps:.1f} ms each")
    print(f"taken for a digit with more than 0.9: {100 * counts.sum() / SAMPLES:.1f} % of {SAMPLES} images")
    print("of each digit: " + ", ".join(f"{digit}: {count}" for digit, count in enumerate(counts)))
    if args.plot:
        figure, (left, middle, right) = new_figure(3, f"A convolutional generator after {steps} steps")
        draw(left, middle, stages, np.reshape(images, (-1, 28, 28)), history)
        show_images(right, gan.generator.predict(gan.points(100), verbose=0)[..., 0], 10, vmin=0, vmax=1)
        save(figure, args.plot)


if __name__ == "__main__":
    main()
