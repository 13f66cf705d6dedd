"""fastgd trains neural networks by gradient descent on CPUs, with Keras 3's names."""

from __future__ import annotations

import importlib
from typing import Any

from fastgd import (
    activations,
    callbacks,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    regularizers,
    utils,
)
from fastgd.constraints import Constraint
from fastgd.initializers import Initializer
from fastgd.layers import Input, KerasTensor, Layer
from fastgd.losses import Loss
from fastgd.metrics import Metric
from fastgd.models import Model, Sequential
from fastgd.ops.parameters import Variable
from fastgd.ops.tape import GradientTape
from fastgd.optimizers import Optimizer
from fastgd.regularizers import Regularizer
from fastgd.runtime import backend, get_num_threads, set_num_threads, version
from fastgd.utils.public_names import refuse_unknown_names, unknown_name

__all__ = [
    "Constraint",
    "GradientTape",
    "Initializer",
    "Input",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "get_num_threads",
    "initializers",
    "interop",
    "kernels",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "set_num_threads",
    "show_versions",
    "tabular",
    "testing",
    "utils",
]


for _module in (
    activations,
    callbacks,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    optimizers.schedules,
    regularizers,
    utils,
):
    refuse_unknown_names(_module)


def __getattr__(name: str) -> Any:
    """Import what only some programs need when it is first used."""
    lazy = "datasets", "estimators", "interop", "kernels", "preprocessing", "random", "saving", "tabular", "testing"
    if name in lazy:
        return importlib.import_module(f"fastgd.{name}")
    if name == "show_versions":
        return importlib.import_module("fastgd._info").show_versions
    if name == "__version__":
        return version()
    raise unknown_name(__name__, name, __all__)


def __dir__() -> list[str]:
    """List the names that are imported on first use too."""
    return sorted({*globals(), *__all__})
