"""What MLPClassifier and MLPRegressor can besides scikit-learn's."""

from __future__ import annotations

import io
import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, recall_score

import fastgd
from fastgd.callbacks import Callback, EarlyStopping
from fastgd.estimators import MLPClassifier, MLPRegressor, rows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def forward(estimator: Any, X: Any, functions: list[Any]) -> Any:
    for coef, intercept, function in zip(estimator.coefs_, estimator.intercepts_, functions, strict=True):
        X = function(X @ coef + intercept)
    return X


def test_each_layer_has_its_activation(numbers: Any) -> None:
    X, y = numbers
    model = MLPRegressor(
        hidden_layer_sizes=(5, 4, 3), activation=["tanh", fastgd.activations.softsign, "identity"], max_iter=3
    ).fit(X, y)
    functions = [np.tanh, lambda z: z / (1 + np.abs(z)), lambda z: z, lambda z: z]
    np.testing.assert_allclose(model.predict(X), forward(model, X, functions)[:, 0])
    assert model.n_layers_ == 5


def test_dropout_and_normalisation_train_and_survive_pickling(digits: Any) -> None:
    X, y = digits
    settings: dict[str, Any] = {"hidden_layer_sizes": (32, 16), "max_iter": 30, "learning_rate_init": 0.01}
    plain = MLPClassifier(random_state=0, **settings).fit(X, y)
    both = {"dropout": 0.2, "batch_normalization": True}
    for extra in ({"dropout": (0.3, 0.0)}, {"batch_normalization": True}, both):
        model = MLPClassifier(random_state=0, **extra, **settings).fit(X, y)
        assert model.score(X, y) > 0.9
        assert not np.allclose(model.coefs_[0], plain.coefs_[0])
        again = MLPClassifier(random_state=0, **extra, **settings).fit(X, y)
        np.testing.assert_array_equal(model.coefs_[0], again.coefs_[0])
        loaded = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
        # The masks, the moving averages and the state of the optimizer go on where they were.
        for each in (model, loaded):
            each.partial_fit(X, y).partial_fit(X[:99], y[:99])
        np.testing.assert_array_equal(loaded.coefs_[0], model.coefs_[0])
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("loss", ["mae", "huber", fastgd.losses.LogCosh(), "poisson", fastgd.losses.mean_squared_error])
def test_regressors_take_any_loss(loss: Any, numbers: Any) -> None:
    X, y = numbers
    y = np.exp(y / 3) if loss == "poisson" else y
    model = MLPRegressor(loss, (16,), max_iter=100, learning_rate_init=0.02, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.8
    assert model.out_activation_ == ("exp" if loss == "poisson" else "identity")


@pytest.mark.parametrize(
    "loss",
    ["categorical_focal_crossentropy", "sparse_categorical_crossentropy", "mse", "categorical_hinge", "squared_hinge",
     fastgd.losses.CategoricalCrossentropy(from_logits=True), fastgd.losses.BinaryFocalCrossentropy()],
)  # fmt: skip
def test_classifiers_take_any_loss(loss: Any, digits: Any) -> None:
    X, y = digits[0][:200], digits[1][:200]
    for targets in (y, y > 4):
        model = MLPClassifier((32,), loss=loss, max_iter=60, learning_rate_init=0.01, random_state=0).fit(X, targets)
        assert model.score(X, targets) > 0.8
        if hasattr(model, "predict_proba"):
            shares = model.predict_proba(X)
            assert shares.shape == (200, len(model.classes_)) and shares.min() >= 0
            assert (model.classes_[shares.argmax(axis=1)] == model.predict(X)).all()
        else:
            assert "hinge" in loss
    with pytest.raises(ValueError, match="exclusive classes"):
        MLPClassifier(loss="categorical_hinge").fit(X, np.eye(10)[y])


@pytest.mark.parametrize("solver", ["adamw", "rmsprop", fastgd.optimizers.Nadam(0.01, clipnorm=1.0)])
def test_any_optimizer_solves(solver: Any, numbers: Any) -> None:
    X, y = numbers
    model = MLPRegressor(hidden_layer_sizes=(8,), solver=solver, learning_rate_init=0.01, max_iter=200).fit(X, y)
    assert model.score(X, y) > 0.7
    assert model._optimizer is not solver
    copied = clone(model)
    assert copied.get_params()["solver"] == solver or type(copied.solver) is type(solver)


def test_class_weight_favours_the_rare(digits: Any) -> None:
    X, y = digits[0], digits[1] == 8
    settings: dict[str, Any] = {"hidden_layer_sizes": (4,), "max_iter": 15, "random_state": 0}
    plain = MLPClassifier(**settings).fit(X, y)
    balanced = MLPClassifier(class_weight="balanced", **settings).fit(X, y)
    assert recall_score(y, balanced.predict(X)) > recall_score(y, plain.predict(X))
    # Without a penalty only the ratio of the weights counts.
    by_hand = MLPClassifier(alpha=0, **settings).fit(X, y, np.where(y, (~y).sum() / y.sum(), 1.0))
    np.testing.assert_allclose(balanced.set_params(alpha=0).fit(X, y).coefs_[0], by_hand.coefs_[0], atol=1e-8)
    dictionary = MLPClassifier(class_weight={True: 7.0}, alpha=0, **settings).fit(X, y)
    weighted = MLPClassifier(alpha=0, **settings).fit(X, y, np.where(y, 7.0, 1.0))
    np.testing.assert_allclose(dictionary.coefs_[0], weighted.coefs_[0])


def test_eval_set_gives_a_curve_of_the_validation_loss(digits: Any, numbers: Any) -> None:
    X, y = digits
    model = MLPClassifier((16,), max_iter=5, random_state=0).fit(X[:300], y[:300], eval_set=(X[300:], y[300:]))
    assert len(model.validation_loss_curve_) == len(model.loss_curve_) == 5
    assert model.validation_loss_curve_[-1] == pytest.approx(log_loss(y[300:], model.predict_proba(X[300:])))
    assert model.validation_scores_ is None
    X, y = numbers
    weights = np.linspace(0.5, 2, 40)
    fitted = MLPRegressor(hidden_layer_sizes=(4,), max_iter=3).fit(X[:80], y[:80], None, (X[80:], y[80:], weights))
    errors = (fitted.predict(X[80:]) - y[80:]) ** 2
    assert fitted.validation_loss_curve_[-1] == pytest.approx(0.5 * np.average(errors, weights=weights))
    assert MLPRegressor(max_iter=1).fit(X, y).validation_loss_curve_ is None


@pytest.mark.parametrize("scoring", ["loss", "roc_auc", lambda est, X, y: est.score(X, y), None])
def test_early_stopping_goes_by_any_score(scoring: Any, digits: Any) -> None:
    X, y = digits[0], digits[1] > 4
    frame = pd.DataFrame(X, columns=[f"pixel {k}" for k in range(64)])
    settings: dict[str, Any] = {"max_iter": 200, "n_iter_no_change": 3, "learning_rate_init": 0.03, "tol": 1e-3}
    model = MLPClassifier((8,), early_stopping=True, scoring=scoring, random_state=0, **settings).fit(frame, y)
    assert model.n_iter_ < 200 and len(model.validation_scores_) == model.n_iter_
    assert model.best_validation_score_ == max(model.validation_scores_)
    if scoring == "loss":
        np.testing.assert_allclose(model.validation_scores_, np.negative(model.validation_loss_curve_))
    held = MLPClassifier((8,), early_stopping=True, scoring=scoring, random_state=0, **settings)
    held.fit(frame[:300], y[:300], eval_set=(frame[300:], y[300:]))
    if scoring != "loss" and scoring != "roc_auc":
        # The weights of the best epoch are those that remain.
        assert held.score(frame[300:], y[300:]) == pytest.approx(held.best_validation_score_)


def test_partial_fit_takes_several_labels_in_any_form() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(90, 4))
    Y = (X[:, :3] > 0).astype(int)
    model = MLPClassifier((16,), learning_rate_init=0.02, random_state=0)
    for _ in range(60):
        model.partial_fit(X[:50], Y[:50]).partial_fit(X[50:], scipy.sparse.csr_matrix(Y[50:]))
    assert model.score(X, Y) > 0.9
    assert model.predict_proba(X).shape == (90, 3) and model.out_activation_ == "logistic"
    with pytest.raises(ValueError, match="3 columns"):
        model.partial_fit(X, Y[:, :2])


