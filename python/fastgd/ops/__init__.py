"""The ops: inside a layer's `call` they write steps of a plan, on arrays they run at once. docs/ops.md defines each."""

from fastgd.ops.crossentropies import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from fastgd.ops.elementwise import activation, add, dropout
from fastgd.ops.linear import dense, matmul
from fastgd.ops.metrics import accuracy, binary_accuracy, categorical_accuracy, sparse_categorical_accuracy
from fastgd.ops.shaping import concatenate, flatten, reshape

__all__ = [
    "accuracy",
    "activation",
    "add",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "concatenate",
    "dense",
    "dropout",
    "flatten",
    "matmul",
    "reshape",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
]
