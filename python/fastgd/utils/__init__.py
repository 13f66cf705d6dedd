"""Helpers for users: seeding, one-hot targets, normalised rows, data in batches and resetting automatic names."""

from fastgd.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
from fastgd.utils.categorical import to_categorical
from fastgd.utils.naming import clear_session
from fastgd.utils.py_dataset import PyDataset
from fastgd.utils.samples import normalize
from fastgd.utils.seeds import set_random_seed

__all__ = [
    "PyDataset",
    "clear_session",
    "normalize",
    "pack_x_y_sample_weight",
    "set_random_seed",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
