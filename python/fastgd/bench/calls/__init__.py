"""Kernels and single calls of fastgd and of the libraries they are compared with."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import cast

from fastgd.bench.calls.base import Calls


@dataclass(frozen=True)
class Library:
    """A library as the suite knows it before it is imported.

    Attributes:
        name: what the results call it.
        label: what tables call it.
        module: the module of this folder with its adapter, the class `Adapter`.
        needs: the modules that must be importable.
    """

    name: str
    label: str
    module: str
    needs: tuple[str, ...]

    @property
    def installed(self) -> bool:
        """Whether what it needs can be imported."""
        return all(importlib.util.find_spec(name) is not None for name in self.needs)

    def load(self) -> type[Calls]:
        """Return its adapter; this does not import the library yet."""
        module = importlib.import_module(f"fastgd.bench.calls.{self.module}")
        return cast("type[Calls]", module.Adapter)


LIBRARIES = {
    library.name: library
    for library in (
        Library("fastgd", "fastgd", "native_calls", ("fastgd._core", "fastgd.kernels")),
        Library("numpy", "NumPy", "numpy_calls", ("numpy",)),
        Library("torch", "PyTorch", "torch_calls", ("torch",)),
        Library("jax", "JAX", "jax_calls", ("jax",)),
    )
}
