"""Reading a CSV file as a table of texts: the separator found, gaps and kinds of columns left to the preprocessing."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path
from typing import IO

from fastgd.tabular.cells import Frame, pandas

SEPARATORS = (",", ";", "\t", "|")
_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
# A name for each column of a file without names: column1, column2, ...
NAME = "column"


def read_table(path: str | Path, header: bool = True, separator: str | None = None) -> Frame:
    """Read a CSV file, compressed (.gz, .bz2, .xz) or not, in UTF-8, as a data frame of texts as they stand there.

    Args:
        path: the file.
        header: whether its first row holds the names of the columns; if not, they are column1, column2, ...
        separator: what separates the columns; if not given, that of comma, semicolon, tab and bar which the first
            row holds most often.

    Returns:
        The data frame of pandas.

    Raises:
        ImportError: if pandas is not installed.
        OSError: if the file cannot be read.
        ValueError: if it is no table: empty, no text, rows of different lengths, two columns of one name.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder, no CSV file")
    pd = pandas()
    try:
        with _open(path) as file:
            first = file.readline(10_000_000)
            if not first.strip():
                raise ValueError(f"{path} is empty" if not first else f"{path} begins with an empty line")
            if "\0" in first:
                raise ValueError(f"{path} is no text file")
            file.seek(0)
            chosen = separator or _find_separator(first)
            frame = pd.read_csv(
                file,
                sep=chosen,
                header=None,
                dtype=str,
                keep_default_na=False,
                na_filter=False,
                skipinitialspace=True,
                skip_blank_lines=True,
                encoding_errors="strict",
            )
    except (pd.errors.ParserError, UnicodeDecodeError, EOFError, gzip.BadGzipFile, lzma.LZMAError) as error:
        detail = "it is not in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).split("C error: ")[-1]
        raise ValueError(f"{path} cannot be read as a table: {detail}") from error
    # Short rows come padded, and without a filter the padding is a float.
    frame = frame.fillna("")
    if not header:
        frame.columns = [f"{NAME}{number}" for number in range(1, frame.shape[1] + 1)]
        return frame
    names = [name.strip() for name in frame.iloc[0]]
    double = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if double is not None:
        raise ValueError(f"{path}: two columns have the name {double!r}")
    frame = frame.iloc[1:].reset_index(drop=True)
    frame.columns = names
    if frame.empty:
        raise ValueError(f"{path} holds no rows, only the names of the columns")
    return frame


def looks_like_data(names: list[str]) -> bool:
    """Return whether some names of columns are numbers, as in a file that has no names."""
    return any(_is_number(name) for name in names)


def _open(path: Path) -> IO[str]:
    # A mark that some programs write before UTF-8 is skipped.
    opener = _OPENERS.get(path.suffix, open)
    return opener(path, "rt", encoding="utf-8-sig", newline="")  # type: ignore[operator, no-any-return]


def _find_separator(line: str) -> str:
    unquoted = "".join(line.split('"')[::2])
    return max(SEPARATORS, key=unquoted.count)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
