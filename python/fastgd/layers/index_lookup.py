"""What the layers with a vocabulary share: their arguments, and the indices and vectors that they give to tokens."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fastgd.layers.host_layer import (
    HostLayer,
    check_output_mode,
    check_salt,
    count_rows,
    encode_indices,
    float_type,
    hash_function,
    is_batches,
    refuse_sparse,
)
from fastgd.layers.vocabulary import Vocabulary
from fastgd.utils.checks import check_bool, check_int
from fastgd.utils.errors import invalid, mistyped, unknown

Array = npt.NDArray[Any]
Lookup = TypeVar("Lookup", bound="IndexLookup")

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
OOV_METHODS = ("floormod", "farmhash")
# Where Keras keeps what a layer has learned, below the layer's folder among the assets of a model.
VOCABULARY_FILE = "vocabulary.txt"
# The index of a masked item where masks have no place in the result: no vector is that long.
_DROPPED = -1


class IndexLookup(HostLayer, abstract=True):
    """Base of the layers with a vocabulary; a subclass says how tokens are read.

    The arguments are those of the subclasses.
    """

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        pad_to_max_tokens: bool,
        sparse: bool,
        salt: Any,
        oov_method: str = "farmhash",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse_sparse(sparse=sparse)
        self.max_tokens = None if max_tokens is None else check_int("max_tokens", max_tokens, 2)
        self.num_oov_indices = check_int("num_oov_indices", num_oov_indices, 0)
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert = check_bool("invert", invert)
        self.output_mode = check_output_mode(output_mode, MODES)
        self.pad_to_max_tokens = check_bool("pad_to_max_tokens", pad_to_max_tokens)
        self.salt = check_salt(salt)
        if oov_method not in OOV_METHODS:
            raise unknown("method for unknown tokens", OOV_METHODS, oov_method=oov_method)
        self.oov_method = oov_method
        if self.salt is not None and oov_method != "farmhash":
            raise invalid("`salt` is for `oov_method='farmhash'`.", oov_method=oov_method)
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise invalid("`pad_to_max_tokens` needs `max_tokens`.", max_tokens=max_tokens)
        if self.invert and self.output_mode != "int":
            raise invalid("`output_mode` must be 'int' with `invert`.", output_mode=output_mode)
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise invalid("`idf_weights` are for `output_mode='tf_idf'`.", output_mode=output_mode)
        self._oov_start = int(mask_token is not None and self.output_mode == "int")
        special = [mask_token] * self._oov_start + [oov_token] * self.num_oov_indices
        reserved = {"mask_token": mask_token, "oov_token": oov_token if self.invert else None}
        self._vocabulary = Vocabulary(special, reserved, self.max_tokens)
        self._given = vocabulary is not None
        self._read_weights: Array | None = None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # ---- What a subclass says.

    def read(self, data: Any, name: str) -> Array:
        """Return tokens as an array of strings or of int64."""
        raise NotImplementedError(f"{type(self).__name__} must implement read(data, name)")

    def plain(self, token: Any) -> Any:
        """Return a token as Python's string or integer."""
        raise NotImplementedError(f"{type(self).__name__} must implement plain(token)")

    # ---- The vocabulary.

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in the order of their indices.

        Args:
            include_special_tokens: whether those for masks and for unknown tokens stand before them.
        """
        return [*(self._vocabulary.special if include_special_tokens else ()), *self._vocabulary.tokens]

    def vocabulary_size(self) -> int:
        """Return the number of tokens, those for masks and for unknown ones included."""
        return len(self._vocabulary)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary over.

        Args:
            vocabulary: the tokens in the order of their indices, with or without all the special ones before them; or
                the path of a text file with one in each line.
            idf_weights: with `output_mode="tf_idf"` the weight of each of them.

        Raises:
            ValueError: if it is empty, too long, repeats a token, holds a special one elsewhere than in its place, or
                the weights do not fit.
            FileNotFoundError: if there is no such file.
        """
        if (self.output_mode == "tf_idf") != (idf_weights is not None):
            raise invalid("`idf_weights` must be given with `output_mode='tf_idf'` alone.", idf_weights=idf_weights)
        if isinstance(vocabulary, (str, os.PathLike)):
            vocabulary = self._read_file(vocabulary)
        given = [self.plain(token) for token in np.asarray(vocabulary, dtype=object).reshape(-1)]
        self._vocabulary.take(given, idf_weights)

    def _read_file(self, path: str | os.PathLike[str]) -> list[str]:
        if self.output_mode == "tf_idf":
            raise invalid("`vocabulary` must be a list with `output_mode='tf_idf'`.", vocabulary=path)
        if not Path(path).is_file():
            raise FileNotFoundError(f"`vocabulary` must name a text file with one token in each line. Received: {path}")
        return Path(path).read_text(encoding="utf-8").splitlines()

    # ---- Learning one.

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary from data: its tokens, the most frequent first, and of equally frequent ones the last.

        Args:
            data: an array or a list of tokens, one sample in each row; or a generator or another iterable of batches,
                of which each that is a plain list of tokens is one sample.
            steps: how many batches are taken, all if None.

        Raises:
            ValueError: if the vocabulary was given to the layer.
            TypeError: if the data hold something else than tokens.
        """
        self.learn(self._samples(data, steps))

    def _samples(self, data: Any, steps: int | None) -> Iterable[list[Any]]:
        if is_batches(data):
            for batch in first_batches(data, steps):
                tokens = self.read(batch, "data")
                yield from _in_rows(tokens if tokens.ndim > 1 else tokens.reshape(1, -1))
            return
        if steps is not None:
            raise invalid("`steps` is for data in batches.", steps=steps)
        yield from _in_rows(np.atleast_1d(self.read(data, "data")))

    def learn(self, samples: Iterable[Sequence[Any]]) -> None:
        """Learn the vocabulary from the tokens of each sample."""
        if self._given:
            raise ValueError(f"The layer {self.name!r} was given a vocabulary: `adapt` is for layers without.")
        self._vocabulary.learn(samples, (self.mask_token, self.oov_token), self.output_mode == "tf_idf")

    # ---- Files.

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the weights of the tokens into a file; the tokens are no numbers and have a file of their own."""
        if self._vocabulary.weights is not None:
            store["idf_weights"] = self._vocabulary.weights

    def plan_loading(self, store: Any) -> Callable[[], None]:
        """Return the function that takes the weights of the tokens, if the file has some.

        Raises:
            ValueError: if their number is not that of the tokens that there are.
        """
        if self.output_mode != "tf_idf" or "idf_weights" not in store:
            return super().plan_loading(store)
        # A file tells shapes without reading.
        shape = store.shape("idf_weights") if hasattr(store, "shape") else np.shape(store["idf_weights"])
        # Vectors that are filled up have a weight of 0 for each place that no token has.
        sizes = {self.vocabulary_size(), self.depth} if self._vocabulary.tokens else set(shape)
        if len(shape) != 1 or shape[0] not in sizes:
            raise invalid(f"The layer {self.name!r} has {self.vocabulary_size()} tokens.", idf_weights=shape)
        weights = np.asarray(store["idf_weights"])

        def load() -> None:
            self._read_weights = weights
            if self._vocabulary.tokens:
                self._vocabulary.weights = weights[: self.vocabulary_size()].astype(float_type())

        return load

    def save_assets(self, dir_path: str | os.PathLike[str]) -> None:
        """Write the vocabulary to a folder as Keras does, unless the layer was given one, which its config holds.

        Args:
            dir_path: the folder, which gets "vocabulary.txt" with one token in each line.

        Raises:
            ValueError: if a token holds the end of a line.
        """
        if self._vocabulary.tokens and not self._given:
            (Path(dir_path) / VOCABULARY_FILE).write_bytes(self._vocabulary.to_text().encode())

    def load_assets(self, dir_path: str | os.PathLike[str]) -> None:
        """Take over the vocabulary that `save_assets` of fastgd or Keras has written to a folder.

        Args:
            dir_path: the folder; one without "vocabulary.txt" changes nothing.

        Raises:
            ValueError: if the file holds no vocabulary for this layer.
        """
        path = Path(dir_path) / VOCABULARY_FILE
        if self._given or not path.is_file():
            return
        try:
            if self.output_mode == "tf_idf" and self._read_weights is None:
                raise invalid("The weights of its tokens are missing.", idf_weights=None)
            self._vocabulary.take_text(path.read_bytes().decode(), self.plain, self._read_weights)
        except (ValueError, TypeError) as error:
            raise ValueError(f"The layer {self.name!r} cannot have the vocabulary of a file: {error}") from error

    # ---- Indices.

    def prepare(self, inputs: Any) -> Array:
        """Return the indices of tokens, or vectors of them; with `invert` the tokens of indices."""
        self.require_vocabulary()
        if self.invert:
            return self._tokens_of(inputs)
        tokens = self.read(inputs, "inputs")
        indices = self.indices_of(tokens.reshape(-1).tolist()).reshape(tokens.shape)
        if self.output_mode == "int":
            return indices
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        return self.weigh(encode_indices(indices, self.depth, mode))

    def require_vocabulary(self) -> None:
        """Raise a ValueError if there is no vocabulary yet."""
        if not self._vocabulary.tokens:
            raise ValueError(
                f"The layer {self.name!r} has no vocabulary yet: call `adapt`, or give it one by `vocabulary`."
            )

    @property
    def depth(self) -> int:
        """The size of the vectors."""
        return self.max_tokens if self.pad_to_max_tokens and self.max_tokens else self.vocabulary_size()

    def indices_of(self, tokens: Sequence[Any]) -> Array:
        """Return the index of each token; a mask has index 0, or -1 where it is dropped.

        Raises:
            ValueError: for an unknown token, if there is no index for such ones.
        """
        known = self._vocabulary.places
        if self.num_oov_indices > 1:
            start, buckets = self._oov_start, self.num_oov_indices
            if self.oov_method == "farmhash":
                bucket = hash_function(self.salt, buckets)
                places = [known[t] if t in known else start + bucket(t) for t in tokens]
            else:
                places = [known[t] if t in known else start + t % buckets for t in tokens]
        else:
            # Masks are told from unknown tokens below.
            unknown_place = self._oov_start if self.num_oov_indices else -2
            places = [known.get(token, unknown_place) for token in tokens]
        if self.mask_token is not None:
            masked = 0 if self._oov_start else _DROPPED
            places = [masked if t == self.mask_token else place for t, place in zip(tokens, places, strict=True)]
        if not self.num_oov_indices and -2 in places:
            token = tokens[places.index(-2)]
            raise invalid("`inputs` must hold tokens of the vocabulary alone with `num_oov_indices=0`.", token=token)
        return np.array(places, np.int64)

    def count(self, samples: Sequence[Sequence[Any]]) -> Array:
        """Return the vector of each sample, as `output_mode` says."""
        rows = np.repeat(np.arange(len(samples)), [len(sample) for sample in samples])
        indices = self.indices_of([token for sample in samples for token in sample])
        mode = "multi_hot" if self.output_mode == "multi_hot" else "count"
        return self.weigh(count_rows(rows, indices, len(samples), self.depth, mode))

    def weigh(self, counts: Array) -> Array:
        """Return counts multiplied by the weights of the tokens, if they have some."""
        weights = self._vocabulary.weights
        if weights is None:
            return counts
        padded: Array = np.zeros(self.depth, weights.dtype)
        padded[: len(weights)] = weights
        return counts.astype(weights.dtype) * padded

    def _tokens_of(self, inputs: Any) -> Array:
        raise NotImplementedError(f"{type(self).__name__} must implement the way back")

    def _inverted(self, indices: Array) -> list[Any]:
        found = [self._vocabulary.find(k, self.oov_token) for k in indices.reshape(-1).tolist()]
        if self.mask_token is None:
            return found
        return [self.mask_token if k == 0 else token for k, token in zip(indices.reshape(-1), found, strict=True)]

    # ---- Configs.

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer, with the vocabulary that it has learned."""
        weights = self._vocabulary.weights
        return {
            **super().get_config(),
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "mask_token": self.mask_token,
            "oov_token": self.oov_token,
            "vocabulary": self.get_vocabulary(weights is not None) if self._vocabulary.tokens else None,
            "idf_weights": None if weights is None else weights.tolist(),
            "invert": self.invert,
            "output_mode": self.output_mode,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "sparse": False,
            "salt": None if self.salt is None else list(self.salt),
        }

    @classmethod
    def from_config(cls: type[Lookup], config: Mapping[str, Any]) -> Lookup:
        """Make a layer from what `get_config` returned.

        Raises:
            TypeError: if the vocabulary is the path of a file: a config opens no files.
        """
        made: Lookup = from_config_with_vocabulary(cls, config)
        return made


def from_config_with_vocabulary(cls: Any, config: Mapping[str, Any]) -> Any:
    """Make a layer and set its vocabulary, which leaves it free to be adapted again."""
    arguments = dict(config)
    vocabulary, weights = arguments.pop("vocabulary", None), arguments.pop("idf_weights", None)
    if isinstance(vocabulary, (str, os.PathLike)):
        raise mistyped("A config must hold the vocabulary itself: it opens no files.", vocabulary=vocabulary)
    layer = cls(**arguments)
    if vocabulary is not None:
        layer.set_vocabulary(vocabulary, weights)
    return layer


def _in_rows(tokens: Array) -> list[list[Any]]:
    """Return the tokens of each sample, of whatever shape, in a list."""
    rows: list[list[Any]] = tokens.reshape(len(tokens), tokens.size // max(len(tokens), 1)).tolist()
    return rows


def first_batches(data: Iterable[Any], steps: int | None) -> Iterable[Any]:
    """Yield the first `steps` batches, all if it is None."""
    limit = None if steps is None else check_int("steps", steps, 1)
    for number, batch in enumerate(data):
        if number == limit:
            return
        yield batch
