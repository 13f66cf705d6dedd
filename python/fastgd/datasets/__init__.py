"""Data sets: real digits shipped with the package, and readers for files that a user has; nothing is downloaded."""

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
