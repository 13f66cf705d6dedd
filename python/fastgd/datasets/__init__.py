"""Data sets: real digits shipped with the package, and readers for files that a user has; nothing is downloaded."""

import sys

from fastgd.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    idx,
    imdb,
    mnist,
    reuters,
)
from fastgd.utils.public_names import refuse_unknown_names

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "idx",
    "imdb",
    "mnist",
    "reuters",
]

refuse_unknown_names(sys.modules[__name__])
