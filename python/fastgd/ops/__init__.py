"""The ops: inside a layer's `call` they write steps of a plan, on arrays they run at once. docs/ops.md defines each."""

from fastgd.ops.elementwise import activation, add, dropout
from fastgd.ops.linear import dense, matmul
from fastgd.ops.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    mean_absolute_error,
    mean_squared_error,
    sigmoid_crossentropy,
    softmax_crossentropy,
    sparse_categorical_crossentropy,
    sparse_softmax_crossentropy,
)
from fastgd.ops.metrics import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    concordance_correlation,
    pearson_correlation,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
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
    "concordance_correlation",
    "dense",
    "dropout",
    "flatten",
    "matmul",
    "mean_absolute_error",
    "mean_squared_error",
    "pearson_correlation",
    "reshape",
    "sigmoid_crossentropy",
    "softmax_crossentropy",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_softmax_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]
