"""A recurrent network writes Plato's Republic, letter by letter, after having learned which letter follows which.

The text is cut into 32 pieces that are read side by side, 64 letters at a time. The LSTM is stateful: it goes on with
the next 64 letters where it was, so that it remembers more than what one gradient runs through (truncated
backpropagation through time). Of each letter it says how probable it is to come next. How good it is is told in bits
per letter on the last tenth of the text, which it never learns from: so many would a file take that is packed with the
help of the network. Beside it: frequencies of letters alone, and after the one, two and three letters before.

Then it writes: each letter is drawn by the probabilities that the network gives, and read by it in turn.

The picture: bits per letter after each epoch, and beside them those of the frequencies; how probable the letters of a
held sentence were.

    FASTGD_DATA=path/to/data python examples/character_model.py --plot character_model.png

Needs text/republic_clean.txt.gz in the folder FASTGD_DATA or in shared/data beside the checkout.
"""

import gzip
import sys
from collections import Counter

import numpy as np
from shared import COLOURS, find_data, new_figure, read_arguments, save, show_table

import fastgd
from fastgd import layers

STREAMS, STEPS = 32, 64
RATE = 4e-3  # of the first epoch; it falls to 0 along half a cosine
SAMPLE = 400
TEMPERATURE = 0.7


def load(path, size):
    """Return the text without what its publishers have put before it, at most `size` letters of it."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        text = file.read()
    begin = text.index("THE REPUBLIC", text.index("*** START") + 60)
    return text[begin:][:size]


def make_network(letters, units, streams, steps):
    """Return the network for batches of so many streams and steps."""
    model = fastgd.Sequential(
        [
            fastgd.Input(batch_shape=(streams, steps), dtype="int32"),
            layers.Embedding(letters, 32),
            layers.LSTM(units, return_sequences=True, stateful=True),
            layers.Dropout(0.2),
            layers.Dense(letters, activation="softmax"),
        ]
    )
    model.compile(fastgd.optimizers.Adam(3e-3, clipnorm=1.0), "sparse_categorical_crossentropy")
    return model


def streams_of(codes, streams, steps):
    """Return inputs and targets (batches * streams, steps) in the order in which stateful batches take them."""
    length = (len(codes) - 1) // (streams * steps) * steps
    x, y = (codes[k : k + streams * length].reshape(streams, -1, steps) for k in (0, 1))
    return tuple(np.ascontiguousarray(part.swapaxes(0, 1)).reshape(-1, steps) for part in (x, y))


def bits_of(model, x, y):
    """Return bits per letter, beginning without memory."""
    model.layers[1].reset_states()
    return float(model.evaluate(x, y, batch_size=STREAMS, verbose=0)) / np.log(2)


def bits_of_frequencies(known, held, order):
    """Return bits per letter of held text by how often letters followed the `order` letters before in known text.

    Half of the weight of each frequency is that after one letter fewer, down to equal ones.
    """
    counts = [Counter(known[k - n : k + 1] for k in range(n, len(known))) for n in range(order + 1)]
    beginnings = [Counter(known[k - n : k] for k in range(n, len(known))) for n in range(order + 1)]
    total = 0.0
    for k in range(order, len(held)):
        p = 1 / 256
        for n in range(order + 1):
            seen = beginnings[n][held[k - n : k]]
            share = counts[n][held[k - n : k + 1]] / seen if seen else p
            # Rare beginnings say less.
            trust = seen / (seen + 5)
            p = trust * share + (1 - trust) * p
        total -= np.log2(p)
    return total / (len(held) - order)


def write(trained, alphabet, units, begin, length, temperature):
    """Return `length` letters that the trained network draws behind `begin`."""
    model = make_network(len(alphabet), units, 1, 1)
    for own, weight in zip(model.trainable_weights, trained.trainable_weights, strict=True):
        own.assign(weight.value)
    rng, text = np.random.default_rng(0), begin
    for letter in begin[:-1]:
        model.predict_on_batch(np.array([[alphabet.index(letter)]]))
    for _ in range(length):
        p = model.predict_on_batch(np.array([[alphabet.index(text[-1])]]))[0, 0].astype("float64")
        p = p ** (1 / temperature)
        text += alphabet[rng.choice(len(p), p=p / p.sum())]
    return text


def main():
    args = read_arguments(__doc__, epochs=16)
    folder = find_data("text")
    if folder is None:
        print("skipped: set FASTGD_DATA to a folder that holds text/republic_clean.txt.gz")
        return
    text = load(folder / "republic_clean.txt.gz", 60_000 if args.quick else None)
    units, order = (16, 2) if args.quick else (256, 3)
    alphabet = sorted(set(text))
    codes = np.array([alphabet.index(letter) for letter in text], "int32")
    known = len(text) * 9 // 10
    (x, y), held = streams_of(codes[:known], STREAMS, STEPS), streams_of(codes[known:], STREAMS, STEPS)
    print(f"{len(text)} letters of {len(alphabet)} kinds, the last {len(text) - known} held back")

    model = make_network(len(alphabet), units, STREAMS, STEPS)
    bits, bar = [], 1 if sys.stdout.isatty() else 0
    for epoch in range(args.epochs):
        model.layers[1].reset_states()
        model.optimizer.learning_rate = RATE * (1 + np.cos(np.pi * epoch / args.epochs)) / 2
        model.fit(x, y, batch_size=STREAMS, epochs=1, shuffle=False, verbose=bar)
        bits.append(bits_of(model, *held))
        print(f"epoch {epoch + 1}: {bits[-1]:.3f} bits per letter on held text")
    rows = [(f"LSTM of {units} units", bits[-1])]
    rows += [
        (f"frequencies after {n} letters", bits_of_frequencies(text[:known], text[known:], n)) for n in range(order + 1)
    ]
    show_table(["bits per letter of held text", ""], rows)
    begin = "And what is justice, Socrates? I said"
    begin = "".join(letter for letter in begin if letter in alphabet)
    written = write(model, alphabet, units, begin, 60 if args.quick else SAMPLE, TEMPERATURE)
    print(f"\n{written}\n")
    if args.plot:
        draw(args.plot, bits, rows, model, held, alphabet)


def draw(path, bits, rows, model, held, alphabet):
    """Draw the bits, and how probable some letters were."""
    figure, (left, right) = new_figure(2, "The Republic, letter by letter")
    left.plot(range(1, len(bits) + 1), bits, "o-", color=COLOURS[0], label=rows[0][0])
    for colour, (name, value) in zip(COLOURS[1:], rows[1:], strict=False):
        left.axhline(value, color=colour, linestyle="--", label=name)
    left.set(xlabel="epoch", ylabel="bits per letter on held text", xticks=range(1, len(bits) + 1))
    left.legend(fontsize=8)
    x, y = (part[:STREAMS] for part in held)
    model.layers[1].reset_states()
    p = model.predict(x, batch_size=STREAMS, verbose=0)[1]
    chosen = np.take_along_axis(p, y[1][:, None], axis=-1)[:, 0]
    shown = slice(STEPS - 40, None)
    right.bar(range(40), chosen[shown], color=COLOURS[0])
    right.set_xticks(
        range(40), [alphabet[k].replace("\n", "¶").replace(" ", "·") for k in y[1][shown]], family="monospace"
    )
    right.set(ylabel="probability of the letter that came", ylim=(0, 1))
    save(figure, path)


if __name__ == "__main__":
    main()