def test_warm_start_keeps_the_state_of_the_optimizer(numbers: Any) -> None:
    X, y = numbers
    settings: dict[str, Any] = {"hidden_layer_sizes": (8,), "shuffle": False, "random_state": 0, "batch_size": 32}
    whole = MLPRegressor(max_iter=6, **settings).fit(X, y)
    halves = MLPRegressor(max_iter=3, warm_start=True, **settings).fit(X, y)
    halves = pickle.loads(pickle.dumps(halves)).fit(X, y)
    np.testing.assert_array_equal(halves.coefs_[0], whole.coefs_[0])
    assert halves.loss_curve_ == whole.loss_curve_ and halves.n_iter_ == 3
    # Another solver starts with a state of its own, and another rate is taken up.
    halves.set_params(solver="sgd", learning_rate_init=1e-5).fit(X, y)
    assert halves._optimizer.learning_rate == 1e-5
    # What a user does to the weights counts.
    halves.coefs_[-1][...] = 0
    halves.intercepts_[-1][...] = 7
    np.testing.assert_allclose(halves.predict(X), 7)


def test_callbacks_see_epochs_and_stop_the_fit(digits: Any) -> None:
    class Watch(Callback):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[dict[str, float]] = []

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seen.append(dict(logs))
            self.model.stop_training = epoch == 2

    X, y = digits
    watch = Watch()
    model = MLPClassifier((8,), early_stopping=True, callbacks=[watch], random_state=0).fit(X, y)
    assert model.n_iter_ == 3
    assert [logs["loss"] for logs in watch.seen] == model.loss_curve_
    assert [logs["val_loss"] for logs in watch.seen] == model.validation_loss_curve_
    assert [logs["val_score"] for logs in watch.seen] == model.validation_scores_
    assert watch.model is None
    watch = Watch()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        assert MLPClassifier((8,), solver="lbfgs", callbacks=[watch]).fit(X, y).n_iter_ <= 3
    assert len(watch.seen) == 3
    stopper = EarlyStopping("loss", patience=0, min_delta=10.0)
    assert MLPClassifier((8,), callbacks=[stopper]).fit(X, y).n_iter_ == 2


