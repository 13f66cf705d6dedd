"""The layers."""

from fastgd.layers.activation import Activation
from fastgd.layers.batch_normalization import BatchNormalization
from fastgd.layers.dense import Dense
from fastgd.layers.dropout import AlphaDropout, Dropout, SpatialDropout1D
from fastgd.layers.encoding import CategoryEncoding, Discretization
from fastgd.layers.graph import KerasTensor
from fastgd.layers.group_normalization import GroupNormalization
from fastgd.layers.input_layer import Input, InputLayer
from fastgd.layers.layer import Layer
from fastgd.layers.layer_normalization import LayerNormalization, RMSNormalization, UnitNormalization
from fastgd.layers.merging import Add, Concatenate, add, concatenate
from fastgd.layers.noise import GaussianDropout, GaussianNoise
from fastgd.layers.reshaping import Flatten, Reshape
from fastgd.layers.scaling import Normalization, Rescaling

__all__ = [
    "Activation",
    "Add",
    "AlphaDropout",
    "BatchNormalization",
    "CategoryEncoding",
    "Concatenate",
    "Dense",
    "Discretization",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "Input",
    "InputLayer",
    "KerasTensor",
    "Layer",
    "LayerNormalization",
    "Normalization",
    "RMSNormalization",
    "Rescaling",
    "Reshape",
    "SpatialDropout1D",
    "UnitNormalization",
    "add",
    "concatenate",
]
