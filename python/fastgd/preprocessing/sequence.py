"""Keras' second name for `utils.pad_sequences`."""

from fastgd.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
