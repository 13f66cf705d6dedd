"""Helpers for users: seeding, one-hot targets, normalised rows, data in batches and resetting automatic names."""

from fastgd.config import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
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
from fastgd.utils.progbar import Progbar
from fastgd.utils.py_dataset import PyDataset
from fastgd.utils.samples import normalize
from fastgd.utils.seeds import set_random_seed
from fastgd.utils.sequences import pad_sequences
from fastgd.utils.splitting import split_dataset
from fastgd.utils.timeseries import timeseries_dataset_from_array

# Keras has both names.
Sequence = PyDataset

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_interactive_logging_enabled",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_keras_serializable",
    "set_random_seed",
    "split_dataset",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
