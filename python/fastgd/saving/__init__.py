"""Naming classes and functions of one's own in configs."""

import sys

from fastgd.saving.registration import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from fastgd.utils.public_names import refuse_unknown_names

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
]

refuse_unknown_names(sys.modules[__name__])
