"""The models."""

from fastgd.models.cloning import clone_model, model_from_json
from fastgd.models.model import Model
from fastgd.models.sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "model_from_json"]
