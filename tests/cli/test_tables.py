"""`fastgd train data.csv` and `fastgd predict`: what they show and write, and one line for each kind of mistake."""

import csv
import io
import re
import subprocess
import sys

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("sklearn")
pytest.importorskip("h5py")

from fastgd.cli import main  # noqa: E402

QUICK = ["--networks", "2", "--epochs", "4", "--hidden", "8"]


def table(rows=80):
    """Return a table with numbers, gaps, categories, dates, and columns from which nothing can be learnt."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "Id": np.arange(1, rows + 1),
            "LotArea": random.normal(100, 20, rows).round(1),
            "Street": random.choice(["Pave", "Grvl"], rows),
            "Sold": [f"{day:%d.%m.%Y}" for day in pd.date_range("2020-01-05", periods=rows, freq="9D")],
            "Constant": 1,
        }
    )
    frame["SalePrice"] = (frame["LotArea"] * 3 + 50 * (frame["Street"] == "Pave")).round(1)
    frame["Dear"] = np.where(frame["SalePrice"] > 320, "yes", "no")
    frame.loc[::9, "LotArea"] = np.nan
    return frame


@pytest.fixture
def path(tmp_path):
    table().to_csv(tmp_path / "houses.csv", index=False)
    return tmp_path / "houses.csv"


def run(capsys, *arguments):
    """Run the command line, see it succeed, and return what it wrote to standard output and error."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return captured.out, captured.err


def fails(capsys, arguments, message):
    """See exit status 2 and exactly one line, with `message`, on standard error."""
    assert main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(rf"fastgd: .*{message}.*\n", captured.err), captured.err


def test_regression(path, capsys, tmp_path):
    model = tmp_path / "model.keras"
    options = ["--drop", "Dear", "--baselines", "constant,linear,mlp", "--save", model]
    out, _ = run(capsys, "train", path, "--target", "SalePrice", *QUICK, *options)
    for text in (
        r"target +SalePrice, a number",
        r"columns +1 of numbers, 1 of categories, 1 of dates: \d+ features",
        r"dates +Sold \(like 31\.05\.2024\)",
        r"left out +Id \(it numbers the rows\); Constant \(it never changes\); Dear \(as\s+asked\)",
        r"rows +64 to learn from, 16 to test on",
        r"network 2/2  4 epochs, best [1-4], val_loss \d\.\d{4}",
        r"RMSE ┃ +MAE ┃ +R2",
        r"mean +│",
        r"ridge regression +│",
        r"scikit-learn's MLP +│",
        r"fastgd +│",
    ):
        assert re.search(text, out), text
    # A long path is broken into lines.
    assert re.search(r"saved\S*model\.keras", re.sub(r"\s", "", out))
    assert re.fullmatch(r"test RMSE: \d+\.\d{4}", out.splitlines()[-1])

    written = tmp_path / "predictions.csv"
    out, err = run(capsys, "predict", model, path, "--output", written, "--keep", "Id,Street")
    assert err == ""
    assert re.search(r"written +80 rows into ", out)
    assert "80 rows with SalePrice" in out
    predictions = pd.read_csv(written)
    assert list(predictions.columns) == ["Id", "Street", "prediction"]
    np.testing.assert_array_equal(predictions["Id"], np.arange(1, 81))

    # Without a file for them the predictions alone go to standard output; the target need not be there.
    table().drop(columns=["SalePrice", "Dear"]).assign(Street="Mud", New=1).to_csv(path, index=False)
    out, err = run(capsys, "predict", model, path)
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0] == ["prediction"]
    assert len(rows) == 81
    assert re.search(r"rare or new +Street in 80 rows", err)
    assert "RMSE" not in err


