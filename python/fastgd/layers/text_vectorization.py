"""The layer that makes indices or vectors of texts: `TextVectorization`."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.layers.host_layer import HostLayer, as_strings, check_output_mode, is_batches, refuse_sparse
from fastgd.layers.index_lookup import MODES, first_batches, from_config_with_vocabulary
from fastgd.layers.lookups import StringLookup
from fastgd.utils.checks import check_int
from fastgd.utils.custom_objects import get_custom_objects, get_registered_name, get_registered_object
from fastgd.utils.errors import invalid, mistyped, unknown

Array = npt.NDArray[Any]
Preparation = str | Callable[[Any], Any] | None

# Only what ASCII has is made small, taken out or taken for space: other letters, marks and spaces stay as they are.
_LOWER = {ord(letter): letter.lower() for letter in string.ascii_uppercase}
_STRIP = dict.fromkeys(map(ord, string.punctuation))
STANDARDS: dict[str, dict[int, Any]] = {
    "lower_and_strip_punctuation": {**_LOWER, **_STRIP},
    "lower": dict(_LOWER),
    "strip_punctuation": dict(_STRIP),
}
SPLITS: dict[str, Callable[[str], list[str]]] = {
    "whitespace": re.compile(r"\S+", re.ASCII).findall,
    "character": list,
}


class TextVectorization(HostLayer):
    """Texts as indices of a vocabulary, or as vectors: texts are cleaned and split, and their tokens looked up.

    It works on lists and arrays, before a model, which gets its results.

    Args:
        max_tokens: the most tokens that the vocabulary may have, special ones included; None for any number.
        standardize: "lower_and_strip_punctuation", "lower" or "strip_punctuation", each for the letters and marks of
            ASCII; None; or a function of an array of strings.
        split: "whitespace"; "character"; None, where each string is one token; or a function that makes of an array of
            n texts a list of n lists of tokens.
        ngrams: None; or the lengths of runs of tokens that are tokens too, joined by spaces: n for 1 to n, a tuple for
            these alone.
        output_mode: as in `StringLookup`; "one_hot" needs `split=None`.
        output_sequence_length: to how many indices each text is cut or filled up with zeros in mode "int"; as many as
            the longest text has if None.
        pad_to_max_tokens: whether vectors have `max_tokens` elements, however short the vocabulary.
        vocabulary: the tokens, or the path of a text file with one in each line; None leaves it to `adapt`.
        idf_weights: with `output_mode="tf_idf"` and a vocabulary the weight of each token.
        sparse: False.
        ragged: False.
        encoding: that of bytes.
        name: as in `Layer`.
        **kwargs: those of `Layer`.

    Shapes:
        "int": texts (batch,) or (batch, 1) give int64 (batch, length). The vectors: (batch, size).

    Raises:
        ValueError: for values and combinations that exclude each other.

    Example:
        >>> layer = fastgd.layers.TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["foo bar", "bar baz", "baz bada boom"])
        >>> layer(["foo qux bar", "qux baz"])
        array([[4, 1, 3, 0],
               [1, 2, 0, 0]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Preparation = "lower_and_strip_punctuation",
        split: Preparation = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        refuse_sparse(sparse=sparse, ragged=ragged)
        for argument, value, names in (("standardize", standardize, STANDARDS), ("split", split, SPLITS)):
            if value is not None and not callable(value) and value not in names:
                raise unknown(f"way to {argument}", names, **{argument: value})
        self.standardize, self.split = standardize, split
        self.ngrams = None if ngrams is None else _lengths(ngrams)
        self._ngrams_given = ngrams
        self.output_mode = check_output_mode(output_mode, MODES)
        if self.output_mode == "one_hot" and (split is not None or self.ngrams is not None):
            raise invalid("`output_mode='one_hot'` needs `split=None` and no `ngrams`.", split=split, ngrams=ngrams)
        if output_sequence_length is not None:
            if self.output_mode != "int":
                raise invalid("`output_sequence_length` is for `output_mode='int'`.", output_mode=output_mode)
            check_int("output_sequence_length", output_sequence_length, 1)
        self.output_sequence_length = output_sequence_length
        self.encoding = encoding
        self.lookup = StringLookup(
            max_tokens=max_tokens, mask_token="", vocabulary=vocabulary, idf_weights=idf_weights,
            output_mode=self.output_mode, pad_to_max_tokens=pad_to_max_tokens, encoding=encoding, name=self.name,
        )  # fmt: skip

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary from texts: its tokens, the most frequent first, and of equally frequent ones the last.

        Args:
            data: an array or a list of texts; or a generator or another iterable of batches of them.
            batch_size: how many texts are taken at a time, which changes nothing.
            steps: how many batches are taken, all if None.

        Raises:
            ValueError: if the vocabulary was given to the layer.
            TypeError: if the data hold something else than strings.
        """
        if batch_size is not None:
            check_int("batch_size", batch_size, 1)
        if not is_batches(data):
            if steps is not None:
                raise invalid("`steps` is for data in batches.", steps=steps)
            texts = as_strings(data, "data", self.encoding)
            self.lookup.learn(self._rows(self._clean(texts[:, None] if texts.ndim == 1 else texts, "data"), "data")[0])
            return
        batches = (self._clean(batch, "data") for batch in first_batches(data, steps))
        self.lookup.learn(sample for batch in batches for sample in self._rows(batch, "data")[0])

    def prepare(self, inputs: Any) -> Array:
        """Return the indices or the vectors of texts."""
        self.lookup.require_vocabulary()
        texts = self._clean(inputs, "inputs")
        if self.output_mode == "one_hot":
            return self.lookup.prepare(texts)
        rows, single = self._rows(texts, "inputs")
        result = self._padded(rows) if self.output_mode == "int" else self.lookup.count(rows)
        return result[0] if single else result

    def _padded(self, rows: Sequence[Sequence[str]]) -> Array:
        length = self.output_sequence_length
        if length is None:
            length = max(map(len, rows), default=0)
        indices = np.zeros((len(rows), length), np.int64)
        for place, row in enumerate(rows):
            found = self.lookup.indices_of(row[:length])
            indices[place, : len(found)] = found
        return indices

    def _clean(self, inputs: Any, name: str) -> Array:
        """Return the texts as `standardize` makes them."""
        texts = as_strings(inputs, name, self.encoding)
        if callable(self.standardize):
            return as_strings(self.standardize(texts.astype(str)), "standardize", self.encoding)
        if self.standardize is not None:
            table = STANDARDS[self.standardize]
            flat = texts.reshape(-1)
            flat[:] = [text.translate(table) for text in flat]
        return texts

    def _rows(self, texts: Array, name: str) -> tuple[list[list[str]], bool]:
        """Return the tokens of each text, and whether there is one text alone."""
        if self.split is None:
            if texts.ndim > 2:
                raise invalid(f"`{name}` must hold texts (batch,) or tokens (batch, items).", shape=texts.shape)
            # A vector of tokens is one sample, as it is for `StringLookup`.
            single = texts.ndim < 2
            rows: list[list[str]] = texts.reshape((1, -1) if single else texts.shape).tolist()
        else:
            if texts.ndim > 2 or (texts.ndim == 2 and texts.shape[1] != 1):
                raise invalid(f"`{name}` must hold one text per sample: (batch,) or (batch, 1).", shape=texts.shape)
            single = texts.ndim == 0
            rows = self._split_all(texts.reshape(-1))
        if self.ngrams is not None:
            rows = [_runs(row, self.ngrams) for row in rows]
        return rows, single

    def _split_all(self, texts: Array) -> list[list[str]]:
        if isinstance(self.split, str):
            function = SPLITS[self.split]
            return [function(text) for text in texts]
        assert self.split is not None
        rows = [as_strings(list(row), "split", self.encoding).tolist() for row in self.split(texts.astype(str))]
        if len(rows) != len(texts):
            raise invalid(f"`split` must return {len(texts)} lists of tokens.", split=len(rows))
        return rows

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the tokens in the order of their indices; the argument is that of `StringLookup`."""
        return self.lookup.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return the number of tokens, those for padding and for unknown ones included."""
        return self.lookup.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary over; arguments and errors are those of `StringLookup`."""
        self.lookup.set_vocabulary(vocabulary, idf_weights)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the weights of the tokens into a file, as `StringLookup` does."""
        self.lookup.save_own_variables(store)

    def plan_loading(self, store: Any) -> Callable[[], None]:
        """Return the function that takes the weights of the tokens, if the file has some."""
        return self.lookup.plan_loading(store)

    def save_assets(self, dir_path: str | os.PathLike[str]) -> None:
        """Write the vocabulary to a folder; as `StringLookup` does."""
        self.lookup.save_assets(dir_path)

    def load_assets(self, dir_path: str | os.PathLike[str]) -> None:
        """Take over the vocabulary in a folder; as `StringLookup` does."""
        self.lookup.load_assets(dir_path)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer, with the vocabulary that it has learned.

        A function among them stands in it as itself, or by its name if it was registered.
        """
        kept = self.lookup.get_config()
        names = ("max_tokens", "output_mode", "pad_to_max_tokens", "vocabulary", "idf_weights", "sparse", "encoding")
        return {
            **super().get_config(),
            **{name: kept[name] for name in names},
            "standardize": _to_config(self.standardize),
            "split": _to_config(self.split),
            "ngrams": list(self._ngrams_given) if isinstance(self._ngrams_given, tuple) else self._ngrams_given,
            "output_sequence_length": self.output_sequence_length,
            "ragged": False,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> TextVectorization:
        """Make a layer from what `get_config` returned.

        Raises:
            ValueError: if it names a function that is not registered.
            TypeError: if the vocabulary is the path of a file: a config opens no files.
        """
        arguments = dict(config)
        for argument in ("standardize", "split"):
            arguments[argument] = _from_config(argument, arguments.get(argument))
        if isinstance(arguments.get("ngrams"), list):
            arguments["ngrams"] = tuple(arguments["ngrams"])
        made: TextVectorization = from_config_with_vocabulary(cls, arguments)
        return made


def _lengths(ngrams: Any) -> tuple[int, ...]:
    if isinstance(ngrams, tuple):
        return tuple(check_int("ngrams", length, 1) for length in ngrams)
    return tuple(range(1, check_int("ngrams", ngrams, 1) + 1))


def _runs(tokens: Sequence[str], lengths: Iterable[int]) -> list[str]:
    """Return the runs of each length, joined by spaces."""
    return [" ".join(tokens[start : start + length]) for length in lengths for start in range(len(tokens) - length + 1)]


def _to_config(value: Preparation) -> Any:
    name = get_registered_name(value) if callable(value) and hasattr(value, "__name__") else None
    return {"class_name": "function", "config": name} if name in get_custom_objects() else value


def _from_config(argument: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    names = [value.get("registered_name"), value.get("config"), value.get("class_name")]
    found = (get_registered_object(name) for name in names if isinstance(name, str))
    function = next((thing for thing in found if thing is not None), None)
    if function is None:
        raise mistyped(f"`{argument}` must name a registered function.", **{argument: dict(value)})
    return function
