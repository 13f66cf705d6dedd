"""What layers have learned travels between Keras and fastgd in `.keras` files: the same indices and vectors."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
pytest.importorskip("h5py")

import fastgd  # noqa: E402
from fastgd import saving  # noqa: E402

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow, on which Keras splits"
)

TEXTS, WORDS = ["the cat sat on the mat", "a dog, a cat", "Dog é mat mat"], ["b", "a", "b", "c"]


def model_class(library: Any, register: Any, padded: bool) -> Any:
    """Return a model with layers that learn vocabularies, of fastgd or of Keras."""
    layers = library.layers

    @register("test_vocabularies_parity")
    class Texts(library.Model):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.texts = layers.TextVectorization(output_sequence_length=4)
            self.weighed = layers.TextVectorization(output_mode="tf_idf", max_tokens=20, pad_to_max_tokens=padded)
            self.words = layers.StringLookup(mask_token="b", num_oov_indices=2)
            self.counted = layers.StringLookup(output_mode="tf_idf")
            self.numbers = layers.IntegerLookup(mask_token=0)
            self.given = layers.StringLookup(vocabulary=["x", "y"])
            self.out = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.out(x)

        def get_config(self) -> dict[str, Any]:
            return {"name": self.name}

        def learn(self) -> Any:
            self.texts.adapt(TEXTS)
            self.weighed.adapt(TEXTS)
            self.words.adapt(WORDS)
            self.counted.adapt(WORDS)
            self.numbers.adapt([5, 7, 7, -3])
            self(np.ones((1, 3), "float32"))
            return self

        def results(self) -> list[Any]:
            texts, words = ["a cat on a zebra", "mat é"], ["a", "b", "z", "c"]
            found = [self.texts(texts), self.weighed(texts), self.words(words), self.counted(words)]
            found += [self.numbers([7, 0, -3, 9]), self.given(["y", "z"]), self(np.ones((2, 3), "float32"))]
            return [np.asarray(keras.ops.convert_to_numpy(x)) for x in found]

    return Texts


# Layers with a vocabulary count as not built in Keras, which warns of it. It cannot read what it writes itself of
# vectors that are filled up.
@pytest.mark.filterwarnings("ignore:.build... was called on layer:UserWarning")
@pytest.mark.parametrize(("begin", "padded"), [("fastgd", False), ("keras", False), ("keras", True)])
def test_vocabularies_go_both_ways(begin: str, padded: bool, tmp_path: Path) -> None:
    classes = {
        "fastgd": model_class(fastgd, saving.register_keras_serializable, padded),
        "keras": model_class(keras, keras.saving.register_keras_serializable, padded),
    }
    other = "keras" if begin == "fastgd" else "fastgd"
    model = classes[begin]().learn()
    model.save(tmp_path / "m.keras")
    objects = {"test_vocabularies_parity>Texts": classes[other]}
    again = {"fastgd": fastgd, "keras": keras}[other].models.load_model(tmp_path / "m.keras", custom_objects=objects)
    for got, want in zip(again.results(), model.results(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7)
