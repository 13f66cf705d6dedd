"""Processes made by fork and spawn train as their parent does, and never hang."""

from __future__ import annotations

import os

import pytest

from process.scripts import run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")

# Python 3.12 warns of any fork with threads about; that it works all the same is what is tested.
SETUP = """\
import warnings
warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork.*")
import numpy as np
import fastgd
from fastgd.layers import Dense, Dropout

rng = np.random.default_rng(0)
x, t = rng.normal(size=(300, 40)), rng.integers(0, 5, 300)

def make():
    fastgd.utils.set_random_seed(3)
    fastgd.utils.clear_session(free_memory=False)
    model = fastgd.Sequential([fastgd.Input((40,)), Dense(130, "relu"), Dropout(0.3), Dense(5, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def train(model):
    fastgd.utils.set_random_seed(4)
    history = model.fit(x, t, 32, epochs=3, verbose=0).history
    return {"loss": history["loss"], "weights": [w.tobytes().hex() for w in model.get_weights()],
            "predicted": model.predict(x, verbose=0).tobytes().hex()}

def in_child(work, seconds=60):
    # Return what work() returns in a forked child, or "hangs" or how it died.
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reader)
            with os.fdopen(writer, "w") as pipe:
                json.dump(work(), pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    import select, signal
    chunks = []
    deadline = time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return "hangs"
        chunk = os.read(reader, 1 << 16)
        if not chunk:
            break
        chunks.append(chunk)
    os.close(reader)
    _, status = os.waitpid(pid, 0)
    return json.loads(b"".join(chunks)) if status == 0 else f"ended with {os.waitstatus_to_exitcode(status)}"
"""


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_fit_in_a_child_forked_after_fit(threads: str) -> None:
    code = """
model = make()
train(model)
copy = make()
copy.set_weights(model.get_weights())
fresh = in_child(lambda: train(make()))
going_on = in_child(lambda: train(model))
grandchild = in_child(lambda: in_child(lambda: train(make())))
report({
    "fresh": fresh == train(make()),
    "going on": going_on == train(model),
    "grandchild": grandchild == fresh,
    "threads": [fastgd.get_num_threads(), in_child(fastgd.get_num_threads)],
    "set": in_child(lambda: [fastgd.set_num_threads(3), train(make()) == fresh][1]),
})
"""
    seen = run(SETUP + code, OMP_NUM_THREADS=threads, FASTGD_TEAM_WORK="0")
    assert seen["fresh"] is True, "a model made in the child differs from one made in the parent"
    assert seen["going on"] is True, "a model trained on in the child differs from one trained on in the parent"
    assert seen["grandchild"] is True
    assert seen["set"] is True
    # The workers of OpenMP do not survive a fork: the child must not wait for them.
    assert seen["threads"] == [int(threads), 1]


def test_a_fork_before_any_fit() -> None:
    code = """
child = in_child(lambda: train(make()))
again = in_child(lambda: train(make()))
report([child == train(make()), child == again])
"""
    assert run(SETUP + code, FASTGD_TEAM_WORK="0") == [True, True]


def test_a_fork_while_another_thread_trains() -> None:
    code = """
import threading
stop = threading.Event()
busy = make()
big = rng.normal(size=(5000, 40))
labels = rng.integers(0, 5, 5000)
def keep_busy():
    while not stop.is_set():
        busy.fit(big, labels, 32, epochs=1, verbose=0)
expected = train(make())
other = threading.Thread(target=keep_busy)
other.start()
results = []
for _ in range(8):
    results.append(in_child(lambda: train(make())))
    time.sleep(0.02)
stop.set()
other.join()
report(["hangs" if r == "hangs" else r == expected for r in results])
"""
    assert run(SETUP + code, FASTGD_TEAM_WORK="0", OMP_NUM_THREADS="2") == [True] * 8


def test_spawn() -> None:
    # The function must be importable by the child, so the script becomes a file.
    code = """
import multiprocessing, subprocess, tempfile
SOURCE = '''
import multiprocessing
import numpy as np
import fastgd

def train(seed):
    fastgd.utils.set_random_seed(seed)
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(200, 20)), rng.normal(size=(200, 1))
    model = fastgd.Sequential([fastgd.Input((20,)), fastgd.layers.Dense(64, "tanh"), fastgd.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, t, epochs=2, verbose=0)
    return b"".join(w.tobytes() for w in model.get_weights())

if __name__ == "__main__":
    expected = [train(seed) for seed in (1, 2)]
    for method in ("spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, pool.map(train, [1, 2]) == expected)
'''
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "spawned.py")
    with open(path, "w") as file:
        file.write(SOURCE)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=90)
report(done.stdout.split() if done.returncode == 0 else done.stderr)
"""
    assert run(code) == ["spawn", "True", "forkserver", "True"]
