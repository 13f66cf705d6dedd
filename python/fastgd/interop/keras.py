"""Keras models as models of fastgd and back, on whichever backend Keras runs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastgd.models import Model
from fastgd.saving import load_model, save_model
from fastgd.utils.checks import check_bool
from fastgd.utils.errors import mistyped

__all__ = ["from_keras", "to_keras"]


def from_keras(model: Any, compile: bool = True, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """Return a model like one of Keras 3: the same layers, names, weights, compile arguments and optimizer state.

    Nothing is shared: the two go on by themselves. The way is that of files, so that what `load_model` says holds.

    Args:
        model: a Sequential or functional model of Keras, also with models inside, built.
        compile: whether the new model is compiled as this one is, with the state of its optimizer.
        custom_objects: the classes of fastgd to take for classes of one's own, by their names.

    Returns:
        The model.

    Raises:
        ImportError: without Keras.
        TypeError: if `model` is no model of Keras.
        ValueError: for layers, arguments, losses and metrics that fastgd has not; the message names them.

    Example:
        >>> fast = fastgd.interop.keras.from_keras(model)
        >>> fast.fit(x, y, epochs=5)
        >>> model.set_weights(fast.get_weights())
    """
    import keras

    if not isinstance(model, keras.Model):
        raise mistyped("`model` must be a model of Keras.", model=model)
    check_bool("compile", compile)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        made: Model = load_model(path, custom_objects, compile)
    return made


def to_keras(model: Model, compile: bool = True, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return a Keras 3 model like one of fastgd: the same layers, names, weights, compile arguments, optimizer state.

    Args:
        model: a model, built; of a class of one's own if `custom_objects` has that of Keras for it.
        compile: whether the new model is compiled as this one is, with the state of its optimizer.
        custom_objects: the classes of Keras to take for classes of one's own, by their names.

    Returns:
        The model, on the backend that Keras runs on.

    Raises:
        ImportError: without Keras.
        TypeError: if `model` is no model, or a part of it has no config, such as a lambda.
        ValueError: if it is not built.
    """
    import keras

    if not isinstance(model, Model):
        raise mistyped("`model` must be a model.", model=model)
    check_bool("compile", compile)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        save_model(model, path)
        return keras.saving.load_model(path, custom_objects=custom_objects, compile=compile)
