"""What the commands that run networks share: backend and threads of one command, and options written as lists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import fastgd
from fastgd import runtime


@contextmanager
def running(backend: str | None, threads: int | None) -> Iterator[None]:
    """Let the block run on a backend, the default one if not given, with so many threads.

    Raises:
        ValueError: if there is no such backend, or it has no threads of its own.
    """
    with ExitStack() as stack:
        if backend is not None:
            stack.enter_context(fastgd.backend(backend))
        if threads is not None:
            if runtime.current_backend() != "native":
                raise ValueError("--threads is for the native backend; the numpy one leaves threads to NumPy's BLAS")
            fastgd.set_num_threads(threads)
        yield


def hidden_units(text: str) -> tuple[int, ...]:
    """Return the units of each hidden layer.

    Raises:
        ValueError: if the text is no list of whole numbers above 0.
    """
    fields = [field.strip() for field in text.split(",")] if text.strip() else []
    if not all(field.isascii() and field.isdigit() and int(field) > 0 for field in fields):
        raise ValueError(
            f"--hidden must be whole numbers above 0 separated by commas, such as 64,32. Received: {text!r}"
        )
    return tuple(int(field) for field in fields)
