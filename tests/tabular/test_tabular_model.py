"""TabularModel: it learns, the same for the same seed, its file holds all of it, and a spoilt file is refused."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("h5py")

import fastgd  # noqa: E402
from fastgd.tabular import NetworkSettings, TabularModel  # noqa: E402
from fastgd.tabular.baselines import fit_baseline  # noqa: E402
from fastgd.tabular.network import balanced_weights, build, held_rows, spread_classes  # noqa: E402
from fastgd.tabular.scores import score  # noqa: E402
from fastgd.tabular.targets import ClassTarget  # noqa: E402

QUICK = NetworkSettings(hidden=(8,), networks=2, epochs=30, batch_size=16, learning_rate=0.02)


def table(rows=160, seed=0):
    """Return a table whose price and grade follow from its other columns."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"size": random.normal(100, 20, rows).round(2), "city": random.choice(["Bonn", "Ulm"], rows)})
    frame["price"] = np.exp(frame["size"] / 40 + (frame["city"] == "Ulm") + random.normal(0, 0.02, rows)).round(3)
    frame["grade"] = pd.cut(frame["price"], [0, 12, 25, 1e9], labels=["low", "mid", "top"]).astype(str)
    frame.loc[:: rows // 8, "city"] = ""
    return frame


def test_regression_and_its_file(tmp_path):
    frame = table().drop(columns="grade")
    model = TabularModel(QUICK, log_target=True).fit(frame, "price")
    scores = model.score(table(60, seed=1))
    assert list(scores) == ["RMSE of log", "RMSE", "MAE", "R2"]
    assert scores["R2"] > 0.8
    assert [run.best_epoch <= run.epochs <= 30 for run in model.runs] == [True] * 2
    path = tmp_path / "model.keras"
    model.save(path)
    again = TabularModel.load(path)
    np.testing.assert_array_equal(again.predict(frame), model.predict(frame))
    assert again.score(frame) == model.score(frame)
    # The file is one of a plain model, too.
    network = fastgd.saving.load_model(path)
    x = model.preprocessor.transform(frame)
    np.testing.assert_allclose(model.target.decode(network.predict(x, verbose=0)), model.predict(frame), rtol=1e-6)
    with pytest.raises(ValueError, match="Probabilities are for targets with classes"):
        again.predict_proba(frame)


def test_classes_seed_and_average(tmp_path):
    frame = table().drop(columns="price")
    first, same, other = (TabularModel(QUICK, seed=seed).fit(frame, "grade") for seed in (0, 0, 1))
    p = first.predict_proba(frame)
    np.testing.assert_array_equal(p, same.predict_proba(frame))
    assert (p != other.predict_proba(frame)).any()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert (np.array(first.target.classes)[p.argmax(axis=1)] == first.predict(frame)).all()
    scores = first.score(frame)
    assert list(scores) == ["accuracy", "balanced accuracy", "ROC AUC", "log loss"]
    assert scores["accuracy"] == np.mean(first.predict(frame) == frame["grade"]) > 0.8
    first.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(TabularModel.load(tmp_path / "model.keras").predict_proba(frame), p)
    with pytest.raises(ValueError, match=r"model.pkl"):
        first.save(tmp_path / "model.pkl")


def test_the_average_is_that_of_its_networks():
    average, members = build(3, 2, NetworkSettings(hidden=(4,), networks=3))
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    each = [member.predict(x, verbose=0) for member in members]
    assert np.abs(each[0] - each[1]).max() > 1e-3
    np.testing.assert_allclose(average.predict(x, verbose=0), np.mean(each, axis=0), atol=1e-6)


def test_weights_and_places_of_the_networks():
    y = np.repeat([0, 1, 2], [70, 20, 10])
    weights = balanced_weights(y)
    np.testing.assert_allclose(np.bincount(y, weights), 100 / 3)
    order = spread_classes(y, seed=3)
    assert sorted(order) == list(range(100))
    settings = NetworkSettings(networks=4, validation=0.1)
    held = np.array([held_rows(order, number, settings) for number in range(4)])
    assert held.sum(axis=1).tolist() == [10] * 4 and held.sum(axis=0).max() == 1
    assert all(abs(np.bincount(y[rows], minlength=3) - [7, 2, 1]).max() <= 1 for rows in held)
    # The last stretch goes on at the beginning.
    wide = NetworkSettings(networks=2, validation=0.7)
    assert [held_rows(order, number, wide).sum() for number in range(2)] == [70, 70]


def test_scores_of_two_classes_are_those_of_the_second():
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    y = random.integers(2, size=50)
    p = np.clip(0.4 * y + 0.6 * random.random(50), 0, 1)
    scores = score(ClassTarget("y", ["a", "b"]), pd.Series(np.where(y, "b", "a")), np.stack([1 - p, p], axis=1))
    expected = {
        "accuracy": metrics.accuracy_score(y, p > 0.5),
        "balanced accuracy": metrics.balanced_accuracy_score(y, p > 0.5),
        "ROC AUC": metrics.roc_auc_score(y, p),
        "average precision": metrics.average_precision_score(y, p),
        "log loss": metrics.log_loss(y, p),
    }
    assert scores == pytest.approx(expected)


def test_class_weights_find_more_of_a_rare_class():
    random = np.random.default_rng(0)
    x = random.normal(size=500)
    frame = pd.DataFrame({"x": x, "y": np.where(x + random.normal(size=500) > 2.4, "rare", "usual")})
    found = []
    for weight in (None, "balanced"):
        settings = NetworkSettings(hidden=(), networks=1, epochs=40, learning_rate=0.05)
        model = TabularModel(settings, class_weight=weight).fit(frame, "y")
        found.append((model.predict(frame) == "rare").sum())
    assert 0 < (frame["y"] == "rare").sum() < 40
    assert found[1] > 2 * found[0]


def test_without_validation_and_with_one_network():
    model = TabularModel(NetworkSettings(hidden=(4,), networks=1, epochs=3, validation=0.0), drop=["grade"])
    model.fit(table(), "price")
    assert [(run.epochs, run.best_epoch) for run in model.runs] == [(3, 3)]


def test_the_example_of_the_docs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("sklearn")
    text = (Path(__file__).parents[2] / "docs" / "command_line.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "docs/command_line.md", "exec"), {})
    assert "'R2': 0.9" in capsys.readouterr().out


def test_split_keeps_the_share_of_each_class():
    frame = pd.DataFrame({"x": np.arange(100.0), "y": ["a"] * 80 + ["b"] * 20})
    train, test = TabularModel().split(frame, "y", 0.25)
    assert (len(train), len(test)) == (75, 25)
    assert test["y"].value_counts().to_dict() == {"a": 20, "b": 5}
    assert sorted([*train["x"], *test["x"]]) == sorted(frame["x"])
    assert TabularModel().split(frame, "y", 0.0)[1] is None
    with pytest.raises(ValueError, match="fewer than 2 for the test"):
        TabularModel().split(frame, "x", 0.001)
    with pytest.raises(ValueError, match=r"class 'c' of the target 'y' has only 1 row"):
        TabularModel().split(frame.replace({"y": {"b": "b"}}).assign(y=["a"] * 80 + ["b"] * 19 + ["c"]), "y", 0.2)
    with pytest.raises(ValueError, match=r"Of the 2 rows of the class 'b' none is in the part for the test"):
        TabularModel().split(frame.assign(y=["a"] * 98 + ["b"] * 2), "y", 0.03)


def test_errors():
    frame = table()
    model = TabularModel(QUICK)
    for act in (lambda: model.predict(frame), lambda: model.save("m.keras"), lambda: model.score(frame)):
        with pytest.raises(ValueError, match="not fitted yet"):
            act()
    with pytest.raises(ValueError, match=r"no column 'prise'. Did you mean 'price'\?"):
        model.fit(frame, "prise")
    with pytest.raises(ValueError, match="'price' cannot be dropped"):
        TabularModel(drop=["price"]).fit(frame, "price")
    with pytest.raises(ValueError, match="Weights of classes are for targets with classes"):
        TabularModel(class_weight="balanced").fit(frame, "price")
    with pytest.raises(ValueError, match="`task` must be one of"):
        TabularModel(task="cluster")
    with pytest.raises(ValueError, match="`class_weight`"):
        TabularModel(class_weight="heavy")
    wild = NetworkSettings(hidden=(), networks=1, epochs=9, optimizer="sgd", learning_rate=1e30)
    with pytest.raises(ValueError, match="diverged: the loss became"):
        TabularModel(wild).fit(frame, "price")
    with pytest.raises(ValueError, match="a share of 0.999 leaves none to learn from"):
        TabularModel(NetworkSettings(validation=0.999)).fit(frame, "price")


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden": (8, 0)},
        {"activation": "rellu"},
        {"dropout": 1.0},
        {"optimizer": "adamm"},
        {"epochs": 0},
        {"batch_size": 0},
        {"validation": -0.1},
        {"networks": 0},
        {"dtype": "float16"},
    ],
    ids=str,
)
def test_wrong_settings(wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}`|{next(iter(wrong.values()))}"):
        NetworkSettings(**wrong)


def test_scores_by_hand():
    frame = table(40)
    model = TabularModel(QUICK)
    _, y = model.prepare(frame.drop(columns="grade"), "price")
    target, true = model.target, frame["price"].to_numpy()
    shifted = score(target, frame["price"], target.encode(frame["price"]) + 1 / target.deviation)
    np.testing.assert_allclose([shifted["RMSE"], shifted["MAE"]], 1, rtol=1e-6)
    np.testing.assert_allclose(shifted["R2"], 1 - 1 / true.var(), rtol=1e-6)
    assert y.dtype == np.float32


@pytest.mark.parametrize("name", ["constant", "linear", "mlp"])
@pytest.mark.parametrize("column", ["price", "grade"])
def test_baselines(name, column):
    pytest.importorskip("sklearn")
    frame, test = table(), table(40, seed=1)
    other = "grade" if column == "price" else "price"
    model = TabularModel(QUICK, drop=[other])
    (x, y), (x_test, _) = model.prepare(frame, column), model.encode(test)
    label, outputs = fit_baseline(name, x, y, x_test, QUICK, balanced=False, seed=0)
    scores = score(model.target, test[column], outputs)
    assert label
    if name == "constant":
        best = y.mean() if column == "price" else np.bincount(y).max() / len(y)
        np.testing.assert_allclose(outputs[0].max(), best, rtol=1e-6)
    else:
        assert scores.get("accuracy", scores.get("R2")) > 0.6


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    TabularModel(NetworkSettings(hidden=(2,), networks=1, epochs=1), drop=["grade"]).fit(table(), "price").save(path)
    return path


def test_spoilt_files(saved, tmp_path):
    content = saved.read_bytes()
    path = tmp_path / "spoilt.keras"
    random = np.random.default_rng(0)
    messages = []
    for _ in range(60):
        spoilt = bytearray(content)
        place = int(random.integers(len(spoilt)))
        spoilt[place] ^= 1 << int(random.integers(8))
        path.write_bytes(spoilt if random.random() < 0.7 else spoilt[:place])
        try:
            model = TabularModel.load(path)
        except ValueError as error:
            messages.append(str(error))
        else:
            # What is not covered by a checksum means nothing: the predictions are the same.
            assert (model.predict(table()) == TabularModel.load(saved).predict(table())).all()
    assert len(messages) > 30
    assert all("spoilt.keras" in message for message in messages)


def test_other_files(saved, tmp_path):
    path = tmp_path / "other.keras"
    fastgd.Sequential([fastgd.Input(shape=(3,)), fastgd.layers.Dense(1)]).save(path)
    with pytest.raises(ValueError, match=r"other.keras holds a model, but not the preprocessing of a table"):
        TabularModel.load(path)
    with pytest.raises(ValueError, match="is a folder"):
        TabularModel.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        TabularModel.load(tmp_path / "none.keras")


def test_a_table_of_another_network(saved, tmp_path):
    buffer = io.BytesIO(saved.read_bytes())
    with zipfile.ZipFile(buffer) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "assets/fastgd/table.json"
    table_of = json.loads(members[name])
    table_of["preprocessing"]["columns"] = table_of["preprocessing"]["columns"][:1]
    members[name] = json.dumps(table_of).encode()
    members["metadata.json"] = b"{}"
    path = tmp_path / "spoilt.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    with pytest.raises(
        ValueError, match=r"spoilt.keras is damaged: its table has 1 features and 1 outputs, its network"
    ):
        TabularModel.load(path)
