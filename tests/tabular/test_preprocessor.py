"""TablePreprocessor: what each kind of column becomes, what is dropped and why, JSON both ways, and hostile JSON."""

import copy
import datetime
import json
import math

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

from fastgd.tabular import TablePreprocessor  # noqa: E402


def fit(**columns):
    """Return the preprocessing of a table with these columns, and its features by their names."""
    frame = pd.DataFrame(columns)
    preprocessor = TablePreprocessor().fit(frame)
    x = preprocessor.transform(frame, "float64")
    return preprocessor, dict(zip(preprocessor.feature_names, x.T, strict=True))


def letters(rows, kinds="abc"):
    return [kinds[row % len(kinds)] for row in range(rows)]


def test_numbers_are_scaled_by_quartiles_and_bounded():
    values = np.random.default_rng(0).normal(50, 4, 401)
    _, features = fit(x=values)
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    z = (values - median) / ((high - low) / 1.349)
    np.testing.assert_allclose(features["x"], z / np.sqrt(1 + z**2 / 9), rtol=1e-12)
    # An absurd cell does not move the others, and does not stand out by more than the bound.
    spoilt = values.copy()
    spoilt[7] = 1e300
    _, again = fit(x=spoilt)
    np.testing.assert_allclose(np.delete(again["x"], 7), np.delete(features["x"], 7), atol=0.01)
    assert 2.99 < again["x"][7] <= 3


@pytest.mark.parametrize(
    "cells",
    [
        [str(v) for v in range(100, 140)],
        [f" {v}.0 " for v in range(100, 140)],
        np.arange(100, 140, dtype=np.uint8),
        np.arange(100, 140, dtype=np.float32),
        pd.array(list(range(100, 140)), dtype="Int64"),
        [f"{v}e0" for v in range(100, 140)],
    ],
    ids=["texts", "spaces", "bytes", "float32", "Int64", "exponents"],
)
def test_numbers_however_they_come(cells):
    _, features = fit(x=cells)
    _, expected = fit(x=np.arange(100.0, 140.0))
    assert list(features) == ["x"]
    np.testing.assert_array_equal(features["x"], expected["x"])


def test_mostly_zero_numbers_keep_their_differences():
    preprocessor, features = fit(x=[0.0] * 80 + [5.0] * 10 + [6.0] * 10)
    assert preprocessor.columns[0].scale.center == 0
    assert len(np.unique(features["x"])) == 3


@pytest.mark.parametrize("gap", ["", "?", "NA", "nan", "None", None, math.nan, math.inf])
def test_gaps_in_numbers_become_the_median_and_are_marked(gap):
    values = [float(v) for v in range(100, 140)]
    cells = [gap if row in (3, 9, 20) else v for row, v in enumerate(values)]
    _, features = fit(x=cells)
    assert list(features) == ["x", "x=missing"]
    np.testing.assert_array_equal(np.flatnonzero(features["x=missing"]), [3, 9, 20])
    assert features["x"][3] == features["x"][9] == 0


def test_a_gap_that_training_had_not_becomes_the_median():
    preprocessor, _ = fit(x=np.arange(50.0, 90.0))
    np.testing.assert_array_equal(preprocessor.transform(pd.DataFrame({"x": ["", "?"]})), [[0], [0]])


def test_categories_rare_unseen_and_missing():
    cells = ["a"] * 20 + ["b"] * 15 + ["c", "d", "e"] + ["NA"] * 4
    preprocessor, features = fit(k=cells)
    assert list(features) == ["k=a", "k=b", "k=missing", "k=rare"]
    np.testing.assert_array_equal([column.sum() for column in features.values()], [20, 15, 4, 3])
    new = pd.DataFrame({"k": ["b", "zebra", None, " a "]})
    np.testing.assert_array_equal(preprocessor.transform(new), np.eye(4)[[1, 3, 2, 0]])
    assert preprocessor.count_unseen(new) == {"k": 1}
    # Where training had neither rare ones nor gaps, nothing is known of them.
    preprocessor, _ = fit(k=letters(30))
    np.testing.assert_array_equal(
        preprocessor.transform(pd.DataFrame({"k": ["c", "new", ""]})), [[0, 0, 1], [0] * 3, [0] * 3]
    )