def test_progress_is_drawn_and_verbose_prints(numbers: Any, capsys: Any) -> None:
    X, y = numbers
    MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, progress=True).fit(X, y)
    assert "3/3" in capsys.readouterr().out
    MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, verbose=True, early_stopping=True).fit(X, y)
    out = capsys.readouterr().out
    assert "Iteration 3, loss = " in out and "Validation score: " in out


def test_an_interrupt_keeps_the_model(numbers: Any) -> None:
    class Interrupt(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise KeyboardInterrupt

    X, y = numbers
    for solver in ("adam", "lbfgs"):
        with pytest.warns(UserWarning, match="interrupted by user"):
            model = MLPRegressor(hidden_layer_sizes=(4,), solver=solver, callbacks=[Interrupt()]).fit(X, y)
        assert np.isfinite(model.predict(X)).all() and len(model.loss_curve_) == 2


@pytest.mark.parametrize("form", [scipy.sparse.csr_matrix, scipy.sparse.csc_matrix, scipy.sparse.csr_array])
def test_sparse_rows_are_taken_in_parts(form: Any, numbers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = numbers
    X = np.where(X > 0.3, X, 0)
    settings: dict[str, Any] = {"hidden_layer_sizes": (8,), "batch_size": 16, "max_iter": 4, "random_state": 0}
    for extra in ({"shuffle": False}, {"solver": "lbfgs"}, {"shuffle": False, "early_stopping": True}):
        dense = MLPRegressor(**settings, **extra).fit(X, y)
        whole = MLPRegressor(**settings, **extra).fit(form(X), y)
        np.testing.assert_array_equal(whole.coefs_[0], dense.coefs_[0])
        # 32 rows are all that may be dense at once.
        monkeypatch.setattr(rows, "DENSE_BYTES", 32 * 6 * 8)
        parts = MLPRegressor(**settings, **extra).fit(form(X), y)
        np.testing.assert_allclose(parts.coefs_[0], dense.coefs_[0], atol=1e-7 if "solver" in extra else 1e-13)
        np.testing.assert_allclose(parts.loss_curve_, dense.loss_curve_)
        np.testing.assert_allclose(parts.predict(form(X)), parts.predict(X))
        monkeypatch.undo()
    monkeypatch.setattr(rows, "DENSE_BYTES", 32 * 6 * 8)
    shuffled = MLPRegressor(**{**settings, "max_iter": 200, "learning_rate_init": 0.01}).fit(form(X), y)
    assert shuffled.score(form(X), y) > 0.5


def test_frames_keep_the_names_of_their_columns(numbers: Any) -> None:
    X, y = numbers
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, early_stopping=True).fit(frame, pd.Series(y))
    assert list(model.feature_names_in_) == list("abcdef")
    model.predict(frame)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[list("fedcba")])


