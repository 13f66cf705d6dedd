"""What an adapter of a library's calls must offer: products, updates, functions and single steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fastgd.bench.calls.cases import Case

Array = npt.NDArray[Any]


class Calls(ABC):
    """The calls of one library, in a process of its own.

    Attributes:
        configuration: how it is called, for the reader of the results.

    Args:
        threads: how many threads it may use.
    """

    configuration: ClassVar[str]

    def __init__(self, threads: int) -> None:
        self.threads = threads

    @staticmethod
    def environment(threads: int) -> dict[str, str]:
        """Return the environment variables that its process needs besides those that all have."""
        return {}

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
    def _make_adam(self, case: Case) -> Callable[[], Any] | None: ...

    @abstractmethod
    def _make_elementary(self, case: Case) -> Callable[[], Any] | None: ...

    @abstractmethod
    def _make_crossentropy(self, case: Case) -> Callable[[], Any] | None: ...

    @abstractmethod
    def _make_train(self, case: Case) -> Callable[[], Any] | None: ...

    @abstractmethod
    def _make_predict(self, case: Case) -> Callable[[], Any] | None: ...
