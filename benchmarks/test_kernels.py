"""The suite's kernels, one group per case: `pytest benchmarks/test_kernels.py --benchmark-enable`.

The cases and adapters are those of `fastgd bench kernels`, here in one process, which a profiler can be attached to.
JAX is left out: its threads cannot be limited once it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from fastgd import runtime
from fastgd.bench.calls import LIBRARIES
from fastgd.bench.calls.cases import CASES, Case

NAMES = [name for name, library in LIBRARIES.items() if library.installed and name != "jax"]


@pytest.fixture
def threads(case: Case) -> Iterator[int]:
    """Limit the threads of NumPy's BLAS to those of the case, and give everyone's back afterwards."""
    before = runtime.get_num_threads()
    count = 1 if case.single else before
    with ExitStack() as stack:
        try:
            from threadpoolctl import threadpool_limits
        except ImportError:
            pass
        else:
            stack.enter_context(threadpool_limits(count))
        yield count
    runtime.set_num_threads(before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_call(benchmark: Any, case: Case, name: str, threads: int) -> None:
    call = LIBRARIES[name].load()(threads).make(case)
    if call is None:
        pytest.skip(f"{name} has no such call")
    benchmark.group = case.name
    benchmark.extra_info.update(threads=threads, arithmetic=case.arithmetic, traffic=case.traffic)
    benchmark(call)
