"""`fastgd train data.csv`: reads the table, trains networks on it, and shows how they do beside simple models."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from rich.console import Console

from fastgd.cli.running import running
from fastgd.cli.table_display import format_score, network_display, show_facts, show_scores
from fastgd.tabular import NetworkSettings, TabularModel
from fastgd.tabular.baselines import BASELINES, fit_baseline
from fastgd.tabular.cells import example_of
from fastgd.tabular.columns import DateColumn
from fastgd.tabular.files import check_path
from fastgd.tabular.preprocessor import require_column
from fastgd.tabular.reading import looks_like_data, read_table
from fastgd.tabular.scores import LESS_IS_BETTER, check_available, score
from fastgd.tabular.targets import NumberTarget, guess_task

# Compressed files keep the ending that says what they hold.
TABLE_SUFFIXES = (".csv", ".tsv")
COMPRESSED = (".gz", ".bz2", ".xz")
FEWEST_ROWS = 10
# Of dropped columns and classes, more than these are counted, not listed.
MOST_NAMES = 8
PLURALS = {"number": "of numbers", "category": "of categories", "date": "of dates"}
# The row of the networks in the table.
OWN = "fastgd"

Frame = Any
Array = NDArray[Any]


@dataclass(frozen=True)
class TableSettings:
    """The options of `fastgd train` for a CSV file; the command line documents each."""

    seed: int
    threads: int | None
    backend: str | None
    target: str = ""
    task: str = "auto"
    log_target: bool = False
    class_weight: str | None = None
    test: str = "0.2"
    drop: str = ""
    categories: str = ""
    baselines: str = "constant,linear"
    save: Path | None = None
    no_header: bool = False
    separator: str | None = None


def is_table(data: str) -> bool:
    """Return whether a name is that of a CSV file."""
    path = Path(data)
    suffix = Path(path.stem).suffix if path.suffix in COMPRESSED else path.suffix
    return suffix.lower() in TABLE_SUFFIXES


def names_in(text: str) -> list[str]:
    """Return the names in a text that separates them by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def read(path: str, header: bool, separator: str | None) -> Frame:
    """Return the table in a file.

    Raises:
        ValueError: if there is no such file, or it is no table.
    """
    if separator is not None and len(separator.replace("\\t", "\t")) != 1:
        raise ValueError(f"--separator must be one character, or \\t. Received: {separator!r}")
    if not Path(path).exists():
        raise ValueError(f"{path}: there is no such file")
    return read_table(path, header, None if separator is None else separator.replace("\\t", "\t"))


def train_table(data: str, settings: TableSettings, network: NetworkSettings) -> None:
    """Train on a CSV file, compare with the baselines on rows held out for the test, and save the model if asked to.

    Raises:
        ValueError: if the table or an option cannot be used; the message says why.
    """
    chosen = _baselines(settings.baselines)
    check_available()
    if settings.save is not None:
        check_path(settings.save)
    frame = _read_training(data, settings)
    # From all rows: those for the training alone may look like another task.
    task = guess_task(frame[settings.target], settings.log_target) if settings.task == "auto" else settings.task
    drop, categories = names_in(settings.drop), names_in(settings.categories)
    model = TabularModel(network, task, settings.log_target, settings.class_weight, drop, categories, settings.seed)
    train, test = _split(frame, model, settings)
    console = Console()
    with running(settings.backend, settings.threads):
        # What cannot be read of the table should be told before the training, not after it.
        learnt = model.prepare(train, settings.target)
        tested = None if test is None else _encode_test(model, test, settings.test)
        show_facts(console, data, _describe(model, learnt[1], test))
        start = time.perf_counter()
        with network_display(console, network.networks, network.epochs) as display:
            model.train(*learnt, display.callbacks)
        seconds = time.perf_counter() - start
        last = f"validation loss: {sum(run.loss for run in model.runs) / len(model.runs):.4f}"
        if test is not None and tested is not None:
            scores = _compare(chosen, model, learnt, tested[0], test)
            show_scores(console, f"{len(test):,} rows not seen in training", scores, LESS_IS_BETTER)
            measure, value = next(iter(scores[OWN].items()))
            last = f"test {measure}: {format_score(measure, value)}"
    facts = {"training time": f"{seconds:.2f} s"}
    if settings.save is not None:
        model.save(settings.save)
        facts["saved"] = str(settings.save)
    show_facts(console, "", facts)
    print(last)


