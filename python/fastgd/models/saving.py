"""Saving and loading as methods of models; `fastgd.saving` does it and is imported when it is first needed."""

from __future__ import annotations

from typing import Any

from fastgd.models.configs import CustomObjects
from fastgd.utils.errors import invalid, mistyped, unknown


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

    def export(
        self, filepath: Any, format: str = "onnx", verbose: Any = None, input_signature: Any = None, **kwargs: Any
    ) -> None:
        """Write what `predict` computes to a file for other runtimes; see `interop.onnx.export`.

        Args:
            filepath: the file.
            format: "onnx"; Keras' other formats, of which "tf_saved_model" is the default there, are not available.
            verbose: True to print where the file is, None or False to be silent.
            input_signature: None; inputs have the shapes that the model was built for, and batches any size.
            **kwargs: `opset_version`, the version of ONNX' operators, 17 if it is not given.

        Raises:
            ImportError: without the extra "onnx".
            ValueError: for another format or signature, or a model without a counterpart.
            TypeError: for other keywords.
        """
        from fastgd.interop import onnx

        if format != "onnx":
            raise unknown("format", ["onnx"], format=format)
        if input_signature is not None:
            raise invalid(
                "`input_signature` must be None: the model tells its inputs.", input_signature=input_signature
            )
        opset = kwargs.pop("opset_version", None)
        if kwargs:
            raise mistyped(f"export has no keyword `{next(iter(kwargs))}`. Known: opset_version.", **kwargs)
        onnx.export(self, filepath, *([] if opset is None else [opset]))  # type: ignore[arg-type]
        if verbose:
            print(f"Saved ONNX model at {str(filepath)!r}.")


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
