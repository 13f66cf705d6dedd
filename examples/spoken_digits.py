"""A one-dimensional convolutional network and a GRU hear digits from speakers they have never heard.

Six people say each digit 50 times. Whoever holds recordings back at random gets a good figure cheaply, for the network
then knows every voice. Here each speaker in turn is held back, and the network learns from the other five. What it
sees is the logarithm of the spectrum on mel bands, every 12.5 ms; it convolves along time. In training this picture is
moved at random, in time, because words begin anywhere, and by some bands, because voices differ in pitch; it is also
stretched a little. The GRU reads the same pictures frame after frame, forwards and backwards; the mean of what it says
at each frame decides. Beside both: softmax regression on the same numbers.

The picture: which digits were taken for which, over all held speakers; the accuracy for each of them; the spectra of
some recordings.

    FASTGD_DATA=path/to/data python examples/spoken_digits.py --plot spoken_digits.png

Needs SciPy, and speech/free-spoken-digits.zip in the folder FASTGD_DATA or in shared/data beside the checkout.
"""

import io
import zipfile

import numpy as np
from shared import COLOURS, find_data, new_figure, read_arguments, save, show_table

import fastgd
from fastgd import layers

RATE = 8000
WINDOW, HOP = 256, 100
FRAMES, BANDS = 64, 40
KINDS = ("convolutional network", "GRU", "softmax regression")


def mel_bands():
    """Return the weights of triangular bands (frequencies, BANDS), equally wide on the mel scale."""
    frequencies = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    mel = 2595 * np.log10(1 + frequencies / 700)
    corners = np.linspace(mel[2], mel[-1], BANDS + 2)
    rising = (mel[:, None] - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - mel[:, None]) / (corners[2:] - corners[1:-1])
    return np.maximum(np.minimum(rising, falling), 0)


