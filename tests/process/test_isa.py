"""FASTGD_ISA forces an instruction set, and the one that is forced is the one that runs."""

from __future__ import annotations

import numpy as np
import pytest

from fastgd import _core
from process.scripts import attempt, run

TIERS = _core.available_isas()

# The predictions of a fixed model, and what the process says of itself: by the API, and by the executor that ran.
CODE = """
import numpy as np
import fastgd
from fastgd import runtime
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 90)).astype(np.float32)
model = fastgd.Sequential([fastgd.Input((90,)), fastgd.layers.Dense(70, "tanh"), fastgd.layers.Dense(9, "softmax")])
model.set_weights([rng.normal(size=w.shape) / 9 for w in model.weights])
model.compile("sgd", "sparse_categorical_crossentropy")
predicted = model.predict(x, verbose=0)
model.fit(x, np.arange(64) % 9, shuffle=False, verbose=0)
executors = [engine.executor.isa for engine in model._session._idle.values()]
report({"isa": runtime.isa(), "executors": executors, "predicted": predicted.tobytes().hex(),
        "trained": b"".join(w.tobytes() for w in model.get_weights()).hex()})
"""


@pytest.mark.parametrize("isa", TIERS)
def test_the_forced_tier_runs(isa: str) -> None:
    seen = run(CODE, FASTGD_ISA=isa)
    assert seen["isa"] == isa
    assert seen["executors"] == [isa, isa]


def test_without_force_the_best_tier_runs() -> None:
    plain = run(CODE)
    assert plain["isa"] == TIERS[0]
    assert plain == run(CODE, FASTGD_ISA=TIERS[0]) == run(CODE, FASTGD_ISA="")


@pytest.mark.skipif(not {"generic", "avx2"} <= set(TIERS), reason="only one tier rounds in its own way here")
def test_the_tiers_really_are_different_code() -> None:
    # generic has no fused multiply-add and rounds elsewhere: equal bits would mean that one code ran twice.
    generic, avx2 = (run(CODE, FASTGD_ISA=isa) for isa in ("generic", "avx2"))
    assert generic["predicted"] != avx2["predicted"]
    assert generic["trained"] != avx2["trained"]
    a, b = (np.frombuffer(bytes.fromhex(s["predicted"]), np.float32) for s in (generic, avx2))
    np.testing.assert_allclose(a, b, rtol=1e-4)


@pytest.mark.parametrize("name", ["sse9", "AVX2", "avx2 ", "numpy"])
def test_an_unknown_name_is_refused_with_the_list(name: str) -> None:
    done = attempt(CODE, FASTGD_ISA=name)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        "ValueError: `isa` (FASTGD_ISA) must name a tier that this processor runs: "
        f"{', '.join(TIERS)}. Received: isa='{name}'"
    )
