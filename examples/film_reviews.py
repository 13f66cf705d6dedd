"""A recurrent network reads film reviews and tells praise from blame, beside a logistic regression on words.

2,000 reviews, half of them good, are cut into words; each word is a vector that the network learns, a bidirectional GRU
reads these in order, and the mean of what it says at each word decides. The reviews differ in length: shorter ones are
filled up with zeros, which the mask of the embedding keeps out of everything behind it. The regression of scikit-learn
sees which words a review has, weighted by their rarity (TF-IDF), and no order. Five times another fifth of the reviews
is held back; words are counted on the rest alone.

The picture: the accuracy on each held fifth; how sure the network is of good and of bad reviews.

    FASTGD_DATA=path/to/data python examples/film_reviews.py --plot film_reviews.png

Needs scikit-learn, and text/review_polarity.tar.gz in the folder FASTGD_DATA or in shared/data beside the checkout.
"""

import sys
import tarfile

import numpy as np
from shared import COLOURS, find_data, new_figure, read_arguments, save, show_table

import fastgd
from fastgd import layers

FOLDS = 5
WORDS, LENGTH = 10000, 200


def load(path, each):
    """Return the first reviews of each kind as texts, whether they are good, and the fold that each belongs to."""
    texts, good, numbers = [], [], []
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            if not member.name.endswith(".txt"):
                continue
            number = int(member.name.rpartition("/")[2][2:5])
            if number < each:
                texts.append(archive.extractfile(member).read().decode("latin-1"))
                good.append("/pos/" in member.name)
                numbers.append(number)
    return np.array(texts), np.array(good, "float32"), np.array(numbers) * FOLDS // each


def make_network(units):
    """Return the network."""
    model = fastgd.Sequential(
        [
            fastgd.Input((LENGTH,), dtype="int32"),
            layers.Embedding(WORDS, 2 * units, mask_zero=True),
            layers.SpatialDropout1D(0.3),
            layers.Bidirectional(layers.GRU(units, return_sequences=True)),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.5),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(fastgd.optimizers.Adam(3e-3), "binary_crossentropy", metrics=["accuracy"])
    return model


def read(texts, good, held_texts, units, epochs, bar):
    """Train the network, and return how good it thinks the held reviews are, from 0 to 1."""
    words = layers.TextVectorization(WORDS, output_sequence_length=LENGTH)
    # Whoever writes at length comes to the verdict at the end.
    words.adapt(texts)
    last, held = (words([" ".join(text.split()[-LENGTH:]) for text in part]) for part in (texts, held_texts))
    model = make_network(units)
    model.fit(last, good, batch_size=32, epochs=epochs, verbose=bar)
    return model.predict(held, verbose=0)[:, 0]


def count(texts, good, held_texts):
    """Train the regression, and return the same."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    model = LogisticRegression(C=10.0, max_iter=1000).fit(words.fit_transform(texts), good)
    return model.predict_proba(words.transform(held_texts))[:, 1]


def main():
    args = read_arguments(__doc__, epochs=6)
    folder = find_data("text")
    if folder is None:
        print("skipped: set FASTGD_DATA to a folder that holds text/review_polarity.tar.gz")
        return
    try:
        import sklearn  # noqa: F401 - only whether it is there
    except ImportError:
        print("skipped: the comparison needs scikit-learn: pip install 'fastgd[examples]'")
        return
    texts, good, folds = load(folder / "review_polarity.tar.gz", each=20 if args.quick else 1000)
    bar = 1 if sys.stdout.isatty() else 0
    print(f"{len(texts)} reviews, {FOLDS} times a fifth of them held back")
    rows, sure = [], np.zeros(len(texts))
    for fold in range(FOLDS):
        held = folds == fold
        data = texts[~held], good[~held], texts[held]
        fastgd.utils.set_random_seed(fold)
        sure[held] = read(*data, 4 if args.quick else 32, args.epochs, bar)
        guesses = sure[held], count(*data)
        rows.append((f"fifth {fold + 1}", *(100 * float(np.mean((p > 0.5) == good[held])) for p in guesses)))
    rows.append(("mean", *np.mean([row[1:] for row in rows], axis=0)))
    kinds = ("GRU", "TF-IDF and logistic regression")
    show_table(["held reviews, accuracy in %", *kinds], rows)
    if args.plot:
        draw(args.plot, rows, kinds, sure, good)


def draw(path, rows, kinds, sure, good):
    """Draw the accuracies, and how sure the network is."""
    figure, (left, right) = new_figure(2, "Film reviews: praise or blame?")
    for k, kind in enumerate(kinds):
        left.bar(
            np.arange(len(rows)) + 0.4 * (k - 0.5), [row[k + 1] for row in rows], 0.38, color=COLOURS[k], label=kind
        )
    left.axhline(50, color="0.4", linestyle="--", label="chance")
    left.set_xticks(range(len(rows)), [row[0] for row in rows])
    left.set(ylabel="accuracy on held reviews, %", ylim=(40, 110))
    left.legend(fontsize=8)
    for k, (name, chosen) in enumerate((("good", good == 1), ("bad", good == 0))):
        right.hist(sure[chosen], np.linspace(0, 1, 21), color=COLOURS[k], alpha=0.6, label=f"{name} reviews")
    right.set(xlabel="how good the network thinks a review is", ylabel="reviews")
    right.legend()
    save(figure, path)


if __name__ == "__main__":
    main()
