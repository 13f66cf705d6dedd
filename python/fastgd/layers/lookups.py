"""The layers that give strings or integers indices of a vocabulary: `StringLookup` and `IntegerLookup`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.layers.host_layer import as_int64, as_strings
from fastgd.layers.index_lookup import IndexLookup
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, mistyped

Array = npt.NDArray[Any]


class StringLookup(IndexLookup):
    """Strings as indices of a vocabulary: that of masks (if any) first, then those of unknown strings, then the tokens.

    It works on lists and arrays, before a model, which gets its results.

    Args:
        max_tokens: the most tokens that the vocabulary may have, special ones included; None for any number.
        num_oov_indices: how many indices unknown strings share, by their FarmHash; 0 makes them an error.
        mask_token: the string that stands for nothing: index 0 with `output_mode="int"`, else left out. None for none.
        oov_token: what `invert` gives for an unknown index.
        vocabulary: the tokens, or the path of a text file with one in each line; None leaves it to `adapt`.
        idf_weights: with `output_mode="tf_idf"` and a vocabulary the weight of each token.
        invert: whether to go the way back, from indices to strings.
        output_mode: "int", the indices; "one_hot", a vector for each; "multi_hot", a vector per sample with ones for
            its tokens; "count", the same with how often each occurs; "tf_idf", the counts times
            `log(1 + samples / (1 + samples with the token))`.
        pad_to_max_tokens: whether vectors have `max_tokens` elements, however short the vocabulary.
        sparse: False.
        encoding: that of bytes.
        name: as in `Layer`.
        salt: an integer or two, with which unknown strings are told apart by SipHash instead.
        **kwargs: those of `Layer`.

    Shapes:
        "int": x (batch, ...) gives int64 of the same shape. "one_hot": (batch, ..., size), a last axis of size 1 being
        dropped. The others: x (batch, items) gives (batch, size), where a vector x is one sample.

    Raises:
        ValueError: for values and combinations that exclude each other.

    Example:
        >>> layer = fastgd.layers.StringLookup(vocabulary=["a", "b"])
        >>> layer(["b", "z", "a"])
        array([2, 0, 1])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        for argument, token in (("mask_token", mask_token), ("oov_token", oov_token)):
            if token is not None and not isinstance(token, str):
                raise mistyped(f"`{argument}` must be a string or None.", **{argument: token})
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt, name=name, **kwargs,
        )  # fmt: skip

    def read(self, data: Any, name: str) -> Array:
        """Return strings as an array of Python's strings."""
        return as_strings(data, name, self.encoding)

    def plain(self, token: Any) -> str:
        """Return a token of a vocabulary as a string."""
        return str(as_strings(token, "vocabulary", self.encoding).item())

    def _tokens_of(self, inputs: Any) -> Array:
        indices = as_int64(inputs, "inputs")
        tokens = ["" if token is None else token for token in self._inverted(indices)]
        return np.array(tokens, dtype=str).reshape(indices.shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer, with the vocabulary that it has learned."""
        return {**super().get_config(), "encoding": self.encoding}


class IntegerLookup(IndexLookup):
    """Integers as indices of a vocabulary: that of masks (if any) first, then those of unknown ones, then the tokens.

    It works on lists and arrays, before a model, which gets its results.

    Args:
        max_tokens: as in `StringLookup`.
        num_oov_indices: how many indices unknown integers share; 0 makes them an error.
        mask_token: the integer that stands for nothing: index 0 with `output_mode="int"`, else left out. None for none.
        oov_token: what `invert` gives for an unknown index.
        vocabulary: the tokens, or the path of a text file with one in each line; None leaves it to `adapt`.
        vocabulary_dtype: "int64".
        idf_weights: as in `StringLookup`.
        invert: whether to go the way back, from indices to integers.
        output_mode: as in `StringLookup`.
        sparse: False.
        pad_to_max_tokens: as in `StringLookup`.
        oov_method: which of several indices an unknown integer gets: "floormod", its remainder; "farmhash", the hash of
            its digits.
        salt: an integer or two, with which "farmhash" takes SipHash.
        name: as in `Layer`.
        **kwargs: those of `Layer`.

    Shapes:
        As in `StringLookup`.

    Raises:
        ValueError: for values and combinations that exclude each other.

    Example:
        >>> layer = fastgd.layers.IntegerLookup(vocabulary=[12, 36])
        >>> layer([36, 5, 12])
        array([2, 0, 1])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if vocabulary_dtype != "int64":
            raise invalid("`vocabulary_dtype` must be 'int64'.", vocabulary_dtype=vocabulary_dtype)
        tokens = {
            argument: None if token is None else check_int(argument, token, -(2**63))
            for argument, token in (("mask_token", mask_token), ("oov_token", oov_token))
        }
        super().__init__(
            max_tokens, num_oov_indices, tokens["mask_token"], tokens["oov_token"], vocabulary, idf_weights, invert,
            output_mode, pad_to_max_tokens, sparse, salt, oov_method, name=name, **kwargs,
        )  # fmt: skip

    def read(self, data: Any, name: str) -> Array:
        """Return integers as int64."""
        return as_int64(data, name)

    def plain(self, token: Any) -> int:
        """Return a token of a vocabulary, or the text of one, as an integer."""
        try:
            return int(token) if isinstance(token, str) else int(as_int64(token, "vocabulary"))
        except ValueError as error:
            raise mistyped("`vocabulary` must hold integers.", vocabulary=token) from error

    def _tokens_of(self, inputs: Any) -> Array:
        if self.oov_token is None:
            raise invalid("`oov_token` must be an integer with `invert`.", oov_token=None)
        indices = as_int64(inputs, "inputs")
        return np.array(self._inverted(indices), np.int64).reshape(indices.shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer, with the vocabulary that it has learned."""
        return {**super().get_config(), "vocabulary_dtype": "int64", "oov_method": self.oov_method}
