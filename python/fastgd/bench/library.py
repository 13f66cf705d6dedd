"""What every adapter of a measured library has: how it is called, its threads and its environment."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar


class Library(ABC):
    """A library in a process of its own.

    Attributes:
        configuration: in which of its possible ways it is called, for the reader of the results.

    Args:
        threads: how many threads it may use; the process has been started with `environment(threads)`.
    """

    configuration: ClassVar[str]

    def __init__(self, threads: int) -> None:
        self.threads = threads

    @staticmethod
    def environment(threads: int) -> dict[str, str]:
        """Return the environment variables that its process needs besides those that all have."""
        return {}
