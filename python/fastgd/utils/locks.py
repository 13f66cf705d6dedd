"""Locks of module state that survive a fork."""

from __future__ import annotations

import os
import threading


class ForkSafeLock:
    """A lock for the lifetime of the process, to be used in a `with` statement.

    At a fork another thread of the parent may hold it, and no thread of the child would ever let it go: so a child
    begins with a new one.
    """

    def __init__(self) -> None:
        self._renew()
        os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self._lock.release()
