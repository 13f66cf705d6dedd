"""The layer that puts strings and integers into bins by a hash: `Hashing`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.layers.host_layer import (
    HostLayer,
    as_strings,
    check_output_mode,
    check_salt,
    encode_indices,
    float_type,
    hash_function,
    refuse_sparse,
)
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, mistyped

Array = npt.NDArray[Any]


class Hashing(HostLayer):
    """Strings or integers in bins by a hash: `y = h(x) mod num_bins`.

    It works on lists and arrays, before a model, which gets its results. Integers are hashed as they are written in
    digits; of numbers with a fraction the whole part is.

    Args:
        num_bins: the number of bins, that of masks included.
        mask_value: the string or number that goes into bin 0, which nothing else then does; None for none.
        salt: an integer or two, with which h is SipHash; FarmHash's fingerprint if None.
        output_mode: "int", the bins; "one_hot", a vector for each; "multi_hot", a vector per sample with ones for its
            bins; "count", the same with how often each occurs.
        sparse: False.
        dtype: that of the bins, "int32" or "int64" (the default); of vectors `config.floatx()`, or the one given.
        **kwargs: those of `Layer`.

    Shapes:
        "int": x (batch, ...) gives y of the same shape. "one_hot": (batch, ..., num_bins), a last axis of size 1 being
        dropped. The others: x (batch, items) gives (batch, num_bins), where a vector x is one sample.

    Raises:
        ValueError: if `num_bins` is not positive, or the mode or the dtype is unknown.

    Example:
        >>> fastgd.layers.Hashing(num_bins=3)([["A"], ["B"]])
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        self.num_bins = check_int("num_bins", num_bins, 1)
        self.output_mode = check_output_mode(output_mode, ("int", "one_hot", "multi_hot", "count"))
        refuse_sparse(sparse=sparse)
        self._index_dtype = None
        if self.output_mode == "int":
            self._index_dtype = np.dtype(dtype or "int64").name
            if self._index_dtype not in ("int32", "int64"):
                raise invalid("`dtype` must be 'int32' or 'int64' with `output_mode='int'`.", dtype=dtype)
        super().__init__(dtype=None if self.output_mode == "int" else dtype, **kwargs)
        self.mask_value = mask_value
        self.salt = check_salt(salt)

    def prepare(self, inputs: Any) -> Array:
        """Return the bins, or vectors of them."""
        values = _values(inputs)
        masks = self.mask_value is not None and self.num_bins > 1
        bucket = hash_function(self.salt, self.num_bins - masks)
        flat = values.reshape(-1).tolist()
        # What is hashed often is hashed once.
        known = {value: bucket(int(value) if isinstance(value, float) else value) + masks for value in set(flat)}
        if masks:
            known[self.mask_value] = 0
        bins = np.array([known[value] for value in flat], np.int64).reshape(values.shape)
        if self.output_mode == "int":
            return bins.astype(self._index_dtype)
        dtype = float_type() if self.given_dtype is None else self.given_dtype
        return encode_indices(bins, self.num_bins, self.output_mode, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **super().get_config(),
            **({} if self._index_dtype is None else {"dtype": self._index_dtype}),
            "num_bins": self.num_bins,
            "mask_value": self.mask_value,
            "salt": None if self.salt is None else list(self.salt),
            "output_mode": self.output_mode,
            "sparse": False,
        }


def _values(inputs: Any) -> Array:
    """Return strings as an array of Python's, numbers as an array of theirs."""
    if not isinstance(inputs, (str, bytes)):
        try:
            array = np.asarray(inputs)
        except ValueError as error:
            raise mistyped("`inputs` must have rows of one length.", inputs=inputs) from error
        if array.dtype.kind in "biuf":
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise invalid("`inputs` must hold finite numbers.", inputs=inputs)
            return array.astype(np.int64) if array.dtype.kind in "bi" else array
    return as_strings(inputs, "inputs")
