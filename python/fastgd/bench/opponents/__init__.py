"""The opponents by name: which library each needs, where its adapter stands, and which are installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from fastgd.bench.opponents.base import Opponent
from fastgd.utils.errors import unknown


@dataclass(frozen=True)
class Entry:
    """An opponent as the suite knows it before its library is imported.

    Attributes:
        name: what the command line and the results call it.
        label: what tables call it.
        module: the module of this folder with its adapter, the class `Adapter`.
        needs: the modules that must be importable.
        install: how to get them.
        quick: whether the short run has it if nothing else is said.
        peer: whether it is the library of somebody else, so that "the best peer" may mean it.
        threads: the number of threads it always has; None if it has as many as everyone.
    """

    name: str
    label: str
    module: str
    needs: tuple[str, ...]
    install: str
    quick: bool = True
    peer: bool = True
    threads: int | None = None

    @property
    def installed(self) -> bool:
        """Whether what it needs can be imported."""
        return all(importlib.util.find_spec(name) is not None for name in self.needs)

    def load(self) -> type[Opponent]:
        """Return its adapter; this imports none of the libraries yet."""
        module = importlib.import_module(f"fastgd.bench.opponents.{self.module}")
        return cast("type[Opponent]", module.Adapter)


# Everything is compared with this one.
BASELINE = "fastgd"

CYTHON = "pip install ./benchmarks/opponents/cython_mlp (in a checkout)"
TORCH = "pip install torch"
TENSORFLOW = "pip install keras tensorflow-cpu"

OPPONENTS = {
    entry.name: entry
    for entry in (
        Entry(BASELINE, "fastgd", "native", ("fastgd._core",), "pip install fastgd", peer=False),
        Entry("fastgd-1", "fastgd, 1 thread", "native", ("fastgd._core",), "pip install fastgd", False, False, 1),
        Entry("numpy", "NumPy", "reference", ("numpy",), "pip install numpy", peer=False),
        Entry("cython", "Cython", "cython_mlp", ("fastgd_cython_mlp",), CYTHON, peer=False, threads=1),
        Entry("torch", "PyTorch", "torch_eager", ("torch",), TORCH),
        Entry("torch-compile", "PyTorch compiled", "torch_compiled", ("torch",), TORCH, False),
        Entry("jax", "JAX", "jax_scan", ("jax",), "pip install jax"),
        Entry("keras-tensorflow", "Keras TF", "keras_tensorflow", ("keras", "tensorflow"), TENSORFLOW),
        Entry("keras-jax", "Keras JAX", "keras_jax", ("keras", "jax"), "pip install keras jax", False),
        Entry("sklearn", "scikit-learn", "sklearn_mlp", ("sklearn",), "pip install scikit-learn"),
    )
}


def find_opponents(names: Iterable[str]) -> list[Entry]:
    """Return the opponents of these names, the baseline first whether it is named or not.

    Raises:
        ValueError: if one is unknown; the message lists those that are known.
        ImportError: if one is not installed.
    """
    chosen = {BASELINE: OPPONENTS[BASELINE]}
    for name in names:
        if name not in OPPONENTS:
            raise unknown("opponent", OPPONENTS, opponents=name)
        chosen[name] = OPPONENTS[name]
    for entry in chosen.values():
        if not entry.installed:
            raise ImportError(f"The opponent {entry.name!r} is not installed: {entry.install}.")
    return list(chosen.values())


def default_opponents(quick: bool) -> list[Entry]:
    """Return the installed opponents, those that the short run has if `quick`."""
    return [entry for entry in OPPONENTS.values() if entry.installed and (entry.quick or not quick)]
