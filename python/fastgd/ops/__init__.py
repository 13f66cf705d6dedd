"""The ops: inside a layer's `call` they write steps of a plan, on arrays they run at once. docs/ops.md defines each."""

from fastgd.ops.elementwise import activation, add
from fastgd.ops.encoding import category_encoding, discretize, rescale, standardize
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
from fastgd.ops.metrics import accuracy, binary_accuracy, categorical_accuracy, sparse_categorical_accuracy
from fastgd.ops.noise import alpha_dropout, dropout, gaussian_noise
from fastgd.ops.normalization import (
    batch_normalization,
    group_normalization,
    layer_normalization,
    rms_normalization,
    unit_normalization,
)
from fastgd.ops.shaping import concatenate, flatten, reshape

__all__ = [
    "accuracy",
    "activation",
    "add",
    "alpha_dropout",
    "batch_normalization",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "category_encoding",
    "concatenate",
    "dense",
    "discretize",
    "dropout",
    "flatten",
    "gaussian_noise",
    "group_normalization",
    "layer_normalization",
    "matmul",
    "mean_absolute_error",
    "mean_squared_error",
    "rescale",
    "reshape",
    "rms_normalization",
    "sigmoid_crossentropy",
    "softmax_crossentropy",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_softmax_crossentropy",
    "standardize",
    "unit_normalization",
]
