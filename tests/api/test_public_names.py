"""Imports as Keras' scripts write them, and what is said of names that fastgd has not."""

from __future__ import annotations

import importlib
import inspect

import pytest

import fastgd
from fastgd.utils.public_names import public_names

SCRIPT = """
import fastgd as keras
from fastgd import backend as K
from fastgd import config, layers, losses, metrics, models, ops, optimizers, preprocessing, random, regularizers, utils
from fastgd.callbacks import EarlyStopping, ReduceLROnPlateau
from fastgd.datasets import cifar10, imdb, mnist
from fastgd.initializers import HeNormal
from fastgd.layers import Dense, Input, StringLookup
from fastgd.models import Model, Sequential
from fastgd.optimizers import Adam
from fastgd.optimizers.schedules import ExponentialDecay
from fastgd.preprocessing.sequence import pad_sequences
from fastgd.saving import register_keras_serializable
from fastgd.utils import set_random_seed, to_categorical

K.clear_session()
assert keras.datasets.mnist is mnist and keras.random.normal is random.normal and keras.saving.custom_object_scope
"""


def test_imports_of_keras_scripts():
    exec(compile(SCRIPT, "script", "exec"), {})


@pytest.mark.parametrize(
    ("module", "name", "hint"),
    [
        ("fastgd", "activation", "activations"), ("fastgd.layers", "Conv2DTranspos", "Conv2DTranspose"),
        ("fastgd.layers", "Densely", "Dense"), ("fastgd.losses", "mean_square_error", "mean_squared_error"),
        ("fastgd.metrics", "accuracy_score", "Accuracy"), ("fastgd.optimizers", "Adan", "Adam"),
        ("fastgd.optimizers.schedules", "CosineDecayRestart", "CosineDecayRestarts"),
        ("fastgd.callbacks", "EarlyStop", "EarlyStopping"), ("fastgd.utils", "to_categoric", "to_categorical"),
        ("fastgd.datasets", "mnst", "mnist"), ("fastgd.random", "normals", "normal"),
        ("fastgd.config", "flotx", "floatx"),
        ("fastgd.activations", "leakyrelu", "leaky_relu"), ("fastgd.regularizers", "L1L3", "L1L2"),
        ("fastgd.saving", "register_keras_serialisable", "register_keras_serializable"),
        ("fastgd.preprocessing", "sequences", "sequence"), ("fastgd.models", "clone", "clone_model"),
    ],
)  # fmt: skip
def test_a_name_that_is_missing(module, name, hint):
    found = importlib.import_module(module)
    with pytest.raises(AttributeError, match=f"^module '{module}' has no attribute '{name}'. Did you mean '{hint}'"):
        getattr(found, name)
    with pytest.raises(AttributeError, match="has no attribute '__wrapped__'$"):
        getattr(found, "__wrapped__")  # noqa: B009 - a name of Python's that others ask for
    assert not hasattr(found, name)


def test_modules_without_a_list_of_names():
    for module in (fastgd.config, fastgd.initializers, fastgd.regularizers, fastgd.constraints):
        names = public_names(module)
        assert names and all(not name.startswith("_") for name in names)
        assert not any(inspect.ismodule(getattr(module, name)) for name in names)
