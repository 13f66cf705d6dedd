"""`fastgd predict`: applies a saved model of a table to a CSV file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console

from fastgd.cli.table_display import show_facts, show_scores
from fastgd.cli.tables import Frame, names_in, read
from fastgd.saving.atomic import write_whole
from fastgd.tabular import TabularModel
from fastgd.tabular.cells import to_texts
from fastgd.tabular.preprocessor import require_column
from fastgd.tabular.scores import LESS_IS_BETTER, score
from fastgd.tabular.targets import ClassTarget

PREDICT_HELP = """Predict each row of a CSV file with a model that `fastgd train data.csv --save model.keras` wrote.

Writes a column `prediction` and, for classes, one `probability of CLASS` each. If the file holds the target, too, the
measures of the predictions are shown beside them.
"""
PREDICTION, PROBABILITY = "prediction", "probability of "


def predict_table(
    model_path: Path, data: str, output: Path | None, keep: str, header: bool, separator: str | None
) -> None:
    """Write the predictions for a CSV file into another one, or to standard output, and tell what is to be known.

    Raises:
        OSError: if a file cannot be read or written.
        ValueError: if one is not what it must be; the message says why.
    """
    if output is not None and not output.resolve().parent.is_dir():
        raise ValueError(f"The folder of {str(output)!r} does not exist")
    if not model_path.exists():
        raise ValueError(f"{model_path}: there is no such file")
    model = TabularModel.load(model_path)
    frame = read(data, header, separator)
    kept = names_in(keep)
    for name in kept:
        require_column(list(frame.columns), name)
    target = model.fitted_target
    outputs = model.predict_outputs(frame)
    table = frame[kept].copy()
    table[PREDICTION] = target.decode(outputs)
    if isinstance(target, ClassTarget):
        for number, label in enumerate(target.classes):
            table[PROBABILITY + label] = outputs[:, number]
    text = table.to_csv(index=False, float_format="%.6g")
    # What is said goes beside the predictions, so that these can go into a pipe.
    console = Console(stderr=output is None)
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_whole(output, text.encode())
    facts = _facts(model, frame)
    if output is not None:
        facts["written"] = f"{len(table):,} rows into {os.fspath(output)}"
    scores, rows = {}, 0
    if target.name in frame.columns:
        known = to_texts(frame[target.name]).notna().to_numpy()
        rows = int(known.sum())
        try:
            cells = frame.loc[known, target.name].reset_index(drop=True)
            scores = score(target, cells, outputs[known]) if rows else {}
        except ValueError as error:
            # The predictions are good without it, so this is no failure.
            facts["not measured"] = str(error)
    if facts:
        show_facts(console, data, facts)
    if scores:
        show_scores(console, f"{rows:,} rows with {target.name}", {"fastgd": scores}, LESS_IS_BETTER)


def _facts(model: TabularModel, frame: Frame) -> dict[str, str]:
    """Return what to say of a table that differs from that of the training."""
    unseen = model.preprocessor.count_unseen(frame)
    shown = ", ".join(f"{name} in {count} row{'s' * (count > 1)}" for name, count in unseen.items())
    return {"rare or new": shown} if unseen else {}
