"""The models."""

from fastgd.models.cloning import clone_model, model_from_json
from fastgd.models.model import Model
from fastgd.models.saving import load_model, save_model
from fastgd.models.sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