def _baselines(text: str) -> list[str]:
    chosen = names_in(text)
    for name in chosen:
        if name not in BASELINES:
            raise ValueError(f"--baselines must be of {', '.join(BASELINES)}. Received: {name!r}")
    return chosen


def _read_training(data: str, settings: TableSettings) -> Frame:
    """Return the table in the file to learn from, with the target and enough rows."""
    frame = read(data, not settings.no_header, settings.separator)
    names = list(frame.columns)
    if not settings.target:
        raise ValueError(f"--target must name the column to predict. Columns: {', '.join(names)}")
    if settings.target not in names and not settings.no_header and looks_like_data(names):
        raise ValueError(
            f"There is no column {settings.target!r}, and the first row of {data} seems to hold no names; if so, "
            f"give --no-header, and --target column1 to column{len(names)}"
        )
    require_column(names, settings.target)
    if len(frame) < FEWEST_ROWS:
        raise ValueError(
            f"{data} has too few rows to learn from: at least {FEWEST_ROWS} are needed. Received: {len(frame)}"
        )
    return frame


def _split(frame: Frame, model: TabularModel, settings: TableSettings) -> tuple[Frame, Frame | None]:
    """Return the rows to learn from and those of the test, or None without a test."""
    share = _share(settings.test)
    if share is None:
        test = read(settings.test, not settings.no_header, settings.separator)
        require_column(list(test.columns), settings.target)
        return frame, test
    return model.split(frame, settings.target, share)


def _encode_test(model: TabularModel, test: Frame, name: str) -> tuple[Array, Array]:
    """Return features and target of the rows of the test; a mistake in them is told with the file if they have one."""
    try:
        return model.encode(test)
    except ValueError as error:
        raise error if _share(name) is not None else ValueError(f"{name}: {error}") from error


def _share(text: str) -> float | None:
    """Return the share of rows for the test, or None if the text names a file."""
    try:
        share = float(text)
    except ValueError:
        return None
    if not 0 <= share < 1:
        raise ValueError(f"--test must be a share from 0 to below 1, or a file. Received: {text}")
    return share


def _describe(model: TabularModel, y: Array, test: Frame | None) -> dict[str, str]:
    """Return what to say of a table before the training: the target, the columns, those dropped, the rows."""
    target, preprocessor = model.fitted_target, model.preprocessor
    if isinstance(target, NumberTarget):
        task = f"{target.name}, a number" + (" (its logarithm is learnt)" if target.log else "")
    else:
        shown = ", ".join(target.classes[:MOST_NAMES]) + (", ..." if len(target.classes) > MOST_NAMES else "")
        # The measures of two classes are those of finding the second.
        share = f" (positive, {(y == 1).mean():.1%} of the rows)" if len(target.classes) == 2 else ""
        task = f"{target.name}, {len(target.classes)} classes: {shown}{share}"
    kinds = Counter(column.kind for column in preprocessor.columns)
    used = ", ".join(f"{kinds[kind]} {plural}" for kind, plural in PLURALS.items() if kinds[kind])
    facts = {"target": task, "columns": f"{used}: {len(preprocessor.feature_names)} features"}
    dates = [f"{c.name} (like {example_of(c.date_format)})" for c in preprocessor.columns if isinstance(c, DateColumn)]
    if dates:
        facts["dates"] = ", ".join(dates)
    if preprocessor.dropped:
        reasons = [f"{name} ({reason})" for name, reason in preprocessor.dropped.items()]
        more = len(reasons) - MOST_NAMES
        facts["left out"] = "; ".join(reasons[:MOST_NAMES]) + (f"; and {more} more" if more > 0 else "")
    facts["rows"] = f"{len(y):,} to learn from" + ("" if test is None else f", {len(test):,} to test on")
    return facts


def _compare(
    names: list[str], model: TabularModel, learnt: tuple[Array, Array], x_test: Array, test: Frame
) -> dict[str, dict[str, float]]:
    """Return the measures of each baseline and of the model on the rows of the test."""
    scores = {}
    cells = test[model.fitted_target.name]
    for name in names:
        label, outputs = fit_baseline(name, *learnt, x_test, model.settings, model.class_weight is not None, model.seed)
        scores[label] = score(model.fitted_target, cells, outputs)
    return {**scores, OWN: model.score(test)}
