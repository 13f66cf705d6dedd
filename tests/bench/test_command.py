"""`fastgd bench`: a short run with what always is there, and one clear line for each wrong option."""

from __future__ import annotations

import importlib
import json

import pytest

from fastgd.bench import WORKLOADS, results
from fastgd.bench.calls.cases import Case
from fastgd.bench.harness import Effort
from fastgd.bench.matches import run_case
from fastgd.bench.opponents import OPPONENTS, Entry
from fastgd.bench.process import OpponentError, Pool
from fastgd.cli import main

SHORT = ["--rounds", "2", "--seconds", "0.005", "--threads", "1"]


def test_short_run_with_the_reference(capsys, tmp_path):
    path = tmp_path / "run.json"
    options = ["--opponents", "numpy", "--workloads", "tiny,online", *SHORT, "--json", str(path)]
    assert main(["bench", "quick", *options]) == 0
    document = results.load(path)
    assert [workload["name"] for workload in document["workloads"]] == ["tiny", "online"]
    for workload in document["workloads"]:
        base, other = workload["opponents"]
        assert (base["name"], other["name"]) == ("fastgd", "numpy")
        assert base["status"] == other["status"] == "measured"
        assert other["drift"] < 1e-4
        assert len(other["times"]["samples"]) == 2
        assert other["ratio"]["median"] == other["times"]["median"] / base["times"]["median"]
        assert workload["roofline"]["floor"] > 0
    out = capsys.readouterr().out
    assert "training step: times as long as fastgd" in out
    assert "NumPy" in out
    # JSON as others read it: no NaN, no infinity.
    json.loads(path.read_text(), parse_constant=pytest.fail)


def test_results_of_a_run_that_is_cut_off_are_kept(capsys, tmp_path, monkeypatch):
    session = importlib.import_module("fastgd.bench.session")
    run_workload = session.run_workload

    def one_only(pool, workload, *rest):
        if workload.name != "tiny":
            raise KeyboardInterrupt
        return run_workload(pool, workload, *rest)

    monkeypatch.setattr(session, "run_workload", one_only)
    path = tmp_path / "run.json"
    options = ["--opponents", "numpy", "--workloads", "tiny,online", *SHORT, "--json", str(path)]
    assert main(["bench", "quick", *options]) == 130
    document = results.load(path)
    assert [workload["name"] for workload in document["workloads"]] == ["tiny"]
    assert document["seconds"] > 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "case",
    [
        Case("product", (3, 5, 7)),
        Case("product", (3, 5, 7), "transpose_a", "float64"),
        Case("product", (3, 5, 7), "transpose_b"),
        Case("adam", (100,)),
        Case("elementary", (64,), "log"),
        Case("elementary", (64,), "sigmoid"),
        Case("crossentropy", (6, 5)),
        Case("train", (32, 64), "tiny"),
        Case("predict", (1, 64), "tiny"),
    ],
    ids=lambda case: case.name,
)
def test_calls_agree_with_numpy(case):
    importlib.import_module("fastgd.kernels")
    with Pool() as pool:
        result = run_case(pool, case, {"fastgd", "numpy"}, 1, Effort(2, 0.002, 1.0))
    base, other = result["opponents"]
    assert (base["status"], base["note"]) == ("measured", "")
    expected = "refused" if case.family in ("train", "predict") else "measured"
    assert (other["status"], other["threads"]) == (expected, 1)


@pytest.mark.parametrize(
    ("options", "message", "known"),
    [
        (["--opponents", "numpy,torchh"], "Did you mean 'torch'?", OPPONENTS),
        (["--workloads", "tinny"], "Did you mean 'tiny'?", WORKLOADS),
        (["fast"], "`mode` is not a known mode.", ("quick", "full", "kernels")),
    ],
)
def test_unknown_names_list_the_known_ones(capsys, options, message, known):
    assert main(["bench", *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    for name in known:
        assert name in error
    assert error.count("\n") == 1


def test_opponent_that_is_not_installed(capsys, monkeypatch):
    entry = Entry("torch", "PyTorch", "torch_eager", ("no_such_module",), "pip install torch")
    monkeypatch.setitem(OPPONENTS, "torch", entry)
    assert main(["bench", "--opponents", "torch"]) == 2
    assert capsys.readouterr().err == "fastgd: The opponent 'torch' is not installed: pip install torch.\n"


def test_plot_without_matplotlib_names_the_extra(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(importlib.import_module("sys").modules, "matplotlib", None)
    assert main(["bench", "--plot", str(tmp_path / "ratios.png")]) == 2
    assert capsys.readouterr().err == "fastgd: Plotting needs matplotlib: pip install 'fastgd[plot]'.\n"


def test_missing_folder_is_told_before_the_run(capsys, tmp_path):
    assert main(["bench", "--json", str(tmp_path / "none" / "run.json")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_worker_tells_what_went_wrong():
    with Pool() as pool:
        worker = pool.get("trainer", "numpy", 1)
        assert worker.wait_until_ready() > 0
        with pytest.raises(OpponentError, match="AttributeError: .* has no attribute 'dance'"):
            worker.ask("dance")
        assert pool.get("trainer", "numpy", 1) is worker
        worker.close()
        assert pool.get("trainer", "numpy", 1) is not worker
