"""The layers."""

from fastgd.layers.activation import Activation
from fastgd.layers.activation_layers import ELU, LeakyReLU, ReLU, Softmax
from fastgd.layers.activity_regularization import ActivityRegularization
from fastgd.layers.dense import Dense
from fastgd.layers.dropout import Dropout
from fastgd.layers.graph import KerasTensor
from fastgd.layers.input_layer import Input, InputLayer
from fastgd.layers.lambda_layer import Lambda
from fastgd.layers.layer import Layer
from fastgd.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
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
    "Dot",
    "Dropout",
    "Flatten",
    "Identity",
    "Input",
    "InputLayer",
    "KerasTensor",
    "Lambda",
    "Layer",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
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
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
