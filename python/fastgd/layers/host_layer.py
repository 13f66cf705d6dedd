"""The base of layers that prepare data in Python before a model sees them, and what they share about strings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import config
from fastgd.layers.graph import KerasTensor
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.recording import RecordedTensor
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.fingerprints import farmhash64, siphash64
from fastgd.utils.structure import flatten

Array = npt.NDArray[Any]

# Older names that Keras still takes.
_OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


class HostLayer(Layer, abstract=True):
    """Base of layers that work on lists and arrays at once and stand in no model, because plans hold no strings.

    A subclass implements `prepare(inputs)`.

    Args:
        **kwargs: those of `Layer`.
    """

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what `prepare` makes of a list or an array; `training` may be given and changes nothing.

        Raises:
            TypeError: for placeholders, and for further arguments.
        """
        if args or set(kwargs) - {"training"}:
            raise mistyped(f"The layer {self.name!r} takes inputs alone.", arguments=[*args, *kwargs])
        if any(isinstance(leaf, (KerasTensor, Tensor, RecordedTensor)) for leaf in flatten(inputs)):
            raise mistyped(
                f"The layer {self.name!r} works on strings and numbers in Python and cannot be part of a model. Apply "
                "it first and let the model begin with its results: `x_train = layer(texts)`, then "
                "`model.fit(x_train, y_train)` and `model.predict(layer(new_texts))`.",
                inputs=inputs,
            )
        return self.prepare(inputs)

    def prepare(self, inputs: Any) -> Any:
        """Return the results for a list or an array."""
        raise NotImplementedError(f"{type(self).__name__} must implement prepare(inputs)")

    def call(self, inputs: Any) -> Any:
        """Return the results for a list or an array; a layer around this one may call it."""
        return self(inputs)


def check_output_mode(output_mode: Any, modes: Sequence[str]) -> str:
    """Return the mode by the name that it has today.

    Raises:
        ValueError: if it is none of `modes`.
    """
    mode = _OLD_MODES.get(output_mode, output_mode) if isinstance(output_mode, str) else output_mode
    if mode not in modes:
        raise unknown("output mode", modes, output_mode=output_mode)
    return str(mode)


def refuse_sparse(**arguments: Any) -> None:
    """Raise a ValueError if one of these arguments is set: results are plain arrays."""
    for name, value in arguments.items():
        if value:
            raise invalid(f"`{name}` must be False: results are dense arrays.", **{name: value})


def check_salt(salt: Any) -> tuple[int, int] | None:
    """Return the two keys of a hash, None for none.

    Raises:
        ValueError: if it is neither an integer nor a pair of them.
    """
    if salt is None:
        return None
    pair = [salt, salt] if isinstance(salt, (int, np.integer)) else salt
    if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not all(isinstance(k, (int, np.integer)) for k in pair):
        raise invalid("`salt` must be an integer or two of them.", salt=salt)
    return int(pair[0]), int(pair[1])


def hash_function(salt: tuple[int, int] | None, buckets: int, encoding: str = "utf-8") -> Callable[[Any], int]:
    """Return the function that gives a string, or an integer as it is written, its bucket.

    `bucket = h(text) mod buckets`, where h is FarmHash's fingerprint, or SipHash with the salt for its keys.
    """

    def bucket(value: Any) -> int:
        data = str(value).encode(encoding)
        return (farmhash64(data) if salt is None else siphash64(data, salt)) % buckets

    return bucket


def as_strings(data: Any, name: str, encoding: str = "utf-8") -> Array:
    """Return strings, or bytes that are decoded, as an array of Python's strings of the same shape.

    Args:
        data: a string, or an array, column or nested list of them, with rows of one length.
        name: what messages call it.
        encoding: that of bytes.

    Raises:
        TypeError: if something is no string.
    """
    if isinstance(data, (str, bytes)):
        array = np.empty((), object)
        array[()] = data
    else:
        array = np.array(data, dtype=object)
    strings = np.empty(array.shape, object)
    flat = strings.reshape(-1)
    for place, value in enumerate(array.reshape(-1)):
        if isinstance(value, bytes):
            flat[place] = value.decode(encoding)
        elif isinstance(value, str):
            flat[place] = str(value)
        else:
            raise mistyped(f"`{name}` must hold strings, in rows of one length.", **{name: value})
    return strings


def as_int64(data: Any, name: str) -> Array:
    """Return integers as an array of int64.

    Raises:
        TypeError: if something is no integer, or rows have different lengths.
    """
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise mistyped(f"`{name}` must hold integers, in rows of one length.", **{name: data}) from error
    if array.dtype.kind not in "biu":
        raise mistyped(f"`{name}` must hold integers.", dtype=str(array.dtype))
    return array.astype(np.int64)


def is_batches(data: Any) -> bool:
    """Return whether data to adapt to come batch by batch, from a generator or a loader."""
    return isinstance(data, Iterable) and not isinstance(data, (str, bytes, list, tuple)) and not hasattr(data, "shape")


def encode_indices(indices: Array, depth: int, mode: str, dtype: Any = np.int64) -> Array:
    """Return indices as vectors; those that are not from 0 to `depth - 1` leave no trace.

    Args:
        indices: integers: one sample, or samples in rows; for "one_hot" of any shape.
        depth: the size of the vectors.
        mode: "one_hot", a vector for each index, where a last axis of size 1 is dropped; "multi_hot", a vector per
            sample with ones for its indices; "count", the same with how often each occurs.
        dtype: that of the result.

    Raises:
        ValueError: if the samples of "multi_hot" or "count" have more than one axis.
    """
    if mode == "one_hot":
        kept = indices[..., 0] if indices.ndim > 1 and indices.shape[-1] == 1 else np.atleast_1d(indices)
        vectors: Array = (kept[..., None] == np.arange(depth)).astype(dtype)
        return vectors
    if indices.ndim > 2:
        raise invalid(f"`output_mode={mode!r}` needs inputs of shape (batch, items).", shape=indices.shape)
    rows = np.atleast_2d(indices)
    places = np.repeat(np.arange(len(rows)), rows.shape[1])
    encoded = count_rows(places, rows.reshape(-1), len(rows), depth, mode, dtype)
    return encoded if indices.ndim == 2 else encoded[0]


def count_rows(rows: Array, indices: Array, count: int, depth: int, mode: str, dtype: Any = np.int64) -> Array:
    """Return how often each index stands in each row, or for "multi_hot" whether it does: shape (count, depth).

    Args:
        rows: the row of each index.
        indices: the indices; others than 0 to `depth - 1` are left out.
        count: the number of rows.
        depth: the number of indices.
        mode: "count" or "multi_hot".
        dtype: that of the result.
    """
    known = (indices >= 0) & (indices < depth)
    counts = np.bincount(rows[known] * depth + indices[known], minlength=count * depth).reshape(count, depth)
    result: Array = np.minimum(counts, 1) if mode == "multi_hot" else counts
    return result.astype(dtype)


def float_type() -> Any:
    """Return the dtype of weighted results."""
    return np.dtype(config.floatx())