def test_truth_values_codes_and_chosen_numbers_are_categories():
    frame = pd.DataFrame(
        {"t": [True, False] * 10, "zip": ["01067", "80331"] * 10, "floor": [1, 2] * 10, "n": [1, 2] * 10}
    )
    frame["floor"] = frame["floor"].astype("float64").mask(frame.index == 7)
    preprocessor = TablePreprocessor(categories=["floor"]).fit(frame)
    assert preprocessor.feature_names == ["t=False", "t=True", "zip=01067", "zip=80331", "floor=1", "floor=2", "n"]
    # The same categories as texts, and as integers.
    for other in (frame.astype(str), frame.fillna(1).astype({"floor": int})):
        rows = [row for row in range(20) if row != 7]
        np.testing.assert_array_equal(preprocessor.transform(other)[rows], preprocessor.transform(frame)[rows])


DAYS = [datetime.date(2021, 1, 4) + datetime.timedelta(days=17 * day) for day in range(40)]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d", "%d %b %Y", "%Y-%m-%dT%H:%M:%SZ"])
def test_dates(form):
    preprocessor, features = fit(day=[f"{day:{form}}" for day in DAYS])
    waves = [f"day {wave} of {cycle}" for cycle in ("year", "week") for wave in ("sine", "cosine")]
    assert list(features) == ["day", *waves]
    angles = 2 * np.pi * np.array([(day.month - 1) / 12 for day in DAYS])
    np.testing.assert_allclose(features["day sine of year"], np.sin(angles), atol=1e-12)
    angles = 2 * np.pi * np.array([day.weekday() / 7 for day in DAYS])
    np.testing.assert_allclose(features["day cosine of week"], np.cos(angles), atol=1e-12)
    assert (np.diff(features["day"]) > 0).all()
    days = np.array([(day - datetime.date(1970, 1, 1)).days for day in DAYS])
    assert preprocessor.columns[0].scale.center == np.median(days)
    with pytest.raises(ValueError, match=r"'day' must hold dates like .*2024.* Received: 'soon' in row 2"):
        preprocessor.transform(pd.DataFrame({"day": ["", "soon"]}))


def test_dates_of_pandas_with_gaps_and_times():
    cells = pd.Series(pd.date_range("2024-02-01", periods=40, freq="5h")).mask(np.arange(40) % 9 == 4)
    preprocessor, features = fit(t=cells)
    assert preprocessor.columns[0].cycles == ["week", "day"]
    np.testing.assert_array_equal(np.flatnonzero(features["t=missing"]), [4, 13, 22, 31])
    gap = {name: column[4] for name, column in features.items()}
    assert gap.pop("t=missing") == 1 and set(gap.values()) == {0}


DROPPED = {
    "empty": (["", "NA"] * 20, "it is empty"),
    "constant": ([7] * 40, "it never changes"),
    "constant text": (["x"] * 40, "it never changes"),
    "rows": (list(range(1, 41)), "it numbers the rows"),
    "texts": ([f"note {row}" for row in range(40)], "nearly every row has another text (40 different)"),
    "one differs": (["x"] * 39 + ["y"], "fewer than 2 rows differ from the others"),
}


@pytest.mark.parametrize("name", DROPPED)
def test_dropped(name):
    cells, reason = DROPPED[name]
    preprocessor, features = fit(x=cells, other=letters(40))
    assert preprocessor.dropped == {"x": reason}
    assert list(features) == ["other=a", "other=b", "other=c"]


def test_a_typing_error_in_numbers_is_told():
    cells = [str(value) for value in np.random.default_rng(0).normal(size=200)]
    cells[7] = "1.2.3"
    preprocessor, _ = fit(x=cells, other=letters(200))
    assert preprocessor.dropped == {"x": "it holds numbers but for 1 cells, first '1.2.3' in row 8"}


@pytest.mark.parametrize(
    ("name", "is_dropped"), [("Id", True), ("customer_id", True), ("orderID", True), ("humid", False)]
)
def test_an_id_is_known_by_its_name(name, is_dropped):
    cells = np.random.default_rng(0).permutation(90_000)[:40]
    preprocessor, _ = fit(**{name: cells, "other": letters(40)})
    assert (name in preprocessor.dropped) == is_dropped


def test_shuffled_rows_give_the_same_preprocessing():
    frame = pd.DataFrame({"k": letters(60, "baadc"), "x": np.random.default_rng(0).normal(size=60)})
    shuffled = frame.sample(frac=1, random_state=1)
    assert TablePreprocessor().fit(frame).to_json() == TablePreprocessor().fit(shuffled).to_json()


