"""The layers that work on strings: Keras' results, what they refuse, and how they stand before a model."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest

import fastgd
import text_cases
from fastgd import layers, saving
from fastgd.utils.fingerprints import farmhash64, siphash64

EXPECTED = json.loads(text_cases.RESULTS.read_text(encoding="utf-8"))


def test_results_are_those_of_keras():
    cases = list(text_cases.cases())
    assert len(cases) == len(EXPECTED) > 150
    for case, expected in zip(cases, EXPECTED, strict=True):
        found = text_cases.run(layers, case)
        # Weights are rounded to float32 once here and once there.
        if expected["dtype"] == "float32":
            np.testing.assert_allclose(found.pop("results"), expected.pop("results"), rtol=1e-6, err_msg=str(case))
        assert found == expected, case


def test_configs_keep_what_was_learned():
    for case in text_cases.cases():
        name, options, data, inputs = case
        layer = getattr(layers, name)(**options)
        if data is not None:
            layer.adapt(data)
        config = json.loads(json.dumps(layer.get_config()))
        again = type(layer).from_config(config)
        assert again.get_config() == layer.get_config()
        np.testing.assert_array_equal(again(inputs), layer(inputs))
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(layer))(inputs), layer(inputs))


def test_configs_of_keras():
    dtype = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
    shared = {"trainable": True, "dtype": dtype, "sparse": False, "idf_weights": None, "output_mode": "int"}
    lookup = {
        **shared, "invert": False, "max_tokens": None, "num_oov_indices": 1, "oov_token": "[UNK]", "mask_token": None,
        "pad_to_max_tokens": False, "vocabulary": ["a", "b"], "vocabulary_size": 3, "oov_method": "floormod",
        "salt": None, "encoding": "utf-8",
    }  # fmt: skip
    vectorize = {
        **shared, "max_tokens": None, "standardize": "lower", "split": "whitespace", "ngrams": None,
        "output_sequence_length": 3, "pad_to_max_tokens": False, "ragged": False, "vocabulary": ["a", "b"],
        "encoding": "utf-8", "vocabulary_size": 4,
    }  # fmt: skip
    for name, config, expected in (
        ("StringLookup", lookup, [[1], [0]]), ("TextVectorization", vectorize, [[2, 0, 0], [1, 0, 0]]),
    ):  # fmt: skip
        entry = {"module": "keras.layers", "class_name": name, "config": {"name": "words", **config}}
        np.testing.assert_array_equal(saving.deserialize_keras_object(entry)([["a"], ["z"]]), expected)


def test_strings_of_every_kind():
    layer = layers.StringLookup(vocabulary=["é", "b"])
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for words in (
        ["é", "x", "b"], ("é", "x", "b"), np.array(["é", "x", "b"]), np.array(["é", "x", "b"], object),
        ["é".encode(), b"x", b"b"], np.array(["é".encode(), b"x", b"b"]), pandas.Series(["é", "x", "b"]),
        polars.Series(["é", "x", "b"]),
    ):  # fmt: skip
        np.testing.assert_array_equal(layer(words), [1, 0, 2])
    latin = layers.StringLookup(vocabulary=["é".encode("latin-1")], encoding="latin-1")
    assert latin.get_vocabulary() == ["[UNK]", "é"]
    np.testing.assert_array_equal(latin(["é".encode("latin-1"), "e"]), [1, 0])
    assert layer([]).shape == (0,)


def test_batches_to_adapt_to():
    texts = ["a b", "b c", "c c d"]
    whole, parts, first = (layers.TextVectorization() for _ in range(3))
    whole.adapt(np.array(texts))
    parts.adapt(np.array([text]) for text in texts)
    assert whole.get_vocabulary() == parts.get_vocabulary() == ["", "[UNK]", "c", "b", "d", "a"]
    first.adapt(([text] for text in texts), steps=2)
    assert first.get_vocabulary(include_special_tokens=False) == ["b", "c", "a"]
    # A batch that is a vector of tokens is one sample.
    layer = layers.StringLookup(output_mode="tf_idf")
    layer.adapt(iter([["a", "b"], ["a", "a"]]))
    np.testing.assert_allclose(layer([["b", "a"]])[0, 1:], np.log([1 + 2 / 3, 1 + 2 / 2]), rtol=1e-6)
    # A second vocabulary takes the place of the first.
    whole.adapt(["z"])
    assert whole.get_vocabulary() == ["", "[UNK]", "z"]


def test_functions_of_ones_own():
    def shout(texts: Any) -> Any:
        return np.char.upper(texts)

    def at_bars(texts: Any) -> Any:
        return [text.split("|") for text in texts]

    layer = layers.TextVectorization(standardize=shout, split=at_bars, vocabulary=["A", "B"])
    np.testing.assert_array_equal(layer(["a|b", "q"]), [[2, 3], [1, 0]])
    assert layer.get_config()["split"] is at_bars
    before = dict(saving.get_custom_objects())
    try:
        saving.register_keras_serializable("texts")(shout)
        saving.register_keras_serializable("texts")(at_bars)
        config = json.loads(json.dumps(layer.get_config()))
        np.testing.assert_array_equal(type(layer).from_config(config)(["a|b", "q"]), [[2, 3], [1, 0]])
    finally:
        saving.get_custom_objects().clear()
        saving.get_custom_objects().update(before)
    with pytest.raises(TypeError, match="`standardize` must name a registered function"):
        type(layer).from_config(config)
    wrong = layers.TextVectorization(split=lambda texts: [["a"]], vocabulary=["a"])
    with pytest.raises(ValueError, match="`split` must return 2 lists"):
        wrong(["a", "b"])


def test_a_vocabulary_in_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("b\né\n", encoding="utf-8")
    for layer in (layers.StringLookup(vocabulary=str(path)), layers.TextVectorization(vocabulary=path)):
        assert layer.get_vocabulary()[-2:] == ["b", "é"]
    path.write_text("7\n3\n")
    np.testing.assert_array_equal(layers.IntegerLookup(vocabulary=str(path))([3, 7, 1]), [2, 1, 0])
    with pytest.raises(FileNotFoundError, match="one token in each line. Received: nowhere.txt"):
        layers.StringLookup(vocabulary="nowhere.txt")
    with pytest.raises(TypeError, match="opens no files"):
        layers.StringLookup.from_config({"vocabulary": str(path)})
    with pytest.raises(ValueError, match="must be a list"):
        layers.StringLookup(vocabulary=str(path), output_mode="tf_idf", idf_weights=[1.0])


def test_texts_before_a_model():
    layer = layers.TextVectorization(output_mode="multi_hot")
    texts, labels = ["good film", "bad film", "good good", "bad"] * 8, np.array([1, 0, 1, 0] * 8)
    layer.adapt(texts)
    model = fastgd.Sequential([layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    model.fit(layer(texts), labels, verbose=0)
    assert model.predict(layer(["a good one"]), verbose=0).shape == (1, 1)
    for use in (
        lambda: layer(fastgd.Input((1,))),
        lambda: fastgd.Sequential([fastgd.Input((1,)), layer, layers.Dense(1)]),
    ):
        with pytest.raises(TypeError, match=r"cannot be part of a model. Apply it first.*layer\(texts\)"):
            use()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.StringLookup()(["a"]), ValueError, "has no vocabulary yet: call `adapt`"),
        (lambda: layers.TextVectorization()(["a"]), ValueError, "has no vocabulary yet: call `adapt`"),
        (lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"]), ValueError, "was given a vocabulary"),
        (lambda: layers.StringLookup(vocabulary=["a"])([1]), TypeError, "`inputs` must hold strings"),
        (lambda: layers.StringLookup(vocabulary=["a"])([["a"], ["a", "b"]]), TypeError, "rows of one length"),
        (lambda: layers.StringLookup(vocabulary=["a"])(["a"], 3), TypeError, "takes inputs alone"),
        (lambda: layers.StringLookup().adapt(["a"], steps=2), ValueError, "`steps` is for data in batches"),
        (lambda: layers.StringLookup().adapt([]), ValueError, "at least one token"),
        (lambda: layers.StringLookup(max_tokens=1), ValueError, "`max_tokens` must be 2 or more"),
        (lambda: layers.StringLookup(vocabulary=[]), ValueError, "at least one token"),
        (lambda: layers.StringLookup(vocabulary=["a", "a"]), ValueError, "each token once.*'a'"),
        (lambda: layers.StringLookup(vocabulary=["a", "m"], mask_token="m"), ValueError, "`mask_token` in none but"),
        (lambda: layers.StringLookup(vocabulary=["a", "[UNK]"], invert=True), ValueError, "`oov_token` in none but"),
        (lambda: layers.StringLookup(vocabulary=["a", "b"], max_tokens=2), ValueError, "has 3 tokens"),
        (lambda: layers.StringLookup(pad_to_max_tokens=True), ValueError, "needs `max_tokens`"),
        (lambda: layers.StringLookup(invert=True, output_mode="count"), ValueError, "`output_mode` must be 'int'"),
        (lambda: layers.StringLookup(output_mode="counts"), ValueError, "Did you mean 'count'"),
        (lambda: layers.StringLookup(output_mode="count", sparse=True), ValueError, "`sparse` must be False"),
        (lambda: layers.StringLookup(vocabulary=["a"], idf_weights=[1.0]), ValueError, "`idf_weights` are for"),
        (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf"), ValueError, "`idf_weights` must be"),
        (
            lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf", idf_weights=[1.0, 2.0]),
            ValueError,
            "must hold 1 numbers",
        ),
        (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), ValueError, "token='b'"),
        (lambda: layers.StringLookup(mask_token=3), TypeError, "`mask_token` must be a string"),
        (lambda: layers.Hashing(3, output_mode="count")([[["a"]]]), ValueError, r"\(batch, items\)"),
        (lambda: layers.IntegerLookup(vocabulary=[1])([1.5]), TypeError, "`inputs` must hold integers"),
        (lambda: layers.IntegerLookup(vocabulary=["x"]), TypeError, "`vocabulary` must hold integers"),
        (lambda: layers.IntegerLookup(vocabulary_dtype="int32"), ValueError, "`vocabulary_dtype` must be 'int64'"),
        (lambda: layers.IntegerLookup(salt=3), ValueError, "`salt` is for `oov_method='farmhash'`"),
        (lambda: layers.IntegerLookup(oov_method="farmhash", salt=[1, 2, 3]), ValueError, "`salt` must be an integer"),
        (lambda: layers.IntegerLookup(oov_method="modulo"), ValueError, "method for unknown tokens"),
        (lambda: layers.TextVectorization(standardize="upper"), ValueError, "way to standardize"),
        (lambda: layers.TextVectorization(split="char"), ValueError, "Did you mean 'character'"),
        (lambda: layers.TextVectorization(ngrams=0), ValueError, "`ngrams` must be 1 or more"),
        (lambda: layers.TextVectorization(output_mode="one_hot"), ValueError, "needs `split=None`"),
        (lambda: layers.TextVectorization(ragged=True), ValueError, "`ragged` must be False"),
        (
            lambda: layers.TextVectorization(output_mode="count", output_sequence_length=3),
            ValueError,
            "is for `output_mode='int'`",
        ),
        (lambda: layers.TextVectorization(vocabulary=["a"])([["a", "b"]]), ValueError, "one text per sample"),
        (lambda: layers.Hashing(0), ValueError, "`num_bins` must be 1 or more"),
        (lambda: layers.Hashing(3, dtype="float32"), ValueError, "`dtype` must be 'int32' or 'int64'"),
        (lambda: layers.Hashing(3)([np.nan]), ValueError, "finite"),
        (lambda: layers.Hashing(3)([None]), TypeError, "must hold strings"),
    ],
)  # fmt: skip
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_published_hashes():
    # The example of SipHash's paper, and the fingerprint of nothing.
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    assert siphash64(bytes(range(15)), key) == 0xA129CA6149BE45E5
    assert farmhash64(b"") == 0x9AE16A3B2F90404F
