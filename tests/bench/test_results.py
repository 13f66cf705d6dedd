"""The results: what the file must hold, how ratios are formed, and that a file comes back as it was written."""

from __future__ import annotations

import copy

import pytest

from fastgd.bench import results
from fastgd.bench.harness import drift, make_entrant, relative_error, settle_check
from fastgd.bench.results import add_ratios, compare, load, problems, save, summarize


def test_summary_by_hand():
    times = summarize([5.0, 1.0, 4.0, 2.0, 3.0])
    assert (times["median"], times["minimum"], times["spread"]) == (3.0, 1.0, 2.0)
    assert times["samples"] == [5.0, 1.0, 4.0, 2.0, 3.0]


def test_ratios_by_hand(document):
    assert compare(summarize([6.0, 8.0]), summarize([2.0, 3.0])) == {"median": 2.8, "minimum": 3.0}
    base, other = document["workloads"][0]["opponents"]
    assert base["ratio"] == {"median": 1.0, "minimum": 1.0}
    assert other["ratio"] == {"median": 2.0, "minimum": 2.5}


def test_no_ratio_without_a_baseline():
    entrant = make_entrant("numpy", "NumPy", "", 1)
    entrant["times"] = summarize([1.0])
    add_ratios([entrant], "fastgd")
    assert entrant["ratio"] is None


def test_schema_accepts_a_run_and_the_file_brings_it_back(document, tmp_path):
    assert problems(document) == []
    save(document, tmp_path / "run.json")
    assert load(tmp_path / "run.json") == document


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("threads",), "two", "document.threads should be int, not 'two'"),
        (("seconds",), True, "document.seconds should be float, not True"),
        (("machine", "load_average"), [0.0, None], "document.machine.load_average[1] should be float, not None"),
        (("workloads", 0, "opponents"), 3, "document.workloads[0].opponents should be list, not 3"),
        (("libraries", "numpy"), [], "document.libraries.numpy should be dict, not []"),
        (("extra",), 1, "document has an unknown extra"),
    ],
)
def test_schema_names_what_is_wrong(document, path, value, message):
    spoilt = copy.deepcopy(document)
    target = spoilt
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    assert problems(spoilt) == [message]


def test_schema_names_what_is_missing(document, tmp_path):
    del document["workloads"][0]["opponents"][1]["times"]
    assert problems(document) == ["document.workloads[0].opponents[1] has no times"]
    save(document, tmp_path / "run.json")
    with pytest.raises(ValueError, match="run.json holds no results of schema 1: .* has no times"):
        load(tmp_path / "run.json")


def test_another_schema_is_refused(document, tmp_path):
    document["schema"] = results.SCHEMA + 1
    save(document, tmp_path / "run.json")
    with pytest.raises(ValueError, match="schema 2, not 1"):
        load(tmp_path / "run.json")


def test_drift_is_relative_to_the_way_gone(rng):
    start = [rng.normal(size=(3, 2)), rng.normal(size=2)]
    way = [rng.normal(size=(3, 2)), rng.normal(size=2)]
    there = [a + b for a, b in zip(start, way, strict=True)]
    halfway = [a + 0.5 * b for a, b in zip(start, way, strict=True)]
    assert drift(there, there, start) == 0.0
    assert drift(halfway, there, start) == pytest.approx(0.5)
    assert drift(start, there, start) == pytest.approx(1.0)


def test_who_does_less_work_is_told(rng):
    entrant = make_entrant("numpy", "NumPy", "", 1)
    assert settle_check(entrant, 0.001, 0.01)
    assert (entrant["drift"], entrant["note"]) == (0.001, "")
    assert not settle_check(entrant, float("nan"), 0.01)
    assert entrant["status"] == "disagrees"
    assert "0.01 is allowed" in entrant["note"]
    assert relative_error(rng.normal(size=3), rng.normal(size=4)) == float("inf")
