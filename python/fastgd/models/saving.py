"""Saving and loading as methods of models; `fastgd.saving` does it and is imported when it is first needed."""

from __future__ import annotations

from typing import Any

from fastgd.models.configs import CustomObjects


class Saving:
    """The part of a model that files concern."""

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None) -> None:
        """Write the model to a `.keras` file, which Keras 3 opens, too; see `saving.save_model`."""
        save_model(self, filepath, overwrite, zipped)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights to a file; see `saving.save_weights`."""
        from fastgd import saving

        saving.save_weights(self, filepath, overwrite)  # type: ignore[arg-type]

    def load_weights(self, filepath: Any, skip_mismatch: bool = False) -> None:
        """Take the weights of a file; see `saving.load_weights`."""
        from fastgd import saving

        saving.load_weights(self, filepath, skip_mismatch)  # type: ignore[arg-type]


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None) -> None:
    """Write a model to a `.keras` file; see `saving.save_model`."""
    from fastgd import saving

    saving.save_model(model, filepath, overwrite, zipped)


def load_model(
    filepath: Any, custom_objects: CustomObjects = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Return the model of a `.keras` file; see `saving.load_model`."""
    from fastgd import saving

    return saving.load_model(filepath, custom_objects, compile, safe_mode)
