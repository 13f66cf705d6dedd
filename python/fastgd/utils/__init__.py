"""Helpers for users: seeding, one-hot targets and resetting automatic names."""

from fastgd.utils.categorical import to_categorical
from fastgd.utils.naming import clear_session
from fastgd.utils.seeds import set_random_seed

__all__ = ["clear_session", "set_random_seed", "to_categorical"]
