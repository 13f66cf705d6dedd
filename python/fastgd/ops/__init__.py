"""The ops: inside a layer's `call` they write steps of a plan, on arrays they run at once. docs/ops.md defines each."""

from fastgd.ops.elementwise import activation, add, dropout
from fastgd.ops.indexing import one_hot, split, take, take_along_axis, unstack
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
from fastgd.ops.moving import broadcast_to, flip, moveaxis, pad, repeat, swapaxes, tile, transpose
from fastgd.ops.reductions import argmax, argmin, cumsum, logsumexp, max, mean, min, prod, std, sum, var
from fastgd.ops.shaping import concatenate, expand_dims, flatten, ravel, reshape, shape, squeeze, stack

__all__ = [
    "accuracy",
    "activation",
    "add",
    "argmax",
    "argmin",
    "binary_accuracy",
    "binary_crossentropy",
    "broadcast_to",
    "categorical_accuracy",
    "categorical_crossentropy",
    "concatenate",
    "cumsum",
    "dense",
    "dropout",
    "expand_dims",
    "flatten",
    "flip",
    "logsumexp",
    "matmul",
    "max",
    "mean",
    "mean_absolute_error",
    "mean_squared_error",
    "min",
    "moveaxis",
    "one_hot",
    "pad",
    "prod",
    "ravel",
    "repeat",
    "reshape",
    "shape",
    "sigmoid_crossentropy",
    "softmax_crossentropy",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_softmax_crossentropy",
    "split",
    "squeeze",
    "stack",
    "std",
    "sum",
    "swapaxes",
    "take",
    "take_along_axis",
    "tile",
    "transpose",
    "unstack",
    "var",
]
