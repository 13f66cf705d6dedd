"""Saving and loading in Keras' formats, and naming classes and functions of one's own in configs."""

import sys

from fastgd.saving.models import load_model, load_weights, save_model, save_weights
from fastgd.saving.reading import deserialize_keras_object
from fastgd.saving.registration import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from fastgd.saving.writing import serialize_keras_object
from fastgd.utils.public_names import refuse_unknown_names

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

refuse_unknown_names(sys.modules[__name__])
