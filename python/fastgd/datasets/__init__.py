"""Data sets: real digits shipped with the package, and readers for files that a user has."""

from fastgd.datasets import digits, idx, mnist

__all__ = ["digits", "idx", "mnist"]