def test_classes_and_a_file_for_the_test(path, capsys, tmp_path):
    model, test = tmp_path / "model.keras", tmp_path / "test.csv.gz"
    table(30).to_csv(test, index=False)
    options = ["--drop", "SalePrice,Id", "--class-weight", "balanced", "--test", test, "--save", model]
    out, _ = run(capsys, "train", path, "--target", "Dear", *QUICK, *options)
    assert re.search(r"target +Dear, 2 classes: no, yes \(positive, \d\d\.\d% of the rows\)", out)
    assert re.search(r"rows +80 to learn from, 30 to test on", out)
    assert re.search(r"most frequent class │(.*│){5}\n│ logistic regression │", out)
    for measure in ("accuracy", "balanced", "ROC AUC", "average", "log loss"):
        assert measure in out
    assert re.fullmatch(r"test accuracy: \d+\.\d\d %", out.splitlines()[-1])
    out, err = run(capsys, "predict", model, path)
    predictions = pd.read_csv(io.StringIO(out))
    assert list(predictions.columns) == ["prediction", "probability of no", "probability of yes"]
    p = predictions["probability of yes"]
    assert ((p > 0.5) == (predictions["prediction"] == "yes")).all()
    assert "80 rows with Dear" in err
    # A mistake in the file for the test is told before the training.
    table(30).astype({"LotArea": object}).fillna("big").to_csv(test, index=False)
    fails(capsys, ["train", path, "--target", "Dear", *QUICK, *options], r"test.csv.gz: The column 'LotArea' must hold")
    # A target that cannot be compared is told, and is no failure.
    table().assign(Dear="perhaps").to_csv(path, index=False)
    _, err = run(capsys, "predict", model, path)
    assert re.search(r"not measured +The column 'Dear' must hold the classes 'no', 'yes'\. Received:\s+'perhaps'", err)
    assert "accuracy" not in err


def test_defaults_beat_the_mean_and_seed_decides(path, capsys):
    options = ["--target", "SalePrice", "--log-target", "--networks", "2", "--epochs", "30", "--backend", "native"]
    first, again, other = (run(capsys, "train", path, *options, "--seed", seed)[0] for seed in (0, 0, 1))
    assert first.splitlines()[-1] == again.splitlines()[-1] != other.splitlines()[-1]
    assert "SalePrice, a number (its logarithm is learnt)" in first
    mean, _, fastgd = (float(re.search(rf"{name} +│ +([\d.]+)", first)[1]) for name in ("mean", "regression", "fastgd"))
    assert fastgd < 0.8 * mean


def test_without_test_names_or_commas(capsys, tmp_path):
    path = tmp_path / "data.txt"
    table().to_csv(path, index=False, header=False, sep=";")
    options = ["--no-header", "--separator", ";", "--target", "column6", "--categories", "column5", "--test", "0"]
    out, _ = run(capsys, "train", path, *options, *QUICK, "--validation", "0", "--backend", "numpy")
    assert "column6, a number" in out
    assert re.search(r"network 1/2  4 epochs, loss \d", out)
    assert re.fullmatch(r"validation loss: \d\.\d{4}", out.splitlines()[-1])