def spectrum(wave, bands):
    """Return the logarithm of the spectrum (FRAMES, BANDS) around the middle of the sound.

    Each band has mean 0 while somebody speaks, which takes away most of what microphone and room do; silence is -1.5.
    """
    from scipy.signal import spectrogram

    wave = np.pad(wave.astype("float32"), max(0, (FRAMES + 2) * HOP + WINDOW - len(wave)) // 2 + HOP)
    power = spectrogram(wave, RATE, "hann", WINDOW, WINDOW - HOP)[2].T @ bands
    energy = power.sum(axis=1)
    middle = int(np.sum(energy * np.arange(len(energy))) / energy.sum())
    first = min(max(0, middle - FRAMES // 2), len(power) - FRAMES)
    speech = (energy > 1e-3 * energy.max())[first : first + FRAMES]
    sound = np.log10(np.maximum(power, 1e-4 * power.max()))[first : first + FRAMES]
    sound -= sound[speech].mean(axis=0)
    return np.where(speech[:, None], sound / sound[speech].std(), -1.5).astype("float32")


def load_recordings(path, each):
    """Return the spectra, the digits and the speakers of the first recordings of each digit by each speaker."""
    from scipy.io import wavfile

    bands, x, y, speakers = mel_bands(), [], [], []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith(".wav"):
                continue
            digit, speaker, number = name.rpartition("/")[2].removesuffix(".wav").split("_")
            if int(number) < each:
                _, wave = wavfile.read(io.BytesIO(archive.read(name)))
                x.append(spectrum(wave, bands))
                y.append(int(digit))
                speakers.append(speaker)
    return np.array(x), np.array(y), np.array(speakers)


def moved():
    """Return the layers that every network begins with: they move the pictures, and add noise to them."""
    return [
        fastgd.Input((FRAMES, BANDS)),
        layers.Reshape((FRAMES, BANDS, 1)),
        layers.RandomTranslation(0.1, 0.08, "nearest"),
        layers.RandomZoom(0.15, 0.1, "nearest"),
        layers.Reshape((FRAMES, BANDS)),
        layers.GaussianNoise(0.2),
    ]


def make_network():
    """Return the convolutional network."""
    parts = moved()
    for filters in (64, 96, 128):
        parts += [
            layers.Conv1D(filters, 5, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.Activation("relu"),
            layers.MaxPooling1D(2),
            layers.Dropout(0.2),
        ]
    parts += [layers.GlobalAveragePooling1D(), layers.Dropout(0.3), layers.Dense(10, "softmax")]
    return fastgd.Sequential(parts)


def make_gru():
    """Return the recurrent network."""
    parts = moved()
    parts += [layers.Bidirectional(layers.GRU(64, return_sequences=True)), layers.GlobalAveragePooling1D()]
    return fastgd.Sequential([*parts, layers.Dropout(0.3), layers.Dense(10, "softmax")])


def make_regression():
    """Return softmax regression on all numbers of the spectrum."""
    return fastgd.Sequential([fastgd.Input((FRAMES, BANDS)), layers.Flatten(), layers.Dense(10, "softmax")])


def answers(model, x, y, x_held, epochs):
    """Train, and return what the model takes the held recordings for."""
    model.compile(fastgd.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(x, y, 64, epochs, verbose=0)
    return model.predict(x_held, verbose=0).argmax(axis=1)


def main():
    args = read_arguments(__doc__, epochs=20)
    folder = find_data("speech")
    if folder is None:
        print("skipped: set FASTGD_DATA to a folder that holds speech/free-spoken-digits.zip")
        return
    try:
        import scipy.io  # noqa: F401 - only whether it is there
    except ImportError:
        print("skipped: reading sounds needs SciPy: pip install 'fastgd[examples]'")
        return
    x, y, speakers = load_recordings(folder / "free-spoken-digits.zip", each=3 if args.quick else 50)
    names = sorted(set(speakers))
    print(f"{len(x)} recordings of {len(names)} speakers, each held back in turn")
    rows, found = [], np.zeros_like(y)
    for name in names[: 2 if args.quick else None]:
        held = speakers == name
        data = x[~held], y[~held], x[held]
        fastgd.utils.set_random_seed(0)
        found[held] = answers(make_network(), *data, args.epochs)
        guesses = [
            found[held],
            answers(make_gru(), *data, args.epochs),
            answers(make_regression(), *data, args.epochs),
        ]
        rows.append((name, *(100 * float(np.mean(guess == y[held])) for guess in guesses)))
    rows.append(("mean", *np.mean([row[1:] for row in rows], axis=0)))
    show_table(["held speaker, accuracy in %", *KINDS], rows)
    if args.plot:
        heard = np.isin(speakers, [row[0] for row in rows])
        draw(args.plot, rows, x[heard], y[heard], found[heard])


def draw(path, rows, x, y, found):
    """Draw the confusions, the accuracies and some spectra."""
    figure, (left, middle, right) = new_figure(3, "Digits from speakers never heard")
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (y, found), 1)
    left.imshow(confusion / confusion.sum(axis=1, keepdims=True), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            colour = "white" if 2 * count > confusion[row].sum() else "black"
            left.text(column, row, str(count), ha="center", va="center", fontsize=7, color=colour)
    left.set(xticks=range(10), yticks=range(10), xlabel="taken for", ylabel="said")
    left.grid(visible=False)

    for k, kind in enumerate(KINDS):
        places = np.arange(len(rows)) + 0.28 * (k - 1)
        middle.bar(places, [row[k + 1] for row in rows], 0.26, color=COLOURS[k], label=kind)
    middle.axhline(10, color="0.4", linestyle="--", label="chance")
    middle.set_xticks(range(len(rows)), [row[0] for row in rows], rotation=30)
    middle.set(ylabel="accuracy on the held speaker, %", ylim=(0, 130))
    middle.legend(ncols=2, fontsize=8)

    shown = [np.flatnonzero(y == digit)[0] for digit in range(10)]
    sounds = [np.pad(x[k].T[::-1], 2, constant_values=np.nan) for k in shown]
    right.imshow(np.vstack([np.hstack(sounds[:5]), np.hstack(sounds[5:])]), cmap="magma", aspect="auto")
    right.set(xticks=[], yticks=[], title="digits 0 to 9: bands upwards, time to the right")
    right.grid(visible=False)
    save(figure, path)


if __name__ == "__main__":
    main()
