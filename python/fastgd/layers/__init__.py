"""The layers."""

from fastgd.layers.activation import Activation
from fastgd.layers.activation_layers import ELU, LeakyReLU, ReLU, Softmax
from fastgd.layers.activity_regularization import ActivityRegularization
from fastgd.layers.attention import AdditiveAttention, Attention
from fastgd.layers.augmentation import RandomCrop, RandomFlip
from fastgd.layers.batch_normalization import BatchNormalization
from fastgd.layers.bidirectional import Bidirectional
from fastgd.layers.convolution import Conv1D, Conv2D, Conv3D
from fastgd.layers.dense import Dense
from fastgd.layers.depthwise_convolution import DepthwiseConv1D, DepthwiseConv2D
from fastgd.layers.dropout import AlphaDropout, Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from fastgd.layers.einsum_dense import EinsumDense
from fastgd.layers.embedding import Embedding
from fastgd.layers.encoding import CategoryEncoding, Discretization
from fastgd.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from fastgd.layers.graph import KerasTensor
from fastgd.layers.group_normalization import GroupNormalization
from fastgd.layers.hashing import Hashing
from fastgd.layers.input_layer import Input, InputLayer
from fastgd.layers.lambda_layer import Lambda
from fastgd.layers.layer import Layer
from fastgd.layers.layer_normalization import LayerNormalization, RMSNormalization, UnitNormalization
from fastgd.layers.lookups import IntegerLookup, StringLookup
from fastgd.layers.margins import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from fastgd.layers.masking import Masking
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
from fastgd.layers.multi_head_attention import GroupQueryAttention, MultiHeadAttention
from fastgd.layers.noise import GaussianDropout, GaussianNoise
from fastgd.layers.numpy_layer import NumpyLayer
from fastgd.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from fastgd.layers.prelu import PReLU
from fastgd.layers.random_affine import RandomRotation, RandomTranslation, RandomZoom
from fastgd.layers.random_tone import RandomBrightness, RandomContrast
from fastgd.layers.recurrent import GRU, LSTM, SimpleRNN
from fastgd.layers.recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell
from fastgd.layers.reshaping import Flatten, Identity, Permute, RepeatVector, Reshape
from fastgd.layers.rnn import RNN
from fastgd.layers.scaling import Normalization, Rescaling
from fastgd.layers.separable_convolution import SeparableConv1D, SeparableConv2D
from fastgd.layers.stacked_cells import StackedRNNCells
from fastgd.layers.text_vectorization import TextVectorization
from fastgd.layers.time_distributed import TimeDistributed
from fastgd.layers.transposed_convolution import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from fastgd.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D

# Keras has both names.
Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GroupedQueryAttention = GroupQueryAttention

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "GroupedQueryAttention",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "IntegerLookup",
    "KerasTensor",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "NumpyLayer",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
