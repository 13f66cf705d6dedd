"""Configurations of the layers for strings, with what Keras makes of them in tests/text_results.json.

`KERAS_BACKEND=tensorflow python tests/text_cases.py` writes that file, or the one named; Keras' layers need TensorFlow.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("text_results.json")

TEXTS = ["Foo, bar! Foo", "bar\tbaz  x", " baz\n bada-boom's", "ÉÉ é İI ﬁ ß"]
NEW = ["foo, Bar qux", "", "ÉÉ é bada\u00a0boom İI\x1cz", "baz baz bar foo"]
WORDS = [["a", "b", "a"], ["c", "", "[UNK]"], ["é", "a", "B"]]
NEW_WORDS = [["a", "q", ""], ["B", "[UNK]", "zz"]]
NUMBERS = [[3, 3, 5], [7, -1, 0], [7, 7, 0]]
NEW_NUMBERS = [[7, 4, 0], [-9, 5, 12]]
SIZES = (0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 300)
LONG = [["x" * k + "é" * (k % 3) for k in SIZES]]

# Class, arguments, data to adapt to (None for none), and inputs.
Case = tuple[str, dict[str, Any], Any, Any]


def cases() -> Iterator[Case]:
    """Yield every configuration."""
    for options in (
        {}, {"ngrams": 2}, {"ngrams": (2,)}, {"ngrams": (1, 3)}, {"split": "character"}, {"standardize": None},
        {"standardize": "lower"}, {"standardize": "strip_punctuation"}, {"max_tokens": 4},
        {"output_sequence_length": 2}, {"output_sequence_length": 9}, {"ngrams": 2, "split": "character"},
        {"split": None}, {"split": None, "output_sequence_length": 3},
        {"output_mode": "multi_hot"}, {"output_mode": "count"}, {"output_mode": "tf_idf"},
        {"output_mode": "multi_hot", "max_tokens": 4, "pad_to_max_tokens": True},
        {"output_mode": "count", "max_tokens": 40, "pad_to_max_tokens": True},
        {"output_mode": "tf_idf", "max_tokens": 40, "pad_to_max_tokens": True, "ngrams": 2},
    ):  # fmt: skip
        yield ("TextVectorization", options, TEXTS, NEW)
        yield ("TextVectorization", options, [[text] for text in TEXTS], [[text] for text in NEW])
    yield ("TextVectorization", {"split": None, "ngrams": 2}, [["a", "b"], ["c", "d"]], [["a", "b"], ["x", "d"]])
    yield ("TextVectorization", {"split": None, "output_mode": "one_hot"}, ["a", "b"], ["b", "x"])
    yield ("TextVectorization", {"split": None, "output_mode": "one_hot"}, ["a", "b"], [["b"]])
    yield ("TextVectorization", {}, TEXTS, "foo bar zz")
    yield ("TextVectorization", {"vocabulary": ["", "[UNK]", "foo"]}, None, NEW)
    weights = {"vocabulary": ["a", "b"], "idf_weights": [0.5, 0.25], "output_mode": "tf_idf"}
    yield ("TextVectorization", weights, None, ["a a b", "x"])
    for mode in ("int", "one_hot", "multi_hot", "count", "tf_idf"):
        for options in (
            {}, {"mask_token": ""}, {"num_oov_indices": 3}, {"mask_token": "", "num_oov_indices": 2, "salt": [5, 9]},
            {"max_tokens": 4}, {"max_tokens": 9, "mask_token": "", "pad_to_max_tokens": True},
        ):  # fmt: skip
            yield ("StringLookup", {**options, "output_mode": mode}, WORDS, NEW_WORDS)
        yield ("StringLookup", {"output_mode": mode}, WORDS[0], NEW_WORDS[0])
        yield ("StringLookup", {"output_mode": mode}, WORDS[0], [[word] for word in NEW_WORDS[0]])
        yield ("StringLookup", {"output_mode": mode}, WORDS[0], "b")
        for options in (
            {}, {"mask_token": 0}, {"num_oov_indices": 3}, {"mask_token": 0, "num_oov_indices": 2},
            {"num_oov_indices": 4, "oov_method": "farmhash"}, {"max_tokens": 3},
            {"num_oov_indices": 4, "oov_method": "farmhash", "salt": 7},
        ):  # fmt: skip
            yield ("IntegerLookup", {**options, "output_mode": mode}, NUMBERS, NEW_NUMBERS)
    given = ["b", "a", "é"]
    for invert in (False, True):
        inputs: Any = [-1, 0, 1, 2, 3, 4, 5, 6] if invert else ["a", "é", "b", "a"]
        for options in (
            {"vocabulary": given}, {"vocabulary": given, "mask_token": ""},
            {"vocabulary": ["", "[UNK]", *given], "mask_token": "", "oov_token": "[UNK]"},
            {"vocabulary": given, "num_oov_indices": 0}, {"vocabulary": given, "num_oov_indices": 2},
        ):  # fmt: skip
            yield ("StringLookup", {**options, "invert": invert}, None, inputs)
    yield ("StringLookup", {"vocabulary": ["a", "[UNK]"]}, None, ["a", "b", "[UNK]"])
    yield ("IntegerLookup", {"vocabulary": [5, 7], "invert": True, "mask_token": 1}, None, [[0, 1], [2, 3]])
    yield ("IntegerLookup", {"vocabulary": [5, 7]}, None, [[5], [6]])
    whole = ["[UNK]", "a", "b"]
    yield (
        "StringLookup",
        {"vocabulary": whole, "idf_weights": [0.1, 0.2, 0.3], "output_mode": "tf_idf"},
        None,
        [whole],
    )
    for options in ({}, {"salt": 133}, {"salt": [133, 137]}, {"mask_value": "x"}, {"mask_value": "x", "salt": 3}):
        yield ("Hashing", {"num_bins": 2**40, **options}, None, LONG)
        for mode in ("one_hot", "multi_hot", "count"):
            yield ("Hashing", {"num_bins": 5, "output_mode": mode, **options}, None, LONG)
    for numbers in ([1, 2, -3], [[1], [2]], [1.5, 2.0, -3.7]):
        yield ("Hashing", {"num_bins": 1000}, None, numbers)
    yield ("Hashing", {"num_bins": 1000, "mask_value": 2}, None, [1, 2, 3])
    yield ("Hashing", {"num_bins": 1, "mask_value": "a"}, None, ["a", "b"])
    yield ("Hashing", {"num_bins": 3, "output_mode": "one_hot"}, None, [["a"], ["b"]])
    yield ("Hashing", {"num_bins": 3, "output_mode": "count"}, None, ["a", "b"])


def run(layers: Any, case: Case) -> dict[str, Any]:
    """Return the results of a configuration, and the vocabulary that goes with them."""
    import numpy as np

    name, options, data, inputs = case
    layer = getattr(layers, name)(**options)
    if data is not None:
        layer.adapt(data)
    results = np.asarray(layer(inputs))
    if results.dtype.kind in "OS":
        results = np.array([text.decode() for text in results.reshape(-1)]).reshape(results.shape)
    found = {"dtype": "str" if results.dtype.kind == "U" else str(results.dtype), "shape": list(results.shape)}
    found["results"] = results.tolist()
    if hasattr(layer, "get_vocabulary"):
        vocabulary = [token.item() if hasattr(token, "item") else token for token in layer.get_vocabulary()]
        found |= {"vocabulary": vocabulary, "size": int(layer.vocabulary_size())}
    return found


def main(path: Path) -> None:
    """Write what Keras makes of the configurations."""
    import keras

    lines = [json.dumps(run(keras.layers, case), ensure_ascii=False) for case in cases()]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS)
