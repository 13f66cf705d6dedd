"""The NumPy interpreter of the plan: the textbook form of every op, oracle and opponent of the native engine."""

# Importing the families of ops fills the table in `registry`.
from fastgd.reference import (  # noqa: F401
    activations,
    attention,
    augmentation,
    convolution,
    dropout,
    elementwise,
    embedding,
    encoding,
    host,
    linear,
    logits,
    losses,
    metric_columns,
    metrics,
    moves,
    normalization,
    penalties,
    pooling,
    recurrent,
    reductions,
    row_losses,
    shape,
    sources,
    weighting,
)
from fastgd.reference.executor import Executor

__all__ = ["Executor"]