def test_the_bar_of_a_terminal(path, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    out, _ = run(capsys, "train", path, "--target", "SalePrice", *QUICK)
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", out)
    assert re.search(r"network 2/2 ━+ epoch 4  loss \d\.\d{4}  val_loss \d\.\d{4}", plain)
    assert "network 2/2  4 epochs, best" in plain


WRONG_TABLES = {
    "none.csv": (None, "none.csv: there is no such file"),
    "empty.csv": ("", "empty.csv is empty"),
    "names.csv": ("a,SalePrice\n", "names.csv holds no rows"),
    "few.csv": ("a,SalePrice\n" + "1,2.5\n" * 9, "few.csv has too few rows .* at least 10 .* Received: 9"),
    "other.csv": (
        "a,SellPrice\n" + "1,2\n" * 20,
        r"no column 'SalePrice'. Did you mean 'SellPrice'\? Columns: a, Sell",
    ),
    "numbers.csv": ("7,8\n" + "1,2\n" * 20, "give --no-header, and --target column1 to column2"),
    "gap.csv": ("a,SalePrice\n" + "1,2\n" * 20 + "1,\n", "'SalePrice' is missing in 1 of 21 rows, first in row 21"),
    "one.csv": ("a,SalePrice\n" + "1,x\n" * 20, "'SalePrice' must have at least two classes. Received: only 'x'"),
    "rare.csv": ("a,SalePrice\n" + "1,x\n2,y\n" * 20 + "3,z\n", "class 'z' of the target 'SalePrice' has only 1 row"),
    "text.csv": (
        "a,SalePrice\n" + "1,1\n1,2\n1,3.5\n" * 9 + "3,z\n",
        "'SalePrice' must hold numbers, .* 'z' in row 28",
    ),
    "useless.csv": ("a,SalePrice\n" + "1,x\n1,y\n" * 20, "no column to learn from. 'a': it never changes"),
}


@pytest.mark.parametrize("name", WRONG_TABLES)
def test_wrong_table(capsys, tmp_path, name):
    text, message = WRONG_TABLES[name]
    if text is not None:
        (tmp_path / name).write_text(text)
    fails(capsys, ["train", tmp_path / name, "--target", "SalePrice", *QUICK], message)


WRONG_OPTIONS = {
    "no target": ([], "--target must name the column to predict. Columns: Id, LotArea"),
    "task": (["--target", "Dear", "--task", "rank"], "`task` must be one of auto, classify, regress"),
    "not the task": (["--target", "Street", "--task", "regress"], "'Street' must hold numbers"),
    "logarithm": (["--target", "Street", "--log-target"], "'Street' must hold numbers"),
    "drop": (["--target", "Dear", "--drop", "Lotarea"], "no column 'Lotarea'. Did you mean 'LotArea'"),
    "dropped target": (["--target", "Dear", "--drop", "Dear"], "'Dear' cannot be dropped"),
    "weights": (["--target", "SalePrice", "--class-weight", "balanced"], "Weights of classes are for targets with"),
    "weight": (["--target", "Dear", "--class-weight", "heavy"], "`class_weight` must be 'balanced'"),
    "baselines": (["--target", "Dear", "--baselines", "svm"], "--baselines must be of constant, linear, mlp"),
    "share": (["--target", "Dear", "--test", "1"], "--test must be a share from 0 to below 1, or a file. Received: 1"),
    "small share": (["--target", "Dear", "--test", "0.01"], "fewer than 2 for the test"),
    "test file": (["--target", "Dear", "--test", "none.csv"], "none.csv: there is no such file"),
    "save": (["--target", "Dear", "--save", "model.pkl"], r"must end in .keras. Received: 'model.pkl'"),
    "folder": (["--target", "Dear", "--save", "none/m.keras"], "The folder of 'none/m.keras' does not exist"),
    "hidden": (["--target", "Dear", "--hidden", "8,x"], "--hidden must be whole numbers"),
    "optimizer": (["--target", "Dear", "--optimizer", "adamm"], "adamm"),
    "validation": (["--target", "Dear", "--validation", "1"], "`validation` must be below 1"),
    "dropout": (["--target", "Dear", "--dropout", "1"], "`dropout` must be below 1"),
    "networks": (["--target", "Dear", "--networks", "0"], "networks"),
    "separator": (["--target", "Dear", "--separator", "::"], "--separator must be one character"),
    "threads": (["--target", "Dear", "--threads", "2", "--backend", "numpy"], "--threads is for the native backend"),
}


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_wrong_option(path, capsys, name):
    arguments, message = WRONG_OPTIONS[name]
    fails(capsys, ["train", path, *arguments], message)


@pytest.mark.parametrize("option", [["--log-target"], ["--networks", "2"], ["--save", "m.keras"], ["--test", "0.3"]])
def test_options_of_tables_alone(capsys, option):
    fails(capsys, ["train", *option], f"{option[0]} is for CSV files. Received: digits")


def test_training_that_diverges(path, capsys):
    wild = ["--optimizer", "sgd", "--learning-rate", "1e30"]
    assert main(["train", str(path), "--target", "SalePrice", *QUICK, *wild]) == 2
    assert "diverged: the loss became" in capsys.readouterr().err


def test_wrong_predictions(path, capsys, tmp_path):
    model = tmp_path / "model.keras"
    run(capsys, "train", path, "--target", "SalePrice", *QUICK, "--save", model)
    other = tmp_path / "other.csv"
    table().rename(columns={"LotArea": "LotAreas"}).to_csv(other, index=False)
    fails(capsys, ["predict", model, other], r"no column 'LotArea'. Did you mean 'LotAreas'\?")
    table().astype({"LotArea": object}).replace({"LotArea": {np.nan: "big"}}).to_csv(other, index=False)
    fails(capsys, ["predict", model, other], r"'LotArea' must hold numbers. Received: 'big' in row 1 \(and 8 more\)")
    fails(capsys, ["predict", model, tmp_path / "none.csv"], "none.csv: there is no such file")
    fails(capsys, ["predict", tmp_path / "none.keras", path], "none.keras: there is no such file")
    fails(capsys, ["predict", path, path], "damaged or no `.keras` file")
    fails(capsys, ["predict", model, path, "--keep", "id"], r"no column 'id'. Did you mean 'Id'\?")
    fails(capsys, ["predict", model, path, "--output", tmp_path / "none" / "p.csv"], "The folder of .* does not exist")
    model.write_bytes(model.read_bytes()[:-100])
    fails(capsys, ["predict", model, path], "model.keras.* is damaged")


def test_nothing_of_the_extra_is_imported_for_the_help():
    code = (
        "import sys, fastgd.cli; fastgd.cli.main(['train', '--help']); "
        "print({'pandas', 'sklearn', 'h5py'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
    assert "--log-target" in done.stdout
