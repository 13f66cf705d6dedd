"""The layers."""

from fastgd.layers.activation import Activation
from fastgd.layers.activation_layers import ELU, LeakyReLU, ReLU, Softmax
from fastgd.layers.activity_regularization import ActivityRegularization
from fastgd.layers.dense import Dense
from fastgd.layers.dropout import Dropout
from fastgd.layers.graph import KerasTensor
from fastgd.layers.input_layer import Input, InputLayer
from fastgd.layers.layer import Layer
from fastgd.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from fastgd.layers.numpy_layer import NumpyLayer
from fastgd.layers.prelu import PReLU
from fastgd.layers.reshaping import Flatten, Identity, Permute, RepeatVector, Reshape

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "Average",
    "Concatenate",
    "Dense",
    "Dropout",
    "Flatten",
    "Identity",
    "Input",
    "InputLayer",
    "KerasTensor",
    "Layer",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "NumpyLayer",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "Softmax",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