def test_single_precision_is_kept_and_files_are_portable(digits: Any) -> None:
    import joblib

    X, y = digits[0].astype(np.float32), np.array([f"digit {k}" for k in digits[1]], dtype=object)
    model = MLPClassifier((8,), max_iter=3, random_state=0).fit(X, y)
    assert model.coefs_[0].dtype == np.float32 and model.predict_proba(X).dtype == np.float32
    stream = io.BytesIO()
    joblib.dump(model, stream)
    stream.seek(0)
    loaded = joblib.load(stream)
    assert (loaded.predict(X) == model.predict(X)).all() and loaded.predict(X).dtype == object
    assert "_network" not in model.__getstate__()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"solver": "adamm"}, "`solver`.*Did you mean 'adam'"),
        ({"hidden_layer_sizes": (3, 0)}, "`hidden_layer_sizes`"),
        ({"activation": ["relu", "tanh"]}, "`activation` must have one entry per hidden layer, 1"),
        ({"activation": "rellu"}, "rellu"),
        ({"dropout": 1.0}, "`dropout` must be below 1"),
        ({"alpha": -1.0}, "`alpha`"),
        ({"loss": "no such loss"}, "`loss`"),
        ({"learning_rate": "optimal"}, "`learning_rate`"),
        ({"validation_fraction": 1.0}, "`validation_fraction`"),
        ({"scoring": "no such scorer", "early_stopping": True}, "no such scorer"),
        ({"n_jobs": 0}, "`n_jobs` must not be 0"),
        ({"max_iter": 0}, "`max_iter`"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], words: str, numbers: Any) -> None:
    X, y = numbers
    with pytest.raises(ValueError, match=words):
        MLPRegressor(**arguments).fit(X, y)


def test_wrong_data_are_named(numbers: Any) -> None:
    X, y = numbers
    with pytest.raises(ValueError, match="`sample_weight` must not be negative"):
        MLPRegressor().fit(X, y, -np.ones(120))
    with pytest.raises(ValueError, match=r"`eval_set` must be \(X, y\)"):
        MLPRegressor().fit(X, y, eval_set=X)
    with pytest.raises(ValueError, match="must not be negative for the loss 'poisson'"):
        MLPRegressor("poisson").fit(X, y)
    with pytest.raises(ValueError, match="1 columns"):
        MLPRegressor(max_iter=1).partial_fit(X, y).partial_fit(X, np.c_[y, y])
