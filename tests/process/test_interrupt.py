"""Ctrl-C in fit, evaluate and predict: KeyboardInterrupt soon, and a model that goes on as if made anew."""

from __future__ import annotations

import sys

import pytest

from process.scripts import run

# The project promises 200 ms; machines that run tests are often busy.
LONGEST_SECONDS = 3.0

SETUP = """\
import signal, threading
import numpy as np
import fastgd
from fastgd.layers import Dense, Dropout

# A shell that runs the tests in the background has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
fastgd.utils.set_random_seed(3)
rng = np.random.default_rng(0)
x = rng.normal(size=(40_000, 300)).astype(np.float32)
t = rng.integers(0, 10, len(x))

def make():
    fastgd.utils.clear_session(free_memory=False)
    layers = [fastgd.Input((300,)), Dense(400, "relu"), Dropout(0.2, seed=1), Dense(400, "relu"), Dense(10, "softmax")]
    model = fastgd.Sequential(layers)
    model.compile(fastgd.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def interrupted(call, after):
    # Return the seconds from the signal to the exception.
    sent = []
    def send():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    timer = threading.Timer(after, send)
    timer.start()
    try:
        call()
    except KeyboardInterrupt:
        return time.monotonic() - sent[0]
    finally:
        timer.join()
    raise AssertionError("the call ended before the signal came")
"""

FIT = """
model = make()
report_of = {"delays": [], "iterations": [], "same": [], "finite": []}
for k, after in enumerate((0.05, 0.21, 0.4)):
    before = model.optimizer.iterations
    hook = {"callbacks": [fastgd.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: None)]} if k == 2 else {}
    report_of["delays"].append(interrupted(lambda: model.fit(x, t, 64, epochs=1000, verbose=0, **hook), after))
    report_of["iterations"].append(model.optimizer.iterations - before)
    report_of["finite"].append(all(bool(np.isfinite(w).all()) for w in model.get_weights()))
    # Another model set to the same weights, slots and count is the measure of "as if nothing had happened".
    other = make()
    other.set_weights(model.get_weights())
    other.optimizer.build(other.trainable_weights, "float32")
    for name, slot in model.optimizer.slots.items():
        other.optimizer.slots[name][:] = slot
    other.optimizer.iterations = model.optimizer.iterations
    results = []
    for each in (model, other):
        fastgd.utils.set_random_seed(9)
        history = each.fit(x[:500], t[:500], 32, epochs=2, verbose=0).history
        results.append((history, [w.tobytes() for w in each.get_weights()], each.predict(x[:99], verbose=0).tobytes()))
    report_of["same"].append(results[0] == results[1])
report(report_of)
"""

OTHERS = """
model = make()
many = np.broadcast_to(x[:1], (1_000_000, 300))
labels = np.broadcast_to(t[:1], (len(many),))
expected = model.predict(x[:200], verbose=0)
weights = [w.tobytes() for w in model.get_weights()]
delays = [
    interrupted(lambda: model.predict(many, verbose=0), 0.3),
    interrupted(lambda: model.evaluate(many, labels, verbose=0), 0.3),
]
report({
    "delays": delays,
    "same": model.predict(x[:200], verbose=0).tobytes() == expected.tobytes(),
    "untouched": weights == [w.tobytes() for w in model.get_weights()],
})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_fit(threads: str, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run(SETUP + FIT, OMP_NUM_THREADS=threads)
    with capsys.disabled():
        print(f"\nCtrl-C in fit, {threads} thread(s), after", ", ".join(f"{1e3 * d:.0f} ms" for d in seen["delays"]))
    assert max(seen["delays"]) < LONGEST_SECONDS
    assert sum(seen["iterations"]) > 0
    assert seen["finite"] == [True] * 3
    assert seen["same"] == [True] * 3


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_predict_and_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    seen = run(SETUP + OTHERS)
    with capsys.disabled():
        print("\nCtrl-C in predict and evaluate after", ", ".join(f"{1e3 * d:.0f} ms" for d in seen["delays"]))
    assert max(seen["delays"]) < LONGEST_SECONDS
    assert seen["same"] and seen["untouched"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_the_reference_can_be_interrupted_too() -> None:
    seen = run(SETUP + FIT.replace("(0.05, 0.21, 0.4)", "(0.1,)"), FASTGD_BACKEND="numpy")
    assert seen["delays"][0] < LONGEST_SECONDS
    assert seen["same"] == [True]
