"""The table of mutations fits the tree, and its reader and the tool refuse what is wrong."""

import shutil
import subprocess

import pytest

ROW = """
# A comment.
losses.square pkg/formula.py
tests/test_formula.py -k "square"
return p <<-|+>> t
"""


@pytest.fixture
def tool(load_tool):
    return load_tool("mutate")


@pytest.fixture
def tree(tmp_path):
    """Return a small tree with one formula, its test, and one that nothing tests."""
    for name, text in {
        "pkg/formula.py": "def apart(p, t):\n    return p - t\n\n\ndef twice(x):\n    return 2 * x\n",
        "tests/test_formula.py": (
            "import sys\n\nsys.path.insert(0, 'pkg')\n\nimport formula\n\n\n"
            "def test_square():\n    assert formula.apart(3, 1) == 2\n\n\ndef test_even():\n"
            "    assert formula.twice(3) % 3 == 0\n"
        ),
    }.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_row_fits_the_tree(tool, capsys):
    assert tool.main(["--check"]) == 0, capsys.readouterr().out


def test_there_are_enough_rows_in_every_area(tool):
    rows = tool.read_table(tool.TABLE.read_text(encoding="utf-8"))
    assert len(rows) >= 60 and sum(row.is_native for row in rows) >= 20
    assert {row.area for row in rows} == {
        "activations", "convolutions", "dropout", "engine", "initializers", "losses", "metrics", "penalties",
        "products", "reductions", "schedules", "sequences", "updates", "windows",
    }  # fmt: skip


def test_a_row_is_read(tool):
    (row,) = tool.read_table(ROW)
    assert (row.name, row.area, row.path, row.is_native) == ("losses.square", "losses", "pkg/formula.py", False)
    assert (row.before, row.after) == ("return p - t", "return p + t")
    assert row.pattern == ("tests/test_formula.py", "square")
    assert row.apply("    return p - t\n") == "    return p + t\n"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("<<-|+>>", "-", "needs one change"),
        ("<<-|+>>", "<<-|->>", "needs one change"),
        ("<<-|+>>", "<<-|+>> <<1|2>>", "needs one change"),
        ("losses.square", "Square", "a name AREA.WHAT of its own"),
        ("return p <<-|+>> t\n", "", "a row has three lines"),
    ],
)
def test_wrong_rows_are_refused(tool, old, new, text):
    with pytest.raises(ValueError, match=text):
        tool.read_table(ROW.replace(old, new))


def test_a_name_may_be_taken_once(tool):
    with pytest.raises(ValueError, match="of its own"):
        tool.read_table(ROW + ROW)


def test_rows_that_do_not_fit_are_named(tool, tree):
    (row,) = tool.read_table(ROW)
    assert tool.find_misfits([row], tree) == []
    (tree / "pkg" / "formula.py").write_text("return p - t\nreturn p - t\n")
    (tree / "tests" / "test_formula.py").unlink()
    assert tool.find_misfits([row], tree) == [
        "losses.square: occurs 2 times in pkg/formula.py, not once: return p - t",
        "losses.square: there is no file of tests tests/test_formula.py",
    ]


@pytest.mark.skipif(shutil.which("git") is None, reason="copies what git lists")
def test_what_becomes_of_a_mutation(tool, tree, tmp_path_factory):
    subprocess.run(["git", "init", "--quiet", str(tree)], check=True)
    copy = tool.Copy(tree, tmp_path_factory.mktemp("copy"))
    (row,) = tool.read_table(ROW)
    weak = tool.read_table(ROW.replace("return p <<-|+>> t", "return <<2|3>> * x").replace('"square"', '"even"'))[0]
    aimless = tool.read_table(ROW.replace('"square"', '"cube"'))[0]
    assert tool.find_failing(copy, [row, weak]) == []
    assert tool.try_mutation(copy, row) == "noticed"
    assert tool.try_mutation(copy, weak) == "survived"
    assert tool.try_mutation(copy, aimless) == "tests did not run: pytest returned 5"
    # Neither the tree nor the copy keeps a mutation.
    text = (tree / "pkg" / "formula.py").read_text()
    assert "p - t" in text and (copy.folder / "pkg" / "formula.py").read_text() == text
    (copy.folder / "pkg" / "formula.py").write_text(text.replace("p - t", "t - p"))
    assert len(tool.find_failing(copy, [row, weak])) == 1


def test_a_selection_that_holds_nothing_is_an_error(tool, capsys):
    with pytest.raises(SystemExit, match="2"):
        tool.main(["--list", "--only", "nothing-of-this-name"])
    assert "no row is left" in capsys.readouterr().err
    assert tool.main(["--list", "--only", "losses.huber"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown] == ["losses.huber-outer", "losses.huber-border"]
