"""What holds for all tests: fixed seeds, fresh names, and workers that do not each let NumPy use every processor."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

# Before NumPy is imported, which reads it then. The products of the tests are small, and threads that wait for one
# another on too few processors make them ten times slower.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    """Start every test with the same random numbers and with the names of a new session."""
    import fastgd

    fastgd.utils.clear_session(free_memory=False)
    fastgd.utils.set_random_seed(1)


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, also where a shell that runs the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def own_float64() -> Iterator[None]:
    """Let fastgd compute in float64 where a test makes its models without saying so."""
    from fastgd import config

    before = config.floatx()
    config.set_floatx("float64")
    yield
    config.set_floatx(before)
