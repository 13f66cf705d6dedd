"""What an adapter of a library's calls must offer: products, convolutions, updates, functions and single steps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.bench.calls.cases import Case
from fastgd.bench.library import Library

Array = npt.NDArray[Any]


class Calls(Library):
    """The calls of one library."""

    def make(self, case: Case) -> Callable[[], Any] | None:
        """Return the call of a case, with its arguments ready; None if the library has none."""
        maker: Callable[[Case], Callable[[], Any] | None] = getattr(self, f"_make_{case.family}")
        return maker(case)

    @abstractmethod
    def to_array(self, value: Any) -> Array:
        """Return what a call returned as an array."""

    def sample(self, value: Any) -> Array:
        """Return some hundred elements of what a call returned, spread over it."""
        flat = self.to_array(value).astype(np.float64).ravel()
        return flat[:: max(1, flat.size // 997)].copy()

    @abstractmethod
    def _make_product(self, case: Case) -> Callable[[], Any] | None: ...

    @abstractmethod
    def _make_convolution(self, case: Case) -> Callable[[], Any] | None: ...

    @abstractmethod
    def _make_adam(self, case: Case) -> Callable[[], Any] | None: ...

    @abstractmethod
    def _make_elementary(self, case: Case) -> Callable[[], Any] | None: ...

    @abstractmethod
    def _make_crossentropy(self, case: Case) -> Callable[[], Any] | None: ...

    @abstractmethod
    def _make_train(self, case: Case) -> Callable[[], Any] | None: ...

    @abstractmethod
    def _make_predict(self, case: Case) -> Callable[[], Any] | None: ...
