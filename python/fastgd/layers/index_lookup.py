"""What the layers with a vocabulary share: taking or learning it, and the indices that it gives to tokens."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from fastgd.utils.checks import check_bool, check_int
from fastgd.utils.errors import invalid, mistyped, unknown

Array = npt.NDArray[Any]
Lookup = TypeVar("Lookup", bound="IndexLookup")

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
OOV_METHODS = ("floormod", "farmhash")
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
        self._tokens: list[Any] = []
        self._places: dict[Any, int] = {}
        self._idf: Array | None = None
        self._given = vocabulary is not None
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

    @property
    def _oov_start(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _special(self) -> list[Any]:
        return [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in the order of their indices.

        Args:
            include_special_tokens: whether those for masks and for unknown tokens stand before them.
        """
        return [*(self._special if include_special_tokens else ()), *self._tokens]

    def vocabulary_size(self) -> int:
        """Return the number of tokens, those for masks and for unknown ones included."""
        return len(self._special) + len(self._tokens)

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
        if not given:
            raise invalid("`vocabulary` must hold at least one token.", vocabulary=vocabulary)
        special = self._special
        has_special = given[: len(special)] == special
        tokens = given[len(special) :] if has_special else given
        self._check_tokens(tokens)
        self._take_tokens(tokens)
        if idf_weights is not None:
            weights = np.asarray(idf_weights, dtype=np.float64)
            if weights.shape != (len(given),):
                raise invalid(f"`idf_weights` must hold {len(given)} numbers.", shape=weights.shape)
            front = 0 if has_special else len(special)
            self._idf = np.concatenate([np.full(front, weights.mean()), weights]).astype(float_type())

    def _read_file(self, path: str | os.PathLike[str]) -> list[str]:
        if self.output_mode == "tf_idf":
            raise invalid("`vocabulary` must be a list with `output_mode='tf_idf'`.", vocabulary=path)
        if not Path(path).is_file():
            raise FileNotFoundError(f"`vocabulary` must name a text file with one token in each line. Received: {path}")
        return Path(path).read_text(encoding="utf-8").splitlines()

    def _check_tokens(self, tokens: Sequence[Any]) -> None:
        if len(set(tokens)) < len(tokens):
            repeated = [token for token, count in Counter(tokens).items() if count > 1]
            raise invalid("`vocabulary` must hold each token once.", repeated=repeated)
        reserved = [("mask_token", self.mask_token), *([("oov_token", self.oov_token)] if self.invert else [])]
        for name, token in reserved:
            if token is not None and token in tokens:
                raise invalid(
                    f"`vocabulary` must hold `{name}` in none but its place: {self._special}.", **{name: token}
                )
        if self.max_tokens is not None and len(self._special) + len(tokens) > self.max_tokens:
            size = len(self._special) + len(tokens)
            raise invalid(f"`vocabulary` has {size} tokens, special ones included.", max_tokens=self.max_tokens)

    def _take_tokens(self, tokens: Sequence[Any]) -> None:
        start = len(self._special)
        self._tokens = list(tokens)
        self._places = {token: start + k for k, token in enumerate(tokens)}

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
        counts: Counter[Any] = Counter()
        samples_with: Counter[Any] = Counter()
        number = 0
        for sample in samples:
            number += 1
            counts.update(sample)
            if self.output_mode == "tf_idf":
                samples_with.update(set(sample))
        if not counts:
            raise invalid("`data` must hold at least one token.", samples=number)
        for token in (self.mask_token, self.oov_token):
            counts.pop(token, None)
        ordered = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        room = None if self.max_tokens is None else max(self.max_tokens - len(self._special), 0)
        self._take_tokens(ordered[:room])
        if self.output_mode == "tf_idf":
            shares = number / (1 + np.array([samples_with[token] for token in self._tokens], np.float64))
            weights = np.log(1 + shares).astype(float_type())
            mean = weights.mean() if weights.size else 0.0
            self._idf = np.concatenate([np.full(len(self._special), mean, weights.dtype), weights])

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
        if not self._tokens:
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
        if self.num_oov_indices > 1:
            start, buckets = self._oov_start, self.num_oov_indices
            if self.oov_method == "farmhash":
                bucket = hash_function(self.salt, buckets)
                places = [self._places[t] if t in self._places else start + bucket(t) for t in tokens]
            else:
                places = [self._places[t] if t in self._places else start + t % buckets for t in tokens]
        else:
            # Masks are told from unknown tokens below.
            unknown_place = self._oov_start if self.num_oov_indices else -2
            places = [self._places.get(token, unknown_place) for token in tokens]
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
        if self._idf is None:
            return counts
        weights: Array = np.zeros(self.depth, self._idf.dtype)
        weights[: len(self._idf)] = self._idf
        return counts.astype(weights.dtype) * weights

    def _tokens_of(self, inputs: Any) -> Array:
        raise NotImplementedError(f"{type(self).__name__} must implement the way back")

    def _inverted(self, indices: Array) -> list[Any]:
        start = len(self._special)
        found = [
            self._tokens[k - start] if start <= k < start + len(self._tokens) else self.oov_token
            for k in indices.reshape(-1).tolist()
        ]
        if self.mask_token is None:
            return found
        return [self.mask_token if k == 0 else token for k, token in zip(indices.reshape(-1), found, strict=True)]

    # ---- Configs.

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer, with the vocabulary that it has learned."""
        weighted = self._idf is not None
        return {
            **super().get_config(),
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "mask_token": self.mask_token,
            "oov_token": self.oov_token,
            "vocabulary": self.get_vocabulary(include_special_tokens=weighted) if self._tokens else None,
            "idf_weights": None if self._idf is None else self._idf.tolist(),
            "invert": self.invert,
            "output_mode": self.output_mode,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "sparse": False,
            "salt": None if self.salt is None else list(self.salt),
        }

    @classmethod
    def from_config(cls: type[Lookup], config: Mapping[str, Any]) -> Lookup:
        """Make a layer from what `get_config` returned, here or in Keras.

        Raises:
            TypeError: if the vocabulary is the path of a file: a config opens no files.
        """
        made: Lookup = from_config_with_vocabulary(cls, config)
        return made


def from_config_with_vocabulary(cls: Any, config: Mapping[str, Any]) -> Any:
    """Make a layer and set its vocabulary, which leaves it free to be adapted again."""
    arguments = dict(config)
    # Keras notes these; here they follow from the vocabulary.
    for name in ("vocabulary_size", "has_input_vocabulary"):
        arguments.pop(name, None)
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
