"""Helpers for users: seeding, one-hot targets, normalised rows, data in batches and resetting automatic names."""

from fastgd.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
from fastgd.utils.categorical import to_categorical
from fastgd.utils.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from fastgd.utils.naming import clear_session
from fastgd.utils.py_dataset import PyDataset
from fastgd.utils.samples import normalize
from fastgd.utils.seeds import set_random_seed

__all__ = [
    "CustomObjectScope",
    "PyDataset",
    "clear_session",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "pack_x_y_sample_weight",
    "register_keras_serializable",
    "set_random_seed",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
