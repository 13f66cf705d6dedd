"""What `import fastgd` and training do to the process: nothing but what they are asked for."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from process.scripts import run

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

# Everything the interpreter does is audited from here on; the native module is imported at once, too.
HYGIENE = """
import numpy as np, numpy.random
def threads():
    return len(os.listdir("/proc/self/task"))
def descriptors():
    return len(os.listdir("/proc/self/fd"))
def children():
    return [open(f"/proc/self/task/{task}/children").read() for task in os.listdir("/proc/self/task")]
seen = []
WATCHED = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "socket.", "urllib.",
           "os.mkdir", "os.remove", "os.rename", "os.putenv", "os.unsetenv", "os.chdir", "_thread.start",
           "shutil.", "tempfile.")
def hook(event, arguments):
    if event.startswith(WATCHED):
        seen.append(event)
    if event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND):
        seen.append(f"open {arguments[0]}")
sys.addaudithook(hook)
import signal
handlers = lambda: [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGSEGV)]
before = (threads(), descriptors(), children(), dict(os.environ), handlers(), sys.path[:], sys.gettrace())
state = np.random.get_state()[1].tolist(), np.geterr()
import fastgd
import fastgd._core
after = (threads(), descriptors(), children(), dict(os.environ), handlers(), sys.path[:], sys.gettrace())
same_state = (np.random.get_state()[1].tolist(), np.geterr()) == state
report({"events": seen, "same": before == after, "numpy": same_state})
"""


@linux
def test_import_starts_nothing_and_writes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    seen = run(HYGIENE, cwd=tmp_path, HOME=str(home), TMPDIR=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
    assert seen == {"events": [], "same": True, "numpy": True}
    assert list(tmp_path.rglob("*")) == [home]


def test_fit_writes_nothing(tmp_path: Path) -> None:
    code = """
import numpy as np
import fastgd
model = fastgd.Sequential([fastgd.Input((3,)), fastgd.layers.Dense(2)])
model.compile("adam", "mse")
model.fit(np.ones((9, 3)), np.ones((9, 2)), verbose=0)
fastgd.show_versions()
report(True)
"""
    home = tmp_path / "home"
    home.mkdir()
    assert run(code, cwd=tmp_path, HOME=str(home), TMPDIR=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
    assert list(tmp_path.rglob("*")) == [home]


# Flushing subnormals to zero is what -ffast-math would switch on for every thread that is started later.
ARITHMETIC = """
import ctypes, ctypes.util, math, threading
import numpy as np
def words():
    # fenv_t of x86-64 ends with MXCSR; its low six bits are flags that arithmetic sets, the rest is control.
    environment = ctypes.create_string_buffer(32)
    assert ctypes.CDLL(ctypes.util.find_library("m")).fegetenv(environment) == 0
    return int.from_bytes(environment.raw[28:32], "little") & ~0x3F, int.from_bytes(environment.raw[0:2], "little")
def look():
    tiny = np.array([1e-310, 5e-324, 1e-40])
    small = np.full(64, 1e-40, np.float32)
    state = [
        float(tiny[0] * 0.1) == 1e-311, bool((tiny * 1.0 == tiny).all()), bool((small * np.float32(0.5) > 0).all()),
        float(np.dot(tiny, np.ones(3))) > 0, tiny[0] / 2 > 0, math.ldexp(1.0, -1074) > 0, 1.0 + 2.0**-53 == 1.0,
        1.0 + 2.0**-52 > 1.0,
    ]
    return [bool(s) for s in state], words() if X86 else None
def everywhere():
    found = [look()]
    thread = threading.Thread(target=lambda: found.append(look()))
    thread.start()
    thread.join()
    return found
X86 = @X86@
seen = [everywhere()]
import fastgd
import fastgd._core
seen.append(everywhere())
model = fastgd.Sequential([fastgd.Input((40,)), fastgd.layers.Dense(70, "tanh"), fastgd.layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
rng = np.random.default_rng(0)
model.fit(rng.normal(size=(200, 40)), rng.integers(0, 3, 200), epochs=2, verbose=0)
seen.append(everywhere())
model.predict(np.ones((3, 40)), verbose=0)
seen.append(everywhere())
# Inside the engine, by every thread of the team: subnormal rows come out as they went in.
passed = []
for dtype, value in (("float64", 1e-310), ("float32", 1e-40)):
    same = fastgd.Sequential([fastgd.Input((8,), dtype=dtype), fastgd.layers.Dense(8, kernel_initializer="zeros")])
    same.layers[0].kernel.assign(np.eye(8))
    rows = np.full((512, 8), value, dtype)
    passed.append(bool((same.predict(rows, batch_size=512, verbose=0) == rows).all()))
report({"seen": seen, "passed": passed})
"""


def test_the_floating_point_control_word_is_left_alone() -> None:
    x86 = platform.machine() in ("x86_64", "AMD64") and sys.platform.startswith("linux")
    code = ARITHMETIC.replace("@X86@", str(x86))
    seen = run(code, OMP_NUM_THREADS="3", OPENBLAS_NUM_THREADS="1", FASTGD_TEAM_WORK="0")
    expected = seen["seen"][0]
    assert all(all(flags) for flags, _ in expected)
    for stage, found in zip(("import", "fit", "predict"), seen["seen"][1:], strict=True):
        assert found == expected, f"changed by {stage}"
    assert seen["passed"] == [True, True]


def test_import_costs_little_more_than_numpy(capsys: pytest.CaptureFixture[str]) -> None:
    # Processor time, the least of several runs: a busy machine stretches neither much. The aim is 80 ms, the bound a
    # multiple of what any machine needs, so that only a new heavy import crosses it.
    code = """
import time
start = time.process_time()
import numpy
between = time.process_time()
import fastgd
report([between - start, time.process_time() - between])
"""
    times = [run(code) for _ in range(3)]
    numpy_seconds, own_seconds = (min(pair[k] for pair in times) for k in (0, 1))
    with capsys.disabled():
        print(f"\nimport numpy {1e3 * numpy_seconds:.0f} ms, then fastgd {1e3 * own_seconds:.0f} ms of processor time")
    assert own_seconds < 0.25 + 3 * numpy_seconds
