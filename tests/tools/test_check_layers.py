"""The layer check: the real tree passes, and every kind of breach is told with its file and line."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tool(load_tool):
    return load_tool("check_layers")


def make_tree(root, files):
    """Write `files` (path -> text) below `root`, and the folders that the tool always looks into."""
    for folder in ("csrc", "python/fastgd"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_this_tree_passes(tool):
    assert tool.check(ROOT) == []


def test_good_tree_passes(tool, tmp_path):
    make_tree(
        tmp_path,
        {
            "csrc/base/types.h": "#include <cstdint>\n",
            "csrc/kernels/kernels.h": '#include "base/types.h"\n',
            "csrc/ops/op.h": '#include "base/types.h"\n#include <vector>\n',
            "csrc/ops/matmul.h": '#include "ops/op.h"\n',
            "csrc/ops/matmul.cpp": '#include "ops/matmul.h"\n',
            "csrc/ops/dense.cpp": '#include "ops/matmul.h"\n#include "ops/op.h"\n',
            "csrc/bindings/module.cpp": "#include <pybind11/pybind11.h>\n",
            "python/fastgd/__init__.py": "from fastgd.models import Model\n",
            "python/fastgd/models/__init__.py": "from fastgd.models.model import Model\n",
            "python/fastgd/models/model.py": "from fastgd import runtime\nfrom .. import layers\n",
            "python/fastgd/layers.py": "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from fastgd.models import Model\n",
            "python/fastgd/runtime.py": "def f():\n    from fastgd import _core, reference\n",
            "python/fastgd/reference/__init__.py": "import math\nimport numpy as np\nfrom fastgd.plan import Plan\n",
            "python/fastgd/plan.py": "",
        },
    )
    assert tool.check(tmp_path) == []


CPP_BREACHES = {
    "base includes upwards": ("csrc/base/a.h", '#include "ops/op.h"', '"ops/op.h" may not be included here'),
    "types.h stays plain": ("csrc/base/types.h", "#include <vector>", "<vector> may not be included here"),
    "no library in simd": ("csrc/simd/math.h", "#include <cmath>", "<cmath> may not be included here"),
    "no library in kernels": ("csrc/kernels/a.cpp", "#include <vector>", "<vector> may not be included here"),
    "no threads in kernels": ("csrc/kernels/a.cpp", '#include "base/b.h"', '"base/b.h" may not be included here'),
    "no simd in dispatch": ("csrc/dispatch/a.cpp", '#include "simd/vec.h"', '"simd/vec.h" may not be included here'),
    "OpenMP in one file": ("csrc/threads/other.cpp", "#include <omp.h>", "<omp.h> may not be included here"),
    "no OpenMP in ops": ("csrc/ops/a.cpp", "# include <omp.h>", "<omp.h> may not be included here"),
    "pybind11 in bindings": ("csrc/engine/a.cpp", "#include <pybind11/numpy.h>", "<pybind11/numpy.h> may not be"),
    "no single op in another": ("csrc/ops/a.cpp", '#include "ops/dense.h"', '"ops/dense.h" may not be included here'),
    "no single op in engine": ("csrc/engine/a.cpp", '#include "ops/dense.h"', '"ops/dense.h" may not be included here'),
    "no simd in bindings": ("csrc/bindings/a.cpp", '#include "simd/vec.h"', '"simd/vec.h" may not be included here'),
    "path from csrc": ("csrc/base/a.cpp", '#include "b.h"', '"b.h" is no path below csrc'),
    "unknown folder": ("csrc/gpu/a.cpp", "", "the folder gpu has no row"),
}


@pytest.mark.parametrize("name", CPP_BREACHES)
def test_cpp_breach(tool, tmp_path, name):
    path, line, message = CPP_BREACHES[name]
    headers = ("base/b.h", "ops/op.h", "ops/dense.h", "simd/vec.h")
    make_tree(tmp_path, {f"csrc/{header}": "" for header in headers})
    make_tree(tmp_path, {path: f"// Role.\n{line}\n"})
    (problem,) = tool.check(tmp_path)
    assert problem.startswith(f"{path}:{1 if 'unknown' in name else 2}: {message}")


PYTHON_BREACHES = {
    "_core only in runtime": ("layers/dense.py", "from fastgd import _core", "layers may not import _core"),
    "reference only in runtime": ("models.py", "import fastgd.reference", "models may not import reference"),
    "no runtime in layers": ("layers/dense.py", "from fastgd.runtime import isa", "layers may not import runtime"),
    "lazy is no way round": ("ops/a.py", "def f(): from fastgd.models import Model", "ops may not import models"),
    "import by text": (
        "layers/a.py",
        "def f(): importlib.import_module('fastgd._core')",
        "layers may not import _core",
    ),
    "import of an extra": (
        "layers/a.py",
        "def f(): return import_extra('pandas', 'tabular', 'Reading tables')",
        "layers may not import pandas",
    ),
    "relative import": ("losses.py", "from .models import Model", "losses may not import models"),
    "plan imports nothing": ("plan.py", "from fastgd import config", "plan may not import config"),
    "no public names below": ("models.py", "from fastgd import Sequential", "models may not import the public fastgd"),
    "reference knows numpy": ("reference.py", "import rich", "reference may not import rich"),
    "torch only in interop": ("layers/a.py", "def f(): import torch", "layers may not import torch"),
    "torch lazily": ("interop/a.py", "import torch", "interop may import torch only inside a function"),
    "rich lazily": ("models.py", "from rich.table import Table", "models may import rich only inside a function"),
    "unknown distribution": ("layers/a.py", "import dask", "dask has no row in DISTRIBUTIONS"),
    "syntax": ("layers/a.py", "def", "expected"),
}


@pytest.mark.parametrize("name", PYTHON_BREACHES)
def test_python_breach(tool, tmp_path, name):
    path, line, message = PYTHON_BREACHES[name]
    make_tree(tmp_path, {f"python/fastgd/{unit}.py": "" for unit in ("config", "reference", "models")})
    make_tree(tmp_path, {f"python/fastgd/{path}": f'"""Role."""\n{line}\n'})
    problems = tool.check(tmp_path)
    if name == "syntax":
        assert len(problems) == 1
        assert problems[0].startswith(f"python/fastgd/{path}:2: ")
    else:
        assert problems == [f"python/fastgd/{path}:2: {message}"]


def test_unknown_unit(tool, tmp_path):
    make_tree(tmp_path, {"python/fastgd/novelty.py": ""})
    assert tool.check(tmp_path) == ["python/fastgd/novelty.py:1: the unit novelty has no row in PYTHON_UNITS"]


def test_import_circle(tool, tmp_path):
    files = {
        "python/fastgd/layers/__init__.py": "",
        "python/fastgd/layers/a.py": "import fastgd.losses\n",
        "python/fastgd/losses.py": "from fastgd.metrics import Mean\n",
        "python/fastgd/metrics.py": "from fastgd.layers import a\n",
    }
    make_tree(tmp_path, files)
    (problem,) = tool.check(tmp_path)
    assert problem.startswith("import circle layers -> losses -> metrics -> layers (python/fastgd/layers/a.py:1, ")
    make_tree(tmp_path, {"python/fastgd/metrics.py": "def f():\n    from fastgd.layers import a\n"})
    assert tool.check(tmp_path) == []


def test_exit_status(tool, tmp_path, capsys):
    make_tree(tmp_path, {"csrc/base/a.h": "#include <omp.h>\n"})
    assert tool.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == "csrc/base/a.h:1: <omp.h> may not be included here\n"
    make_tree(tmp_path, {"csrc/base/a.h": ""})
    assert tool.main([str(tmp_path)]) == 0
