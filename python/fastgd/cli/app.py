"""The commands with their options, and how each kind of failure ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import fastgd
from fastgd import _info
from fastgd.cli.bench import HELP as BENCH_HELP
from fastgd.cli.bench import bench
from fastgd.cli.data import DATA_HELP, load
from fastgd.cli.predicting import PREDICT_HELP, predict_table
from fastgd.cli.running import hidden_units, running
from fastgd.cli.tables import TableSettings, is_table, train_table
from fastgd.cli.training import Settings, train
from fastgd.tabular import NetworkSettings

USAGE_ERROR = 2
INTERRUPTED = 130

THREADS = typer.Option(min=1, help="Threads of the native backend; the result does not depend on them.")
BACKEND = typer.Option(help="native or numpy; FASTGD_BACKEND, else native, if not given.")


def _table_option(text: str, default: str | None = None, name: str | None = None, **more: Any) -> Any:
    """Return an option that only CSV files have, with the default that its help shows."""
    names = () if name is None else (name,)
    return typer.Option(*names, help=text, show_default=default or False, rich_help_panel="CSV files", **more)


NO_HEADER = _table_option("The file has no names of columns; they are column1, column2, ...", name="--no-header")
SEPARATOR = _table_option("What separates the columns; found if not given.")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train neural networks by gradient descent on the CPU.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fastgd {fastgd.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command("train", help=f"Train a dense network and report how well it does on held-out data.\n\n{DATA_HELP}")
def _train(
    data: Annotated[
        str, typer.Argument(help="`digits`, a .npz file, a folder of IDX files, or a CSV file.")
    ] = "digits",
    hidden: Annotated[
        str | None,
        typer.Option(
            help="Units of each hidden layer, separated by commas; an empty text for none.",
            show_default="64,32; CSV 128,64",
        ),
    ] = None,
    activation: Annotated[str, typer.Option(help="Activation of the hidden layers.")] = "relu",
    dropout: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Share of the hidden outputs dropped in training.", show_default="0; CSV 0.2"
        ),
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="Optimizer, such as adam or sgd.", show_default="adam; CSV adamw")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate; the optimizer's own default if not given.")
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Samples in a batch.", show_default="32; CSV 128 from 10,000 rows on"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the training data.", show_default="60; CSV at most 200")
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(
            "--validation-split",
            "--validation",
            min=0.0,
            max=1.0,
            help="(or --validation) Share of the training data, its end, that validates instead; with CSV other rows "
            "for each network.",
            show_default="0.1; CSV 0.125",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weights, the shuffles and a held-out split.")] = 0,
    threads: Annotated[int | None, THREADS] = None,
    backend: Annotated[str | None, BACKEND] = None,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    target: Annotated[str | None, _table_option("Column to predict.")] = None,
    task: Annotated[
        str | None,
        _table_option("classify, regress, or auto: classes of texts, of two values, of few whole numbers.", "auto"),
    ] = None,
    log_target: Annotated[bool, _table_option("Learn the target's logarithm.", name="--log-target")] = False,
    class_weight: Annotated[str | None, _table_option("balanced: each class weighs the same in all.")] = None,
    test: Annotated[
        str | None, _table_option("Share of the rows for the test, 0 for none, or another CSV file.", "0.2")
    ] = None,
    drop: Annotated[str | None, _table_option("Columns to leave out, separated by commas.")] = None,
    categories: Annotated[str | None, _table_option("Columns whose numbers are names of categories.")] = None,
    networks: Annotated[
        int | None, _table_option("Networks to average, each with other rows held out.", "8", min=1)
    ] = None,
    patience: Annotated[
        int | None,
        _table_option("Epochs without a better loss on the held rows before a network stops.", "15", min=1),
    ] = None,
    baselines: Annotated[
        str | None,
        _table_option("What to compare with, of constant, linear and mlp (scikit-learn's).", "constant,linear"),
    ] = None,
    save: Annotated[Path | None, _table_option("File for the model and its preprocessing, *.keras.")] = None,
    no_header: Annotated[bool, NO_HEADER] = False,
    separator: Annotated[str | None, SEPARATOR] = None,
) -> None:
    # What is not given is left to those who know the defaults of their kind of data.
    network = _given(
        hidden=None if hidden is None else hidden_units(hidden),
        dropout=dropout,
        optimizer=optimizer,
        batch_size=batch_size,
        epochs=epochs,
    )
    common: dict[str, Any] = {"activation": activation, "learning_rate": learning_rate, "dtype": dtype}
    table = _given(
        target=target,
        task=task,
        log_target=log_target or None,
        class_weight=class_weight,
        test=test,
        drop=drop,
        categories=categories,
        baselines=baselines,
        save=save,
        no_header=no_header or None,
        separator=separator,
    )
    ensemble = _given(networks=networks, patience=patience)
    process: dict[str, Any] = {"seed": seed, "threads": threads, "backend": backend}
    if not is_table(data) and target is None:
        misplaced = [*table, *ensemble]
        if misplaced:
            raise ValueError(f"--{misplaced[0].replace('_', '-')} is for CSV files. Received: {data}")
        settings = Settings(**network, **common, **process, **_given(validation_split=validation))
        train(load(data, seed, dtype), settings)
        return
    train_table(
        data,
        TableSettings(**table, **process),
        NetworkSettings(**network, **common, **ensemble, **_given(validation=validation)),
    )


@app.command("predict", help=PREDICT_HELP)
def _predict(
    model: Annotated[Path, typer.Argument(help="A file that `fastgd train data.csv --save` wrote.")],
    data: Annotated[str, typer.Argument(help="A CSV file with the columns that the model was trained on.")],
    output: Annotated[
        Path | None, typer.Option(help="CSV file for the predictions; standard output if not given.")
    ] = None,
    keep: Annotated[
        str, typer.Option(help="Columns of the data to put before the predictions, separated by commas.")
    ] = "",
    no_header: Annotated[bool, NO_HEADER] = False,
    separator: Annotated[str | None, SEPARATOR] = None,
    threads: Annotated[int | None, THREADS] = None,
    backend: Annotated[str | None, BACKEND] = None,
) -> None:
    with running(backend, threads):
        predict_table(model, data, output, keep, not no_header, separator)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@app.command("info", help="Show versions, the instruction set, threads, and this machine's measured limits.")
def _show_info() -> None:
    _info.show_versions()


app.command("bench", help=BENCH_HELP)(bench)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 2 after an error of usage or input, 130 after Ctrl-C.

    Args:
        arguments: the words after the program's name; those of the process if not given.
    """
    try:
        status = app(args=arguments, prog_name="fastgd", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except (ValueError, TypeError, OSError, ImportError) as error:
        return _fail(str(error), USAGE_ERROR)
    except Exception as error:
        # The parser's own errors: their class has moved between versions of typer, their method has not.
        format_message = getattr(error, "format_message", None)
        if format_message is None:
            raise
        message = format_message()
        # Without any argument the parser has printed the help, and has no message.
        return _fail(message, USAGE_ERROR) if message else USAGE_ERROR
    # Ctrl-C arrives as an exception or, from newer versions of typer, as this status.
    return _fail("interrupted", INTERRUPTED) if status == INTERRUPTED else int(status or 0)


def _fail(message: str, status: int) -> int:
    # One line, whatever the message was made of.
    print(f"fastgd: {' '.join(message.split())}", file=sys.stderr)
    return status
