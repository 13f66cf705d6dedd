"""Where the files of a data set are looked for, and what is said when they are not there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

# The folder from which Keras downloads most files.
KERAS_FILES = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def find(path: str | os.PathLike[str] | None, names: Sequence[str], origin: str) -> Path:
    """Return the first that exists of: `path` itself; in that folder, or in that of FASTGD_DATA, one of `names`.

    Args:
        path: a file, a folder, the name of a file in the folder of FASTGD_DATA, or None.
        names: what the file or folder may be called, most usual first.
        origin: from where it can be had, for the message.

    Raises:
        FileNotFoundError: if there is none; the message says which file to put where.
    """
    root = os.environ.get("FASTGD_DATA")
    folders = [Path(root)] if root else []
    looked: list[Path] = []
    if path is not None:
        given = Path(path)
        # A folder may be the wanted one, or that which holds it.
        looked += [given / name for name in names]
        looked += [given, *(folder / given for folder in folders if not given.is_absolute())]
    if path is None or Path(path).name in names:
        looked += [folder / name for folder in folders for name in names]
    for candidate in looked:
        if candidate.exists() and (candidate.name in names or candidate.is_file()):
            return candidate
    places = ", ".join(str(place) for place in dict.fromkeys(looked)) or "nowhere, since FASTGD_DATA is not set"
    raise FileNotFoundError(
        f"fastgd downloads nothing: get {names[0]} from {origin} and put it into a folder that the environment "
        f"variable FASTGD_DATA names, or give its place by `path`. Looked at: {places}. Received: path={path!r}"
    )
