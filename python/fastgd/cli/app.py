"""The commands with their options, and how each kind of failure ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import fastgd
from fastgd import _info
from fastgd.cli.bench import HELP as BENCH_HELP
from fastgd.cli.bench import bench
from fastgd.cli.data import DATA_HELP, load
from fastgd.cli.training import Settings, train

USAGE_ERROR = 2
INTERRUPTED = 130

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
    data: Annotated[str, typer.Argument(help="`digits`, a .npz file, or a folder of IDX files.")] = "digits",
    hidden: Annotated[
        str, typer.Option(help="Units of each hidden layer, separated by commas; an empty text for none.")
    ] = "64,32",
    activation: Annotated[str, typer.Option(help="Activation of the hidden layers.")] = "relu",
    optimizer: Annotated[str, typer.Option(help="Optimizer, such as adam or sgd.")] = "adam",
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate; the optimizer's own default if not given.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Samples in a batch.")] = 32,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training data.")] = 60,
    validation_split: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the training data, its end, that validates instead.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weights, the shuffles and a held-out split.")] = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of the native backend; the result does not depend on them.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="native or numpy; FASTGD_BACKEND, else native, if not given.")
    ] = None,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
) -> None:
    settings = Settings(
        hidden=hidden,
        activation=activation,
        optimizer=optimizer,
        learning_rate=learning_rate,
        batch_size=batch_size,
        epochs=epochs,
        validation_split=validation_split,
        seed=seed,
        threads=threads,
        backend=backend,
        dtype=dtype,
    )
    train(load(data, settings.seed, settings.dtype), settings)


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
