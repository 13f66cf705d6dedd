"""PyTorch modules: as fastgd models, their weights back, and training them natively in place."""

from fastgd.interop.torch.conversion import from_torch, to_torch
from fastgd.interop.torch.training import fit_torch

__all__ = ["fit_torch", "from_torch", "to_torch"]
