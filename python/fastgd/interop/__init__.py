"""Models to and from PyTorch, Keras and ONNX. Each module is imported when it is first used."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["keras", "onnx", "torch"]


def __getattr__(name: str) -> Any:
    """Import the module of one library."""
    if name in __all__:
        return importlib.import_module(f"fastgd.interop.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
