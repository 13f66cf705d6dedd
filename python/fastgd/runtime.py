"""The choice of interpreter and of threads: the only module that imports `fastgd._core` and `fastgd.reference`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, Token
from types import ModuleType, TracebackType
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from fastgd import config
from fastgd.plan import Plan, UpdateSpec
from fastgd.utils import naming
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, unknown

BACKENDS = ("native", "numpy")

# The limit of the native module, for all that a machine of today has.
MAX_THREADS = 1024

_chosen: ContextVar[str | None] = ContextVar("fastgd_backend", default=None)


class Executor(Protocol):
    """What both interpreters offer; docs/ops.md says what each method must do."""

    @property
    def isa(self) -> str:
        """The instruction set that runs, "numpy" for the reference."""

    @property
    def iteration(self) -> int:
        """The number of batches of training done, counted on from `begin`."""

    def bind_parameters(self, arrays: Sequence[npt.NDArray[Any]]) -> None:
        """Train in these arrays, one per parameter of the plan."""

    def bind_update(self, spec: UpdateSpec, slots: Sequence[npt.NDArray[Any]]) -> None:
        """Update by this rule, with one flat array per slot."""

    def begin(
        self,
        mode: str,
        feeds: Sequence[npt.NDArray[Any] | None],
        batch_size: int,
        shuffle_seed: int | None = None,
        epoch: int = 0,
        iteration: int = 0,
        outputs: Sequence[npt.NDArray[Any]] = (),
    ) -> None:
        """Start one pass over the rows of `feeds`."""

    def advance(
        self, max_batches: int, max_seconds: float, learning_rates: npt.NDArray[np.float64] | None = None
    ) -> int:
        """Run further batches and return how many ran."""

    def totals(self) -> npt.NDArray[np.float64]:
        """Return numerator and denominator of every loss, then of every column of every metric, since `begin`."""

    def run_passes(self, max_passes: int, max_seconds: float, learning_rate: float) -> int:
        """Finish the pass of training that has begun, run further ones like it, and return how many were finished."""

    def pass_totals(self) -> npt.NDArray[np.float64]:
        """Return the totals of each pass that the last `run_passes` has finished."""

    def update(self, gradients: Sequence[npt.NDArray[Any]], learning_rate: float, iteration: int = 0) -> None:
        """Do one step of the bound rule by these gradients, one per trainable parameter."""

    def inspect(
        self, feeds: Sequence[npt.NDArray[Any] | None], training: bool = True, iteration: int = 0
    ) -> Mapping[str, npt.NDArray[Any]]:
        """Return every tensor of one batch, and the gradients under "d:" + name."""


class _KerasNames:
    """What Keras has in its module `backend`."""

    clear_session = staticmethod(naming.clear_session)
    backend = staticmethod(config.backend)
    floatx, set_floatx = staticmethod(config.floatx), staticmethod(config.set_floatx)
    epsilon, set_epsilon = staticmethod(config.epsilon), staticmethod(config.set_epsilon)
    image_data_format = staticmethod(config.image_data_format)
    set_image_data_format = staticmethod(config.set_image_data_format)


class backend(_KerasNames):  # noqa: N801 - used like a function
    """Choose the interpreter: "native", the C++ engine, or "numpy", the textbook of the same plan.

    The choice holds at once for the current thread or asynchronous task; as a context manager it ends with the block.
    The environment variable `FASTGD_BACKEND` sets the default of the process.

    Args:
        name: "native" or "numpy".

    Raises:
        ValueError: for another name.

    Example:
        >>> with fastgd.backend("numpy"):
        ...     model.predict(x)

    What Keras has in its module of this name is here too: `fastgd.backend.clear_session()` and the like are those of
    `fastgd.utils` and `fastgd.config`.
    """

    def __init__(self, name: str) -> None:
        if name not in BACKENDS:
            raise unknown("backend", BACKENDS, name=name)
        self.name = name
        self._token: Token[str | None] = _chosen.set(name)

    def __enter__(self) -> backend:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _chosen.reset(self._token)


def current_backend() -> str:
    """Return the interpreter that would run now: "native" or "numpy".

    Raises:
        ValueError: if `FASTGD_BACKEND` names neither.
    """
    name = _chosen.get() or os.environ.get("FASTGD_BACKEND") or "native"
    if name not in BACKENDS:
        raise unknown("backend", BACKENDS, FASTGD_BACKEND=name)
    return name


def row_order(rows: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """Return the order in which both interpreters go through rows in an epoch, for a run that begins in its middle."""
    order: npt.NDArray[np.int64] = importlib.import_module("fastgd.reference.random").permutation(rows, seed, epoch)
    return order


def native_module() -> ModuleType:
    """Return `fastgd._core`.

    Raises:
        ImportError: if it is not built; the message says what to do instead.
    """
    global _native
    if _native is None:
        try:
            _native = importlib.import_module("fastgd._core")
        except ImportError as error:
            raise ImportError(
                "The native engine fastgd._core cannot be imported: install the package with `pip install .`, "
                'or choose the slower interpreter with fastgd.backend("numpy") or FASTGD_BACKEND=numpy. '
                f"The cause: {error}"
            ) from error
    return _native


# Every call of a kernel asks for it, and import_module takes a third of a microsecond.
_native: ModuleType | None = None


def all_finite(array: npt.NDArray[Any]) -> bool:
    """Return whether a floating array of native byte order holds neither NaN nor infinities, with no temporary copy."""
    global _all_finite
    if _all_finite is None:
        try:
            _all_finite = native_module().all_finite
        except ImportError:
            _all_finite = _finite_sum
    return bool(_all_finite(array))


def _finite_sum(array: npt.NDArray[Any]) -> bool:
    # Nothing can cancel a NaN or an infinity in a sum; the search through all elements is for a sum that overflows.
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.add.reduce(array, axis=None))) or bool(np.isfinite(array).all())


_all_finite: Callable[[npt.NDArray[Any]], bool] | None = None


def create_executor(plan: Plan) -> Executor:
    """Return an executor of `plan` on the current backend.

    Raises:
        ImportError: if the backend is "native" and the native module is not built.
    """
    if current_backend() == "native":
        return cast(Executor, native_module().Executor(plan))
    reference = importlib.import_module("fastgd.reference")
    return cast(Executor, reference.Executor(plan))


def set_num_threads(count: int) -> None:
    """Set how many threads the native engine uses at most; results do not depend on it.

    Raises:
        TypeError: if `count` is no integer.
        ValueError: if it is not from 1 to 1024.
    """
    value = check_int("count", count, 1)
    if value > MAX_THREADS:
        raise invalid(f"`count` must be from 1 to {MAX_THREADS}.", count=count)
    native_module().set_num_threads(value)


def get_num_threads() -> int:
    """Return how many threads the native engine uses at most."""
    return int(native_module().get_num_threads())


def isa() -> str:
    """Return the instruction set in use: the one that `FASTGD_ISA` forces, else the best this machine has."""
    return str(native_module().isa())


def available_isas() -> list[str]:
    """Return the instruction sets that this machine can run, the best first."""
    return list(native_module().available_isas())


def build_info() -> dict[str, str]:
    """Return the version, the compiler and the OpenMP runtime of the native module."""
    module = native_module()
    return {"version": str(module.__version__), **module.build_info()}


def peak_flops(name: str | None, dtype: str, threads: int, seconds: float, loads: bool = False) -> float:
    """Measure floating-point operations per second of multiply-adds for the instruction set `name`.

    They are in registers, or their operands are loaded as often as in a product.
    """
    return float(native_module().peak_flops(name, dtype, threads, seconds, loads))


def bandwidth(threads: int, seconds: float) -> float:
    """Measure bytes per second between the processor and memory."""
    return float(native_module().bandwidth(threads, seconds))


def version() -> str:
    """Return the version that the native module was compiled from; without it, that of the installed distribution."""
    try:
        return str(importlib.import_module("fastgd._core").__version__)
    except ImportError:
        # Imported late: the metadata machinery is slow to load, and hardly anyone asks.
        from importlib.metadata import version as installed_version

        return installed_version("fastgd")