def mixed():
    """Return a table with every kind of column, gaps and rare categories."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": random.normal(size=90).round(3).astype(str),
            "k": random.choice(["a", "b", "ü\n,"], 90),
            "d": [f"{DAYS[row % 40]:%d.%m.%Y}" for row in range(90)],
            "n": np.arange(90),
        }
    )
    frame.loc[::8, ["x", "k", "d"]] = ""
    frame.loc[[1, 2], "k"] = ["r", "s"]
    return frame


def test_json_both_ways():
    frame = mixed()
    preprocessor = TablePreprocessor(drop=["n"]).fit(frame)
    again = TablePreprocessor.from_json(preprocessor.to_json())
    assert again.columns == preprocessor.columns
    assert again.dropped == {"n": "as asked"}
    # The order of the columns does not matter, nor do further ones.
    other = frame[["d", "k", "x"]].assign(more=1)
    np.testing.assert_array_equal(again.transform(other), preprocessor.transform(frame))


def leaves(value, path=()):
    """Yield the path of every value in a structure of JSON."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from leaves(part, (*path, key))


def test_absurd_json_is_refused():
    config = TablePreprocessor().fit(mixed()).to_config()
    absurd = [None, -1, 1e400, math.nan, "?" * 200_000, [], {}, [["x"]], True, 2**70]
    messages = []
    for path in list(leaves(config)):
        if "dropped" in path or not path:
            continue
        for value in absurd:
            spoilt = copy.deepcopy(config)
            place = spoilt
            for key in path[:-1]:
                place = place[key]
            # Equal where True is 1: it must be refused all the same, or be of the same type.
            if type(place[path[-1]]) is type(value):
                continue
            place[path[-1]] = value
            try:
                TablePreprocessor.from_json(json.dumps(spoilt))
            except ValueError as error:
                messages.append(str(error))
            else:
                # Only an integer in the place of a number means something.
                assert path[-1] in ("center", "scale", "marks_gaps", "marks_rare") and not isinstance(value, bool)
    assert len(messages) > 200
    assert all("`preprocessing" in message for message in messages)


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000, '{"format": 2, "columns": [], "dropped": []}'])
def test_no_json_of_a_preprocessing(text):
    with pytest.raises(ValueError, match="`preprocessing"):
        TablePreprocessor.from_json(text)


def test_errors(monkeypatch):
    frame = pd.DataFrame({"LotArea": np.arange(50.0, 90.0), "k": letters(40)})
    preprocessor = TablePreprocessor().fit(frame)
    with pytest.raises(ValueError, match=r"no column 'LotArea'. Did you mean 'lotarea'\? Columns: lotarea, k"):
        preprocessor.transform(frame.rename(columns={"LotArea": "lotarea"}))
    with pytest.raises(ValueError, match=r"'LotArea' must hold numbers. Received: 'much' in row 2 \(and 1 more\)"):
        preprocessor.transform(pd.DataFrame({"LotArea": ["1", "much", "", "more"], "k": list("abca")}))
    with pytest.raises(ValueError, match="no column 'Lot'"):
        TablePreprocessor(drop=["Lot"]).fit(frame)
    with pytest.raises(ValueError, match="no column to learn from. 'a': it never changes"):
        TablePreprocessor().fit(pd.DataFrame({"a": [1, 1]}))
    with pytest.raises(ValueError, match="no rows"):
        TablePreprocessor().fit(frame[:0])
    with pytest.raises(ValueError, match="Two columns have the name 'k'"):
        TablePreprocessor().fit(pd.concat([frame, frame["k"]], axis=1))
    with pytest.raises(ValueError, match="not fitted"):
        TablePreprocessor().transform(frame)
    with pytest.raises(TypeError, match="data frame of pandas. Received: ndarray"):
        TablePreprocessor().fit(frame.to_numpy())
    with pytest.raises(TypeError, match="Names of columns must be texts. Received: 0"):
        TablePreprocessor().fit(pd.DataFrame([[1, 2]]))
    monkeypatch.setattr("fastgd.tabular.preprocessor.MOST_FEATURES", 3)
    with pytest.raises(ValueError, match="4 features; at most 3"):
        TablePreprocessor().fit(frame)
