"""What the tests against Keras share: the backend, float64 throughout, and the skip where Keras is not installed."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

# JAX is the lightest backend on which Keras trains, and on it float64 stays float64 after the one repair below. Most of
# the time goes into compiling what runs once, so the compiler is told not to optimise. The switches are read when JAX
# starts, which is here, and are no business of the other tests and their child processes.
SWITCHES = {
    "KERAS_BACKEND": "jax",
    "JAX_ENABLE_X64": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_use_fusion_emitters=false",
}

ABSENT = [name for name in ("keras", "jax") if importlib.util.find_spec(name) is None]
REASON = f"needs {' and '.join(ABSENT)}: install the extra `parity`"

if not ABSENT:
    with mock.patch.dict(os.environ, SWITCHES):
        import jax
        import keras

        jax.devices()

    if keras.backend.backend() != "jax":
        ABSENT, REASON = ["jax"], f"needs Keras on JAX, and it was already imported on {keras.backend.backend()}"


class _Skipped(pytest.Module):
    """A module that is not even imported."""

    def collect(self) -> Any:
        pytest.skip(REASON, allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return _Skipped.from_parent(parent, path=module_path) if ABSENT else None


def pytest_itemcollected(item: pytest.Item) -> None:
    # Keras' variables do not know an argument that NumPy 2 hands to `__array__`.
    item.add_marker(pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"))


@pytest.fixture(autouse=True)
def float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let Keras compute in float64, and draw the same weights in every run.

    Where Keras looks for a common type of several (in means, hyperbolic functions, sums with Python's numbers...), it
    makes float32 of float64 at the end, as JAX does by default. The table of these replacements is mended for the test.
    """
    from keras.src.backend.common.dtypes import BIT64_TO_BIT32_DTYPE

    monkeypatch.setitem(BIT64_TO_BIT32_DTYPE, "float64", "float64")
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(1)
    yield
    keras.config.set_floatx(before)
