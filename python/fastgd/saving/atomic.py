"""Writing a file so that its name stands for the old content or the whole new one, whenever the process dies."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path

from fastgd.utils.checks import check_bool
from fastgd.utils.errors import mistyped

# No writing takes so long.
_LEFT_SECONDS = 3600.0


def as_path(filepath: object, name: str = "filepath") -> Path:
    """Return a path given as a string or a path.

    Raises:
        TypeError: if it is neither.
    """
    if not isinstance(filepath, (str, os.PathLike)):
        raise mistyped(f"`{name}` must be a string or a path.", **{name: filepath})
    return Path(os.fspath(filepath))


def check_overwrite(path: Path, overwrite: bool) -> None:
    """Raise a FileExistsError if the path exists and may not be overwritten."""
    if not check_bool("overwrite", overwrite) and path.exists():
        raise FileExistsError(f"`overwrite` is False and the file exists. Received: filepath={str(path)!r}")


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file: under a temporary name beside it, synced, then renamed, and its folder synced.

    A reader finds the old file or the new one. What a killed process leaves is a hidden file of another name; the next
    one that writes the same file removes it.

    Args:
        path: the final name.
        content: all of it.

    Raises:
        OSError: if the system cannot write; nothing has changed then.
    """
    folder = path.parent
    temporary = folder / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(folder)
    _remove_left(path)


def _sync_folder(folder: Path) -> None:
    """Make a renaming last; some file systems know no syncing of folders, and there it does."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_left(path: Path) -> None:
    """Remove what killed processes have left of the same file, once it is too old to be still at work."""
    for other in path.parent.iterdir():
        if other.name.startswith(f".{path.name}.") and other.name.endswith(".tmp"):
            with contextlib.suppress(OSError):
                if time.time() - other.stat().st_mtime > _LEFT_SECONDS:
                    other.unlink()
