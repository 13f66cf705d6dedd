"""The layers."""

from fastgd.layers.activation import Activation
from fastgd.layers.activation_layers import ELU, LeakyReLU, ReLU, Softmax
from fastgd.layers.dense import Dense
from fastgd.layers.dropout import Dropout
from fastgd.layers.graph import KerasTensor
from fastgd.layers.input_layer import Input, InputLayer
from fastgd.layers.layer import Layer
from fastgd.layers.merging import Add, Concatenate, add, concatenate
from fastgd.layers.prelu import PReLU
from fastgd.layers.reshaping import Flatten, Reshape

__all__ = [
    "ELU",
    "Activation",
    "Add",
    "Concatenate",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "KerasTensor",
    "Layer",
    "LeakyReLU",
    "PReLU",
    "ReLU",
    "Reshape",
    "Softmax",
    "add",
    "concatenate",
]
