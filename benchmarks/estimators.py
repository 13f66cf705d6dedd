"""The time of the estimators against scikit-learn's, in turns: `python benchmarks/estimators.py [--json FILE]`.

- MLPClassifier with default arguments on scikit-learn's digits, in double and single precision.
- MLPRegressor with one hidden layer of 100 units on 20,000 x 20, 20 epochs.
- GridSearchCV over 16 settings with two jobs against one, whose fits have one thread, or as many as there are.

Every opponent trains once before the clock starts. Then each gets a turn per round; medians and ratios of the medians
are shown, with the least and the largest ratio of a round. Epochs differ where an opponent stops earlier, so the time
per epoch is shown, too.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sklearn import neural_network
from sklearn.datasets import load_digits, make_regression
from sklearn.model_selection import GridSearchCV

import fastgd
from fastgd.bench.machine import describe_machine
from fastgd.estimators import MLPClassifier, MLPRegressor

PAUSE_SECONDS = 0.5


@dataclass
class Opponent:
    """Who takes part in a case: `run` trains once and returns how many epochs that were."""

    name: str
    run: Callable[[], int]


@dataclass
class Case:
    """Opponents that do the same; the first is what the others are compared with."""

    name: str
    opponents: Sequence[Opponent]


def perceptrons(quick: bool) -> list[Case]:
    """Return the fits of perceptrons."""
    X, y = load_digits(return_X_y=True)
    epochs = 5 if quick else 200
    digits = Case(
        "MLPClassifier, digits, defaults",
        [
            Opponent(
                "scikit-learn", lambda: neural_network.MLPClassifier(max_iter=epochs, random_state=0).fit(X, y).n_iter_
            ),
            Opponent("fastgd", lambda: MLPClassifier(max_iter=epochs, random_state=0).fit(X, y).n_iter_),
            Opponent(
                "fastgd, float32",
                lambda: MLPClassifier(max_iter=epochs, random_state=0).fit(X.astype(np.float32), y).n_iter_,
            ),
        ],
    )
    rows, targets = make_regression(2000 if quick else 20_000, 20, noise=1.0, random_state=0)
    targets = targets / targets.std()
    settings: dict[str, Any] = {"max_iter": 5 if quick else 20, "tol": 0.0, "random_state": 0}
    regression = Case(
        f"MLPRegressor, {len(rows)} x 20, hidden (100,)",
        [
            Opponent("scikit-learn", lambda: neural_network.MLPRegressor(**settings).fit(rows, targets).n_iter_),
            Opponent("fastgd", lambda: MLPRegressor(**settings).fit(rows, targets).n_iter_),
            Opponent("fastgd, float32", lambda: MLPRegressor(**settings).fit(rows.astype(np.float32), targets).n_iter_),
        ],
    )
    return [digits, regression]


def searches(quick: bool) -> Case:
    """Return a search with one job and with two, whose workers have one thread each."""
    X, y = load_digits(return_X_y=True)
    grid = {"alpha": [1e-5, 1e-4, 1e-3, 1e-2], "learning_rate_init": [3e-4, 1e-3, 3e-3, 1e-2]}
    epochs = 2 if quick else 60

    def search(jobs: int, threads: int | None) -> int:
        model = MLPClassifier(max_iter=epochs, n_iter_no_change=np.inf, n_jobs=threads, random_state=0)
        GridSearchCV(model, grid, cv=3, n_jobs=jobs, refit=False).fit(X, y)
        return epochs * 16 * 3

    return Case(
        "GridSearchCV, 16 settings, 3 folds",
        [
            Opponent("n_jobs=1, one thread", lambda: search(1, 1)),
            Opponent("n_jobs=1, all threads", lambda: search(1, None)),
            Opponent("n_jobs=2", lambda: search(2, None)),
        ],
    )


def measure(case: Case, rounds: int, step: Callable[[], None]) -> dict[str, Any]:
    """Let the opponents take turns and return their times."""
    seconds: dict[str, list[float]] = {opponent.name: [] for opponent in case.opponents}
    epochs = {opponent.name: opponent.run() for opponent in case.opponents}
    step()
    for _ in range(rounds):
        for opponent in case.opponents:
            # The threads of the opponent before spin for a while, which is not this one's doing.
            time.sleep(PAUSE_SECONDS)
            start = time.perf_counter()
            opponent.run()
            seconds[opponent.name].append(time.perf_counter() - start)
        step()
    return {"case": case.name, "epochs": epochs, "seconds": seconds}


def show(result: dict[str, Any], console: Console) -> None:
    """Print the times of a case."""
    table = Table("opponent", "seconds", "ms per epoch", "times as fast", "least", "largest", title=result["case"])
    first = np.array(next(iter(result["seconds"].values())))
    for name, values in result["seconds"].items():
        median = float(np.median(values))
        ratios = first / np.array(values)
        cells = [
            median,
            median / result["epochs"][name] * 1e3,
            float(np.median(first)) / median,
            *np.sort(ratios)[[0, -1]],
        ]
        table.add_row(name, *(f"{cell:.4g}" for cell in cells))
    console.print(table)


def main() -> None:
    """Measure all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each opponent (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="few epochs and one round, to see it run")
    parser.add_argument("--json", type=Path, help="write times and machine into this file")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    console = Console()
    # Fits that end with their epochs are what is measured.
    warnings.simplefilter("ignore")
    machine = describe_machine(fastgd.get_num_threads(), 0.05 if options.quick else 0.5)
    console.print(
        f"{machine['processor']}, {machine['usable_cores']} cores, load {machine['load_average'][0]:.1f}, "
        f"{machine['isa']}, {fastgd.get_num_threads()} threads, scikit-learn {machine['versions'].get('scikit-learn')}"
    )
    cases = [*perceptrons(options.quick), searches(options.quick)]
    results = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("measuring", total=len(cases) * (rounds + 1))
        results = [measure(case, rounds, lambda: progress.advance(task)) for case in cases]
    for result in results:
        show(result, console)
    if options.json:
        text = json.dumps({"machine": machine, "results": results}, indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
