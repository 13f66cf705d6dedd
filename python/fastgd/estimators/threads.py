"""How many threads an estimator may use: one inside a worker of joblib, whose neighbours use the other cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import joblib

from fastgd import runtime
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.locks import ForkSafeLock

_lock = ForkSafeLock()
# The limits of the runs that are under way, and the number of threads before the first of them.
_limits: list[int] = []
_before = 0


def inside_worker() -> bool:
    """Return whether this code runs in a task of `joblib.Parallel` beside others, in a process or a thread."""
    # Every parallel backend runs its tasks under a nested backend, whose level tells them from the main program.
    backend, _ = joblib.parallel.get_active_backend()
    return bool((backend.nesting_level or 0) > 0)


def threads_for(n_jobs: Any) -> int | None:
    """Return how many threads `n_jobs` allows, None to leave it at what fastgd is set to.

    Args:
        n_jobs: a number of threads; -1 is all cores, -2 all but one and so on; None is 1 inside a worker of joblib and
            outside what `fastgd.set_num_threads` says.

    Raises:
        TypeError: if it is neither None nor an integer.
        ValueError: if it is 0.
    """
    if n_jobs is None:
        return 1 if inside_worker() else None
    if isinstance(n_jobs, bool) or not hasattr(n_jobs, "__index__"):
        raise mistyped("`n_jobs` must be None or an integer.", n_jobs=n_jobs)
    count = int(n_jobs)
    if count == 0:
        raise invalid("`n_jobs` must not be 0.", n_jobs=n_jobs)
    return count if count > 0 else max(1, int(joblib.cpu_count()) + 1 + count)


@contextmanager
def limited_threads(n_jobs: Any) -> Iterator[None]:
    """Hold the engine to the threads that `n_jobs` allows; the number counts for the process, the least one wins."""
    count = threads_for(n_jobs)
    if count is None or runtime.current_backend() != "native":
        yield
        return
    _enter(count)
    try:
        yield
    finally:
        _leave(count)


def _enter(count: int) -> None:
    global _before
    with _lock:
        if not _limits:
            _before = runtime.get_num_threads()
        _limits.append(count)
        runtime.set_num_threads(min(_limits))


def _leave(count: int) -> None:
    with _lock:
        _limits.remove(count)
        runtime.set_num_threads(min(_limits, default=_before))
