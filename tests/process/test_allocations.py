"""A training step allocates nothing: counted by a shim in front of the C library's allocator."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from process.scripts import run

COUNTER = r"""
#include <atomic>
#include <cstddef>
#include <cerrno>
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
static std::atomic<long> calls{0};
long allocations() { return calls.load(); }
void* malloc(std::size_t n) { ++calls; return __libc_malloc(n); }
void* calloc(std::size_t n, std::size_t m) { ++calls; return __libc_calloc(n, m); }
void* realloc(void* p, std::size_t n) { ++calls; return __libc_realloc(p, n); }
void* memalign(std::size_t a, std::size_t n) { ++calls; return __libc_memalign(a, n); }
void* aligned_alloc(std::size_t a, std::size_t n) { ++calls; return __libc_memalign(a, n); }
int posix_memalign(void** p, std::size_t a, std::size_t n) {
  ++calls;
  *p = __libc_memalign(a, n);
  return *p == nullptr ? ENOMEM : 0;
}
}
"""

CODE = """
import ctypes
import numpy as np
from fastgd import _core
from fastgd.plan import ParamSpec, Plan, Step, TensorSpec, Term, UpdateSpec

tensors = [("x", (-1, 30)), ("h", (-1, 40)), ("d", (-1, 40)), ("z", (-1, 7)), ("v", (-1,)), ("p", (-1, 7))]
specs = (*(TensorSpec(n, s, "float32") for n, s in tensors), TensorSpec("t", (-1,), "int32"))
sizes = {"w0": (30, 40), "b0": (40,), "w1": (40, 7), "b1": (7,)}
steps = (
    Step("dense", ("x",), ("h",), ("w0", "b0"), {"activation": "tanh"}),
    Step("dropout", ("h",), ("d",), (), {"rate": 0.3, "seed": 1}),
    Step("dense", ("d",), ("z",), ("w1", "b1")),
    Step("sparse_softmax_crossentropy", ("z", "t"), ("v", "p")),
)
params = tuple(ParamSpec(n, s) for n, s in sizes.items())
plan = Plan("float32", specs, params, steps, ("x", "t"), (), (Term("l", "v"),))
rng = np.random.default_rng(0)
x, t = rng.normal(size=(64 * 400, 30)).astype("f"), rng.integers(0, 7, 64 * 400)
executor = _core.Executor(plan)
executor.bind_parameters([rng.normal(size=s).astype("f") for s in sizes.values()])
executor.bind_update(UpdateSpec("momentum", {"momentum": 0.9, "nesterov": 1.0}, ("v",)), [np.zeros(1552, "f")])
executor.begin("train", [x, t], 64)
rates = np.array([1e-3])
count = ctypes.CDLL(None).allocations
counts = []
for steps in (20, 1, 1, 100):
    before = count()
    executor.advance(steps, 1e9, rates)
    counts.append(count() - before)
report(counts[1:])
"""


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("g++") is None, reason="needs g++ and glibc's allocator")
@pytest.mark.parametrize("work", ["0", "1e12"])
def test_a_step_allocates_nothing(tmp_path: Path, work: str) -> None:
    source, library = tmp_path / "count.cpp", tmp_path / "libcount.so"
    source.write_text(COUNTER)
    subprocess.run(["g++", "-shared", "-fPIC", "-O1", "-o", library, source], check=True, env=os.environ)
    counts = run(CODE, LD_PRELOAD=str(library), FASTGD_TEAM_WORK=work, OMP_NUM_THREADS="2")
    # A call from Python makes a few objects; a hundred steps in one call make no more of them than one.
    assert counts[0] == counts[1] == counts[2]
