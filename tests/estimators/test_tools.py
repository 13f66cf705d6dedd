"""Pipelines, searches and workers: what scikit-learn and joblib do with estimators."""

from __future__ import annotations

import threading
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import fastgd
from fastgd.estimators import LogisticRegression, MLPClassifier, MLPRegressor
from fastgd.estimators.threads import limited_threads, threads_for
from worker_fits import seen

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_workers_have_one_thread(backend: str) -> None:
    before = fastgd.get_num_threads()
    assert seen() == (False, before)
    found = joblib.Parallel(2, backend=backend)(joblib.delayed(seen)() for _ in range(4))
    assert found == [(True, 1)] * 4
    assert joblib.Parallel(1)(joblib.delayed(seen)() for _ in range(2)) == [(False, before)] * 2
    assert fastgd.get_num_threads() == before


def test_limits_of_several_threads_end_where_they_began() -> None:
    before = fastgd.get_num_threads()
    both = threading.Barrier(2)

    def work(count: int) -> None:
        with limited_threads(count):
            both.wait()
            assert fastgd.get_num_threads() == 2
            both.wait()

    workers = [threading.Thread(target=work, args=(count,)) for count in (2, 5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert fastgd.get_num_threads() == before
    assert seen(3) == (False, 3)
    assert threads_for(-1) == joblib.cpu_count() and threads_for(-10000) == 1
    with pytest.raises(TypeError, match="`n_jobs`"):
        threads_for("all")


def test_a_parallel_search_finds_what_a_serial_one_does(digits: Any) -> None:
    X, y = digits
    grid = {"mlpclassifier__alpha": [1e-4, 10.0], "mlpclassifier__dropout": [0.0, 0.2]}
    found = []
    for n_jobs in (1, 2):
        pipeline = make_pipeline(StandardScaler(), MLPClassifier((16,), max_iter=10, random_state=0))
        search = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs, scoring="neg_log_loss").fit(X, y)
        found.append(search.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(found[0], found[1])


def test_columns_of_several_kinds_go_through_a_pipeline() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=200), "colour": rng.choice(["red", "green", "blue"], 200)})
    y = np.where((frame["size"] > 0) ^ (frame["colour"] == "red"), "yes", "no")
    columns = make_column_transformer((OneHotEncoder(), ["colour"]), (StandardScaler(), ["size"]), sparse_threshold=1.0)
    assert scipy.sparse.issparse(columns.fit_transform(frame))
    model = make_pipeline(columns, MLPClassifier((16,), max_iter=200, learning_rate_init=0.02, random_state=0))
    assert cross_val_score(model, frame, y, cv=3, scoring="roc_auc").mean() > 0.95


def test_estimators_nest_and_take_routed_weights(digits: Any, numbers: Any) -> None:
    X, y = digits
    bag = BaggingClassifier(LogisticRegression(max_iter=20), n_estimators=3, random_state=0).fit(X, y)
    assert bag.score(X, y) > 0.9
    X, y = numbers
    pipeline = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(4,), max_iter=2))
    pipeline.fit(X, y, mlpregressor__sample_weight=np.ones(120), mlpregressor__eval_set=(X, y))
    assert len(pipeline[-1].validation_loss_curve_) == 2


def test_callbacks_of_sklearn_see_every_epoch(digits: Any) -> None:
    callback = pytest.importorskip("sklearn.callback")
    X, y = digits
    frame = pd.DataFrame(X, columns=[f"pixel {k}" for k in range(64)])

    class Stop:
        ended = 0

        def setup(self, estimator: Any, context: Any) -> None:
            self.tasks = context.max_subtasks

        def teardown(self, estimator: Any, context: Any) -> None:
            self.torn = True

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            pass

        def on_fit_task_end(
            self, estimator: Any, context: Any, *, fitted_estimator: Any = None, X: Any, y: Any
        ) -> bool:
            self.ended += 1
            return context.task_name == "epoch" and fitted_estimator.score(X, y) > 0.8

    for model in (
        MLPClassifier((16,), max_iter=50, learning_rate_init=0.01, random_state=0),
        MLPClassifier((16,), solver="lbfgs", max_iter=50, random_state=0),
    ):
        stop, monitor = Stop(), callback.ScoringMonitor(scoring="accuracy")
        model.set_callbacks(stop, monitor).fit(frame, y)
        assert stop.tasks == 50 and stop.torn
        assert model.n_iter_ == stop.ended - 1 < 50
        assert model.score(frame, y) > 0.8
        logs = [log for log in monitor.get_logs().data if log["task_name"] == "epoch"]
        assert [log["accuracy"] > 0.8 for log in logs] == [False] * (model.n_iter_ - 1) + [True]
        assert "_callback_fit_ctx" not in model.__dict__
