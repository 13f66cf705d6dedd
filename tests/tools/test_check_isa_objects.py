"""The check of the tiers' object files: what it lets pass, and each kind of leak."""

import shutil
import subprocess

import pytest


@pytest.fixture
def tool(load_tool):
    return load_tool("check_isa_objects")


def test_good_symbols(tool):
    symbols = [
        ("_ZN6fastgd4avx26kTableE", "R"),
        ("_ZN6fastgd4avx24gemmEv", "T"),
        ("_ZN6fastgd4avx212_GLOBAL__N_14gemmEv", "t"),
        ("_ZN6fastgd4avx25otherEv", "U"),
        ("memcpy", "U"),
        ("_GLOBAL_OFFSET_TABLE_", "U"),
    ]
    assert tool.check_tier("avx2", symbols) == []


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("_ZN6fastgd4avx23maxEff", "W", "weak, unique or common"),
        ("_ZN6fastgd4avx25stateE", "u", "weak, unique or common"),
        ("_ZTV3Foo", "V", "weak, unique or common"),
        ("_ZN6fastgd3maxEff", "T", "exported (T) outside the namespace fastgd::avx2"),
        ("_ZN6fastgd6avx5126kTableE", "D", "exported (D) outside the namespace fastgd::avx2"),
        ("helper", "T", "exported (T) outside"),
        ("_ZSt9terminatev", "U", "a reference out of the tier"),
        ("_ZN6fastgd7generic4gemmEv", "U", "a reference out of the tier"),
        ("__cxa_throw", "U", "a reference out of the tier"),
        ("GOMP_parallel", "U", "a reference out of the tier"),
        ("omp_get_num_threads", "U", "a reference out of the tier"),
    ],
)
def test_leak_is_told(tool, name, kind, message):
    (problem,) = tool.check_tier("avx2", [(name, kind)])
    assert problem.startswith(f"{name}: ")
    assert message in problem


def test_only_the_table_is_open_to_others(tool):
    symbols = [("_ZN6fastgd4avx26kTableE", "U"), ("_ZN6fastgd4avx24gemmEv", "U"), ("_ZSt9terminatev", "U")]
    (problem,) = tool.check_outside(["avx2", "generic"], symbols)
    assert problem.startswith("_ZN6fastgd4avx24gemmEv: a reference into a tier")


def test_no_objects(tool, tmp_path, capsys):
    assert tool.main([str(tmp_path)]) == 1
    assert "no object files" in capsys.readouterr().err
    assert tool.main([]) == 2


@pytest.mark.skipif(not (shutil.which("g++") and shutil.which("nm")), reason="needs g++ and nm")
@pytest.mark.parametrize(("inline", "expected"), [("inline", 1), ("static", 0)])
def test_compiled_object(tool, tmp_path, capsys, inline, expected):
    source = tmp_path / "table.cpp"
    source.write_text(
        f"{inline} int twice(int x) {{ return 2 * x; }}\n"
        "namespace fastgd::avx2 { extern int (*const kTable)(int); int (*const kTable)(int) = twice; }\n"
    )
    folder = tmp_path / "fastgd_kernels_avx2.dir"
    folder.mkdir()
    subprocess.run(["g++", "-std=c++20", "-fPIC", "-c", str(source), "-o", str(folder / "table.cpp.o")], check=True)
    assert tool.main([str(tmp_path)]) == expected
    assert ("_Z5twicei: weak" in capsys.readouterr().out) == bool(expected)
