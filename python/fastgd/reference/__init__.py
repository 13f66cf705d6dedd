"""The NumPy interpreter of the plan: the textbook form of every op, oracle and opponent of the native engine."""

# Importing the families of ops fills the table in `registry`.
from fastgd.reference import activations, dropout, linear, logits, losses, metric_columns, metrics, shape  # noqa: F401
from fastgd.reference.executor import Executor

__all__ = ["Executor"]
