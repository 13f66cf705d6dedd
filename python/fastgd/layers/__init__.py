"""The layers."""

from fastgd.layers.activation import Activation
from fastgd.layers.activity_regularization import ActivityRegularization
from fastgd.layers.dense import Dense
from fastgd.layers.dropout import Dropout
from fastgd.layers.graph import KerasTensor
from fastgd.layers.input_layer import Input, InputLayer
from fastgd.layers.layer import Layer
from fastgd.layers.merging import Add, Concatenate, add, concatenate
from fastgd.layers.reshaping import Flatten, Reshape

__all__ = [
    "Activation",
    "ActivityRegularization",
    "Add",
    "Concatenate",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "KerasTensor",
    "Layer",
    "Reshape",
    "add",
    "concatenate",
]
