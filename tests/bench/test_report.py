"""The pages made from a results file: tables by hand, markers that must be there, and a check that writes nothing."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path

import pytest

from fastgd.bench import plot, results
from fastgd.bench.tables import format_time

PATH = Path(__file__).parents[2] / "benchmarks" / "report.py"


@pytest.fixture
def report(tmp_path, monkeypatch):
    """The script, with pages of its own."""
    spec = importlib.util.spec_from_file_location("report", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages = {tmp_path / "README.md": "benchmark table", tmp_path / "benchmarks.md": "benchmark results"}
    for path, marker in pages.items():
        path.write_text(f"before\n<!-- {marker}: begin -->\nold\n<!-- {marker}: end -->\nafter\n")
    monkeypatch.setattr(module, "PAGES", pages)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    return module


def test_pages_are_written_once(report, document, tmp_path, capsys):
    path = tmp_path / "run.json"
    document["workloads"][0]["description"] = "1-1"
    results.save(document, path)
    assert report.main([str(path), "--check"]) == 1
    assert "old" in (tmp_path / "README.md").read_text()
    assert report.main([str(path)]) == 0
    readme = (tmp_path / "README.md").read_text()
    assert "| training step | fastgd, us | numpy |\n| --- | ---: | ---: |\n| 1-1 | 3.00 | 2.00 |\n" in readme
    assert readme.startswith("before\n")
    assert readme.endswith("after\n")
    page = (tmp_path / "benchmarks.md").read_text()
    assert "| tiny: 1-1 | 3.00 | 1.00 | - | 2.00 (2.5) |" in page
    assert "| memory | 1 | 2.0 GB/s |" in page
    assert "Kernels" not in page
    capsys.readouterr()
    assert report.main([str(path), "--check"]) == 0
    assert capsys.readouterr().out == ""


def test_convolutional_networks_have_a_table_of_their_own(report, document):
    first = document["workloads"][0]
    second = {**first, "name": "cnn", "opponents": copy.deepcopy(first["opponents"][:1])}
    first["description"], second["description"] = "1-1", "2x2x1, conv 1 3x3, 1"
    document["workloads"].append(second)
    tables = report.readme_text(document).split("\n\n")[1:]
    assert tables == [
        "| training step | fastgd, us | numpy |\n| --- | ---: | ---: |\n| 1-1 | 3.00 | 2.00 |",
        "| training step of a convolutional network | fastgd, us |\n| --- | ---: |\n| 2x2x1, conv 1 3x3, 1 | 3.00 |\n",
    ]


def test_share_of_the_peak_by_hand(report, document):
    entrants = document["workloads"][0]["opponents"]
    case = {
        "name": "product", "family": "product", "description": "", "dtype": "float32", "threads": 1,
        "arithmetic": 3000.0, "traffic": 0.0, "opponents": entrants,
    }  # fmt: skip
    document["cases"].append(case)
    # 3000 operations in 3 us, where 2 GFLOP/s can be had.
    assert "| product | 3.00 | 1.00 | 1 GFLOP/s | 50 % | 2.00 |" in report.page_text(document)
    case["arithmetic"] = 0.0
    assert "| product | 3.00 | 1.00 | - | - | 2.00 |" in report.page_text(document)


def test_calls_of_another_run(report, document, tmp_path, capsys):
    (tmp_path / "results").mkdir()
    results.save(document | {"mode": "full"}, tmp_path / "results" / "full.json")
    assert report.main([]) == 0
    assert "Kernels" not in (tmp_path / "benchmarks.md").read_text()
    case = {
        "name": "product", "family": "product", "description": "", "dtype": "float32", "threads": 1,
        "arithmetic": 3000.0, "traffic": 0.0, "opponents": document["workloads"][0]["opponents"],
    }  # fmt: skip
    for day, name in (("01", "old"), ("02", "new")):
        run = document | {"mode": "kernels", "workloads": [], "cases": [case | {"name": name}], "seconds": 120.0}
        results.save(run | {"created": f"2026-01-{day}T00:00:00+00:00"}, tmp_path / "results" / f"{name}.json")
    assert report.main([]) == 0
    page = (tmp_path / "benchmarks.md").read_text()
    assert "### Kernels and single calls\n\nMeasured 2026-01-02T00:00:00+00:00, mode kernels, " in page
    assert "| new | 3.00 | 1.00 | 1 GFLOP/s | 50 % | 2.00 |" in page
    assert "| old |" not in page
    assert capsys.readouterr().out.count("written") == 2


def test_missing_full_run_is_told(report):
    with pytest.raises(SystemExit, match="There is no full run in results: make one with fastgd bench full"):
        report.main([])


def test_missing_marker_is_told(report, document, tmp_path):
    results.save(document, tmp_path / "run.json")
    (tmp_path / "README.md").write_text("nothing\n")
    with pytest.raises(SystemExit, match="README.md must hold <!-- benchmark table: begin -->"):
        report.main([str(tmp_path / "run.json")])


def test_pages_of_this_tree_have_their_markers():
    root = PATH.parents[1]
    for name, marker in (("README.md", "benchmark table"), ("docs/benchmarks.md", "benchmark results")):
        text = (root / name).read_text(encoding="utf-8")
        assert text.count(f"<!-- {marker}: begin -->\n") == text.count(f"<!-- {marker}: end -->") == 1, name


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.123"), (0.999, "0.999"), (3.0, "3.00"), (12.34, "12.3"), (123.4, "123"), (81054.0, "81,054")],
)
def test_times_are_short(value, text):
    assert format_time(value) == text


def test_plot_is_written(document, tmp_path):
    pytest.importorskip("matplotlib")
    plot.draw(document, tmp_path / "ratios.png")
    assert (tmp_path / "ratios.png").stat().st_size > 1000
