"""Learning-rate schedules against Keras, at the steps of tests/cases.py and those between them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import cases
from fastgd.optimizers import schedules

# Keras wants at least one boundary.
CASES = [case for case in cases.schedule_cases() if case.config.get("boundaries") != []]

# Keras counts restarts by a logarithm; at this one, with periods that treble, rounding keeps it in the period before.
ROUNDED_RESTART = 726


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cls)
def test_rates(case: cases.ScheduleCase) -> None:
    ours, theirs = (getattr(m, case.cls)(**case.config) for m in (schedules, keras.optimizers.schedules))
    for step in sorted({*range(12), *case.rates} - {ROUNDED_RESTART}):
        rate = float(keras.ops.convert_to_numpy(theirs(np.float64(step))))
        assert ours(step) == pytest.approx(rate, rel=1e-12, abs=1e-15), step
