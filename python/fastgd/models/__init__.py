"""The models."""

from fastgd.models.model import Model
from fastgd.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
