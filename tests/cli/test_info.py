"""`fastgd info` and `show_versions`: every fact is there, the measured ones as positive numbers."""

import io
import re

import numpy as np

import fastgd
from fastgd.cli import main


def test_info_prints_what_show_versions_prints(capsys):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    for name in ("fastgd", "compiler", "instruction set", "threads", "Python", "NumPy"):
        assert re.search(rf"^{name} +\S", out, re.MULTILINE), name
    assert fastgd.__version__ in out
    assert f"{np.__version__}, BLAS " in out


def test_limits_are_measured():
    text = io.StringIO()
    fastgd.show_versions(file=text)
    peaks = re.findall(r"([\d.]+) GFLOP/s \(([\d.]+) with a product's loads\)$", text.getvalue(), re.MULTILINE)
    rates = re.findall(r"([\d.]+) GB/s$", text.getvalue(), re.MULTILINE)
    assert len(peaks) >= 2
    assert rates
    assert all(float(limit) > 0 for limit in (*sum(peaks, ()), *rates))
