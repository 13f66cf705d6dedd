"""Shows where the time of a workload goes, by kind of work: `python benchmarks/shares_of_time.py tiny mnist large`.

Each workload trains for some seconds under Linux' `perf record`; the samples of the native module are summed by what
their functions do. All threads count, so that waiting shows: at a meeting, or between two runs.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fastgd.bench.workloads import find_workloads

# The first pattern that a function's name matches says what it does.
KINDS = (
    ("products", r"tile<|avx512::gemm|avx2::gemm|generic::gemm|gemv|Product<"),
    ("depthwise convolutions", r"depthwise"),
    ("pooling", r"pool"),
    ("normalization", r"channel_"),
    ("packing", r"pack_"),
    ("update", r"::(adam|sgd|momentum|rmsprop|adagrad|adadelta|adamax|nadam|lion|add)(\(|\s|$)|take_gradient|Update<"),
    ("losses and metrics", r"entropy|squared_error|absolute_error|accuracy|softmax|run_terms"),
    ("activations", r"activation|dropout"),
    ("bias gradients", r"column_sum"),
    ("gathering", r"memmove|memcpy|convert|gather|copy_strided|add_rows"),
    ("meetings", r"Barrier"),
    ("interpreter", r""),
)
TRAIN = """
import sys, time
from fastgd.bench.opponents.native import Adapter
from fastgd.bench.workloads import find_workloads, make_problem
name, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
adapter = Adapter(threads)
adapter.prepare(make_problem(find_workloads([name])[0]))
end = time.monotonic() + seconds
while time.monotonic() < end:
    adapter.run(5)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table with a column for each workload."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="+", help="names of workloads of `fastgd bench`")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each is watched")
    options = parser.parse_args(arguments)
    names = [workload.name for workload in find_workloads(options.workloads)]
    shares = {name: profile(name, options.threads, options.seconds) for name in names}
    table = Table("share of the time", *names)
    for kind in (*(kind for kind, _ in KINDS), "between runs"):
        table.add_row(kind, *(f"{100 * shares[name][kind]:.0f} %" for name in names))
    Console().print(table)
    return 0


def profile(name: str, threads: int, seconds: float) -> Counter[str]:
    """Return the share of each kind of work in the samples of a run."""
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "perf.data")
        run = [sys.executable, "-c", TRAIN, name, str(threads), str(seconds)]
        subprocess.run(["perf", "record", "--quiet", "-o", data, *run], check=True)
        report = ["perf", "report", "-i", data, "--stdio", "--quiet", "--sort", "dso,symbol", "--percent-limit", "0"]
        text = subprocess.run(report, check=True, capture_output=True, text=True).stdout
    shares: Counter[str] = Counter()
    for share, library, symbol in re.findall(r"^\s*([\d.]+)%\s+(\S+)\s+\[.\]\s+(.*)$", text, re.MULTILINE):
        if "libgomp" in library:
            shares["between runs"] += float(share)
        elif "_core" in library or "memmove" in symbol:
            shares[next(kind for kind, pattern in KINDS if re.search(pattern, symbol))] += float(share)
    return Counter({kind: share / shares.total() for kind, share in shares.items()})


if __name__ == "__main__":
    sys.exit(main())
