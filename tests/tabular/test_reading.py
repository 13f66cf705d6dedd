"""CSV files of all sorts, and one clear error for what is none."""

import gzip

import pytest

pd = pytest.importorskip("pandas")

from fastgd.tabular import read_table  # noqa: E402


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(tmp_path, separator):
    path = tmp_path / "a.csv"
    path.write_text(
        f'a{separator}"b{separator},x"\n1{separator} 2\n?{separator}"q\nr"\n'.replace(",x", "x" * (separator != ","))
    )
    frame = read_table(path)
    assert frame.to_numpy().tolist() == [["1", "2"], ["?", "q\nr"]]
    assert frame.columns[0] == "a" and frame.columns[1].startswith("b" + separator)
    assert read_table(path, separator="#").shape[1] == 1


def test_compressed_with_a_mark_and_without_names(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress("\ufeff007,x\r\n8,\r\n".encode()))
    frame = read_table(path, header=False)
    assert list(frame.columns) == ["column1", "column2"]
    assert frame.to_numpy().tolist() == [["007", "x"], ["8", ""]]
    assert list(read_table(path).columns) == ["007", "x"]


def test_short_rows_have_gaps(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n1,2\n\n4,5,6\n")
    assert read_table(path).to_numpy().tolist() == [["1", "2", ""], ["4", "5", "6"]]


WRONG = {
    "empty": (b"", "is empty"),
    "empty line": (b"\na,b\n", "begins with an empty line"),
    "names only": (b"a,b\n", "holds no rows, only the names"),
    "long row": (b"a,b\n1,2,3\n", "cannot be read as a table: Expected 2 fields in line 2, saw 3"),
    "Latin 1": (b"a,b\n\xe4,1\n", "it is not in UTF-8"),
    "binary": (b"PK\x03\x04\x00\x00\n", "is no text file"),
    "two of a name": (b"a,b,a\n1,2,3\n", "two columns have the name 'a'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong(tmp_path, name):
    content, message = WRONG[name]
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"a.csv.*{message}"):
        read_table(path)


def test_wrong_places(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="is a folder"):
        read_table(tmp_path)
    (tmp_path / "a.csv.gz").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"a.csv.gz cannot be read as a table"):
        read_table(tmp_path / "a.csv.gz")
