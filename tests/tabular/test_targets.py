"""Targets of tables: which task a column is, the way to what networks learn and back, and one clear error each."""

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

from fastgd.tabular.configs import Config  # noqa: E402
from fastgd.tabular.targets import ClassTarget, NumberTarget, fit_target, guess_task, target_from_config  # noqa: E402

TASKS = {
    "texts": (["yes", "no"] * 10, "classify"),
    "truth values": ([True, False] * 10, "classify"),
    "two numbers": ([0.5, 1.5] * 10, "classify"),
    "few whole numbers": ([3, 4, 5, 6] * 5, "classify"),
    "few whole texts": (["3", "4", "10"] * 5, "classify"),
    "many whole numbers": (list(range(20)), "regress"),
    "fractions": ([0.5, 1.5, 2.5] * 5, "regress"),
    "a stray text": (["0.5", "1.5", "2.5", "x"] * 5, "regress"),
}


@pytest.mark.parametrize("name", TASKS)
def test_task(name):
    cells, task = TASKS[name]
    assert guess_task(pd.Series(cells)) == task
    assert guess_task(pd.Series(cells), log=True) == "regress"


def test_classes_both_ways():
    cells = pd.Series(["10", "9", "10", " 9.0 ", "-1", "-1.0"])
    target = fit_target("y", cells, "classify", log=False)
    assert target.classes == ["-1", "9", "10"]
    np.testing.assert_array_equal(target.encode(cells), [2, 1, 2, 1, 0, 0])
    np.testing.assert_array_equal(target.encode(pd.Series([9.0, -1])), [1, 0])
    assert list(target.decode(np.array([[0.2, 0.5, 0.3], [0.1, 0.2, 0.7]]))) == ["9", "10"]


@pytest.mark.parametrize("log", [False, True])
def test_numbers_both_ways(log):
    values = np.exp(np.random.default_rng(0).normal(8, 2, 50))
    target = fit_target("y", pd.Series(values), "auto", log)
    encoded = target.encode(pd.Series(values.astype(str)))
    assert abs(encoded.mean()) < 1e-12 and abs(encoded.std() - 1) < 1e-12
    learnt = np.log(values) if log else values
    np.testing.assert_allclose(encoded, (learnt - learnt.mean()) / learnt.std(), rtol=1e-10)
    np.testing.assert_allclose(target.decode(encoded[:, None]), values, rtol=1e-10)
    assert np.isfinite(target.decode(np.array([1e30]))).all()


WRONG = {
    "gaps": ([1.5, "", 2, "NA"], "regress", False, "'y' is missing in 2 of 4 rows, first in row 2; remove those rows"),
    "gaps in classes": (["a", "b", None], "auto", False, "'y' is missing in 1 of 3 rows, first in row 3"),
    "one class": (["a", "a"], "auto", False, "'y' must have at least two classes. Received: only 'a'"),
    "no classes": (list("abcdefgh"), "auto", False, "'y' has 8 different values in 8 rows: those are no classes"),
    "text": (
        [1, "two", 3],
        "regress",
        False,
        "'y' must hold numbers, because it is the target. Received: 'two' in row 2",
    ),
    "infinite": ([1, 2.5, np.inf], "regress", False, "finite numbers|missing in 1 of 3"),
    "constant": ([4, 4, 4], "regress", False, "'y' never changes. Received: 4 in every row"),
    "no logarithm": ([4, 0, 5], "auto", True, "'y' must hold numbers above 0, because .* Received: '0' in row 2"),
    "logarithm of classes": (["a", "b"], "classify", True, "The logarithm of a target is for regressions"),
    "no rows": ([], "auto", False, "no rows"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name):
    cells, task, log, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        fit_target("y", pd.Series(cells), task, log)


def test_a_class_that_training_had_not():
    with pytest.raises(ValueError, match=r"'y' must hold the classes 'a', 'b'. Received: 'c' in row 2"):
        ClassTarget("y", ["a", "b"]).encode(pd.Series(["a", "c"]))


@pytest.mark.parametrize("target", [ClassTarget("y", ["a", "b"]), NumberTarget("y", True, 2.5, 0.5)], ids=["c", "n"])
def test_config(target):
    config = target.to_config()
    assert target_from_config(Config(config, "t")) == target
    for key in config:
        for value in (None, -2, [], "x" * 200_000, {}, 1e400):
            if (key, value) != ("mean", -2):
                with pytest.raises(ValueError, match="`t"):
                    target_from_config(Config({**config, key: value}, "t"))
