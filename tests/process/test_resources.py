"""Memory, descriptors and threads: models leave none behind, and there are as many threads as were asked for."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from process.scripts import run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

CYCLES = """
import gc
import numpy as np
import fastgd
from fastgd.layers import Add, Concatenate, Dense, Dropout

def usage():
    gc.collect()
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return {"bytes": pages * os.sysconf("SC_PAGESIZE"), "threads": len(os.listdir("/proc/self/task")),
            "files": len(os.listdir("/proc/self/fd")), "objects": len(gc.get_objects())}

rng = np.random.default_rng(0)
x, t = rng.normal(size=(256, 128)).astype(np.float32), rng.integers(0, 4, 256)

def cycle():
    # About 400 kB of weights, twice that of slots, and as much again inside the engine: a leak of any shows.
    a = fastgd.Input((128,))
    h = Dense(256, "relu")(a)
    h = Dense(256, "tanh")(Dropout(0.2)(h))
    model = fastgd.Model(a, Dense(4, "softmax")(Concatenate()([Add()([h, h]), a])))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, t, 64, verbose=0, validation_split=0.25)
    model.predict(x, verbose=0)

CYCLES = @CYCLES@
for _ in range(CYCLES // 5):
    cycle()
seen = []
for _ in range(12):
    for _ in range(CYCLES // 12):
        cycle()
    seen.append(usage())
report(seen)
"""


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_models_leave_nothing_behind(backend: str) -> None:
    cycles = {"native": 300, "numpy": 60}[backend]
    code = CYCLES.replace("@CYCLES@", str(cycles))
    seen = run(code, timeout=280, FASTGD_BACKEND=backend, OMP_NUM_THREADS="2")
    # The allocator breathes: what counts is the low tide.
    early, late = (min(point["bytes"] for point in part) for part in (seen[:4], seen[-4:]))
    # At least five twelfths of the cycles lie between these points; the weights of a model alone are 400 kB.
    assert late - early < 100_000 * cycles * 5 / 12, [point["bytes"] for point in seen]
    for kind, allowed in (("threads", 0), ("files", 0), ("objects", cycles // 2)):
        assert seen[-1][kind] - seen[0][kind] <= allowed, [point[kind] for point in seen]


COUNT = """
import numpy as np
import fastgd
before = len(os.listdir("/proc/self/task"))
model = fastgd.Sequential([fastgd.Input((64,)), fastgd.layers.Dense(300, "relu"), fastgd.layers.Dense(64)])
model.compile("sgd", "mse")
x = np.random.default_rng(0).normal(size=(500, 64))
asked = fastgd.get_num_threads()
model.fit(x, x, verbose=0)
grown = len(os.listdir("/proc/self/task")) - before
fastgd.set_num_threads(4)
model.fit(x, x, verbose=0)
report({"asked": asked, "grown": grown, "then": len(os.listdir("/proc/self/task")) - before,
        "set": fastgd.get_num_threads(), "default": fastgd._core.available_threads()})
"""


def count(**environment: Any) -> Any:
    # NumPy's BLAS starts threads of its own at import, which are not ours to count.
    return run(COUNT, OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", FASTGD_TEAM_WORK="0", **environment)


@pytest.mark.parametrize(("text", "threads"), [("1", 1), ("2", 2), ("3", 3), ("6", 6), ("3,2", 3)])
def test_omp_num_threads_is_honoured(text: str, threads: int) -> None:
    seen = count(OMP_NUM_THREADS=text)
    assert seen["asked"] == threads
    # The team is the calling thread and its helpers.
    assert seen["grown"] == threads - 1
    # What is set in the program counts more.
    assert seen["set"] == 4
    assert seen["then"] == 4 - 1


@pytest.mark.parametrize("text", [None, "", "0", "-2", "many", "99999999"])
def test_without_a_number_the_machine_decides(text: str | None) -> None:
    seen = count(**({} if text is None else {"OMP_NUM_THREADS": text}))
    assert seen["asked"] == seen["default"] >= 1
    assert seen["grown"] == seen["asked"] - 1


def test_fewer_threads_than_asked_for_are_no_problem() -> None:
    # OMP_THREAD_LIMIT lets the runtime give less than the engine wants.
    seeded = COUNT.replace("import fastgd\n", "import fastgd\nfastgd.utils.set_random_seed(1)\n", 1)
    code = seeded.replace("report({", "({") + "report([w.tobytes().hex() for w in model.get_weights()])"
    environment: dict[str, Any] = {"OPENBLAS_NUM_THREADS": "1", "FASTGD_TEAM_WORK": "0", "OMP_NUM_THREADS": "3"}
    assert run(code, OMP_THREAD_LIMIT="2", **environment) == run(code, **environment)


DATA = """
import numpy as np
import fastgd
from fastgd.layers import Dense, Flatten, RandomFlip, Rescaling

def peak():
    # Of this program alone: getrusage also counts the one that started it.
    with open("/proc/self/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM"))) * 1024

fastgd.utils.set_random_seed(1)
steps = [Rescaling(1 / 255), RandomFlip("horizontal")] if "@KIND@" == "uint8" else []
layers = [fastgd.Input((28, 28, 1)), *steps, Flatten(), Dense(4, "softmax")]
model = fastgd.Sequential(layers)
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
x = np.tile(np.arange(28, dtype="@KIND@"), (60000, 28, 1))
y = np.arange(60000) % 4

def use(x, y):
    model.fit(x, y, 256, verbose=0, validation_split=0.25)
    model.fit(x, y, 256, verbose=0, validation_data=(x, y), shuffle=False)
    model.evaluate(x, y, 256, verbose=0)
    model.predict(x, 256, verbose=0)

use(x[:600], y[:600])
model.train_on_batch(x[:600], y[:600])
before = peak()
use(x, y)
model.train_on_batch(x[:600], y[:600])
report({"data": x.nbytes, "grown": peak() - before})
"""


@pytest.mark.parametrize("kind", ["uint8", "int16", "float16"])
def test_small_numbers_keep_their_size(kind: str) -> None:
    seen = run(DATA.replace("@KIND@", kind), OMP_NUM_THREADS="2")
    # Labels, the order of the rows and the predictions take a few million bytes; a wide copy of the images has 188.
    assert seen["data"] == 60000 * 28 * 28 * {"uint8": 1, "int16": 2, "float16": 2}[kind]
    assert seen["grown"] < 30e6, seen


SCALED = """
import numpy as np
import fastgd
from fastgd.layers import Dense, Flatten, Rescaling

def peak():
    # Of this program alone: getrusage also counts the one that started it.
    with open("/proc/self/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM"))) * 1024

model = fastgd.Sequential([fastgd.Input((28, 28)), Rescaling(1 / 255, -0.5), Flatten(), Dense(1)])
model.compile("sgd", "mse")
x = np.tile(np.arange(28, dtype="uint8"), (40000, 28, 1))
y = np.zeros(40000)
model.predict(x[:10], verbose=0)
before = peak()
model.@CALL@
report({"grown": peak() - before})
"""


@pytest.mark.parametrize("call", ["predict(x, 40000, verbose=0)", "evaluate(x, y, 40000, verbose=0)"])
def test_images_are_scaled_as_they_are_gathered(call: str) -> None:
    # One batch of floats, not a second one for what the scaling gives.
    one = 40000 * 28 * 28 * 4
    # Without a price for threads a batch is not cut into groups, which would share little memory.
    seen = run(SCALED.replace("@CALL@", call), OMP_NUM_THREADS="2", FASTGD_TEAM_WORK="0")
    assert one * 0.9 < seen["grown"] < one * 1.5, seen
