"""Vocabularies in `.keras` files: in files of their own, as Keras keeps them, there and back, damaged and hostile."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, saving

pytest.importorskip("h5py")

TEXTS, WORDS = ["the cat sat on the mat", "a dog, a cat", "Dog é mat mat"], ["b", "a", "b", "c"]


@saving.register_keras_serializable("test_vocabularies")
class Texts(fastgd.Model):
    """A model that keeps what prepares its data; its config tells nothing of what was learned."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.texts = layers.TextVectorization(output_sequence_length=4)
        self.weighed = layers.TextVectorization(output_mode="tf_idf")
        self.words = layers.StringLookup(mask_token="b", num_oov_indices=2)
        self.numbers = layers.IntegerLookup(output_mode="tf_idf")
        self.given = layers.StringLookup(vocabulary=["x", "y\nz"])
        self.unlearned = layers.StringLookup()
        self.out = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.out(x)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    def learn(self) -> Texts:
        """Learn all vocabularies and build the layer with weights."""
        self.texts.adapt(TEXTS)
        self.weighed.adapt(TEXTS)
        self.words.adapt(WORDS)
        self.numbers.adapt([[5, 7], [7, -3]])
        self(np.ones((1, 3), np.float32))
        return self

    def results(self) -> list[Any]:
        """Return what the layers make of new data."""
        texts = ["a cat on a zebra", "mat é"]
        given = self.given(["y\nz", "q"])
        return [self.texts(texts), self.weighed(texts), self.words(["a", "b", "z"]), self.numbers([7, 0, -3]), given]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("texts") / "m.keras"
    Texts().learn().save(path)
    return path.read_bytes()


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def load(path: Path, members: dict[str, bytes]) -> Any:
    """Write an archive of these members, whose checksums nothing tells, and load it."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, "metadata.json": b"{}"}.items():
            archive.writestr(name, content)
    return saving.load_model(path)


def test_a_vocabulary_comes_back_from_a_file_of_its_own(saved: bytes, tmp_path: Path) -> None:
    members = members_of(saved)
    assert "cat" not in json.dumps(json.loads(members["config.json"]))
    # The paths and the bytes of Keras; the layers with a given vocabulary and without one write none.
    assets = {name.removeprefix("assets/"): content for name, content in members.items() if name[:7] == "assets/"}
    first, second = "layers/text_vectorization", "layers/text_vectorization_1"
    tokens = "\n[UNK]\nmat\nthe\ndog\ncat\na\né\nsat\non".encode()
    assert assets == {
        f"{first}/vocabulary.txt": tokens, f"{first}/_lookup_layer/vocabulary.txt": tokens,
        f"{second}/vocabulary.txt": tokens[1:], f"{second}/_lookup_layer/vocabulary.txt": tokens[1:],
        "layers/string_lookup/vocabulary.txt": b"b\n[UNK]\n[UNK]\nc\na",
        "layers/integer_lookup/vocabulary.txt": b"-1\n7\n5\n-3",
    }  # fmt: skip
    (tmp_path / "m.keras").write_bytes(saved)
    for model in (
        saving.load_model(tmp_path / "m.keras"),
        load(tmp_path / "lines.keras", {**members, f"assets/{first}/vocabulary.txt": tokens.replace(b"\n", b"\r\n")}),
    ):
        for got, want in zip(model.results(), Texts().learn().results(), strict=True):
            np.testing.assert_array_equal(got, want)
        assert model.unlearned.get_vocabulary() == ["[UNK]"]
        # What was learned may be learned anew, and saved again.
        model.texts.adapt(["z"])
        assert model.texts.get_vocabulary() == ["", "[UNK]", "z"]


def test_folders(tmp_path: Path) -> None:
    first, second = layers.StringLookup(mask_token="m"), layers.StringLookup(mask_token="m")
    first.save_assets(tmp_path)
    assert not list(tmp_path.iterdir())
    second.load_assets(tmp_path)
    first.adapt(["a", "\u2028", "b b", "b b", ""])
    first.save_assets(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["vocabulary.txt"]
    second.load_assets(tmp_path)
    assert second.get_vocabulary() == first.get_vocabulary() == ["m", "[UNK]", "b b", "\u2028", "a", ""]
    first.adapt(["a\nb"])
    with pytest.raises(ValueError, match="end of a line in it cannot be written.*token="):
        first.save_assets(tmp_path)


def test_weights_of_tokens_need_as_many_tokens(saved: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(saved)
    model = Texts().learn()
    model.load_weights(tmp_path / "m.keras")
    model.weighed.adapt(["a b"])
    with pytest.raises(ValueError, match="text_vectorization_1: The layer .* has 3 tokens. Received: idf_weights="):
        model.load_weights(tmp_path / "m.keras")
    # Vectors that are filled up have weights of 0 in files of Keras.
    layer = layers.StringLookup(output_mode="tf_idf", max_tokens=6, pad_to_max_tokens=True)
    layer.load_own_variables({"idf_weights": np.array([0.5, 1.0, 2.0, 0.0, 0.0, 0.0])})
    (tmp_path / "vocabulary.txt").write_text("[UNK]\na\nb")
    layer.load_assets(tmp_path)
    np.testing.assert_array_equal(layer(["b", "b", "z"]), [0.5, 0.0, 4.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("layer", "content", "message"),
    [
        ("integer_lookup", b"-1\nx\n5\n7", "must hold integers"),
        ("integer_lookup", b"-1\n" + b"9" * 5000, "must hold integers"),
        ("integer_lookup", b"-1\n7\n5\n-3\n8", "idf_weights"),
        ("string_lookup", b"b\n[UNK]\nc\na", "must begin with"),
        ("string_lookup", b"", "must begin with"),
        ("string_lookup", b"b\n[UNK]\n[UNK]\na\na", "each token once"),
        ("string_lookup", b"b\n[UNK]\n[UNK]\na\xff", "decode"),
    ],
)
def test_damaged_vocabularies_are_refused(
    layer: str, content: bytes, message: str, saved: bytes, tmp_path: Path
) -> None:
    name = f"assets/layers/{layer}/vocabulary.txt"
    with pytest.raises(ValueError, match=f"cannot have the vocabulary of a file: .*{message}"):
        load(tmp_path / "m.keras", {**members_of(saved), name: content})


def test_assets_lead_nowhere_else(saved: bytes, tmp_path: Path) -> None:
    members, folder = members_of(saved), "assets/layers/string_lookup"
    for name in (f"{folder}/.", f"{folder}/" + "x" * 300):
        with pytest.raises(ValueError, match="an asset that has no name of a file"):
            load(tmp_path / "m.keras", {**members, name: b"a"})
    for name in (f"{folder}/../vocabulary.txt", "/vocabulary.txt"):
        with pytest.raises(ValueError, match="names a place outside"):
            load(tmp_path / "m.keras", {**members, name: b"a"})
    # A name of a link in an archive is a file with the path in it; in a folder it is left out.
    outside = tmp_path / "outside.txt"
    outside.write_text("b\n[UNK]\n[UNK]\nsecret")
    for name, content in members.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(b"{}" if name == "metadata.json" else content)
    place = tmp_path / "folder" / folder / "vocabulary.txt"
    place.unlink()
    place.symlink_to(outside)
    model = saving.load_model(tmp_path / "folder")
    assert model.words.get_vocabulary() == ["b", "[UNK]", "[UNK]"]
    linked = zipfile.ZipInfo(f"{folder}/vocabulary.txt")
    linked.external_attr = 0o120777 << 16
    del members[linked.filename]
    with zipfile.ZipFile(tmp_path / "link.keras", "w") as archive:
        for name, content in {**members, "metadata.json": b"{}"}.items():
            archive.writestr(name, content)
        archive.writestr(linked, str(outside))
    with pytest.raises(ValueError, match="must begin with"):
        saving.load_model(tmp_path / "link.keras")
