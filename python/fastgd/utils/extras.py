"""Importing libraries that only an extra installs, with an error that names it."""

from __future__ import annotations

import importlib
from typing import Any


def import_extra(module: str, extra: str, need: str) -> Any:
    """Return a module that an extra of fastgd installs, imported when something needs it.

    Args:
        module: the full name, such as "h5py".
        extra: the extra that installs it, such as "files".
        need: what needs it, as the message begins: "Saving models".

    Raises:
        ImportError: if it is not installed; the message says what to install.

    Example:
        >>> h5py = import_extra("h5py", "files", "Saving models")
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        distribution = module.split(".")[0]
        raise ImportError(f"{need} needs {distribution}: pip install 'fastgd[{extra}]'.") from error
