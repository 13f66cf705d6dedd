"""NeuralClassifier and NeuralRegressor around models and functions."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import fastgd
from fastgd import layers
from fastgd.estimators import NeuralClassifier, NeuralRegressor
from fastgd.utils.seeds import draw_seed

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(n_features_in: int, n_outputs: int, units: int = 16) -> fastgd.Model:
    x = fastgd.Input((n_features_in,))
    hidden = layers.Dense(units, "relu")(x)
    model = fastgd.Model(x, layers.Dense(n_outputs)(layers.Concatenate()([x, hidden])))
    model.compile("adamw", fastgd.losses.Huber(0.5))
    return model


def test_images_train_a_convolutional_model(digits: Any) -> None:
    X, y = digits[0].reshape(-1, 8, 8, 1), digits[1]
    model = fastgd.Sequential(
        [layers.Conv2D(6, 3, activation="relu"), layers.Flatten(), layers.Dropout(0.2), layers.Dense(10, "softmax")]
    )
    model.build((None, 8, 8, 1))
    before = model.get_weights()
    estimator = NeuralClassifier(model, max_iter=40, learning_rate_init=0.01, random_state=0).fit(X, y)
    assert estimator.score(X, y) > 0.9 and estimator.n_features_in_ == 8
    # The model is an argument: fits leave it alone, and begin where it is.
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    again = clone(estimator).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), estimator.predict_proba(X))
    loaded = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))
    loaded.partial_fit(X, y)
    np.testing.assert_array_equal(loaded.predict_proba(X), estimator.partial_fit(X, y).predict_proba(X))
    copied = clone(loaded)
    assert copied.fit(X, y).n_iter_ == 40


def test_compiled_models_bring_loss_and_optimizer(numbers: Any) -> None:
    X, y = numbers
    estimator = NeuralRegressor(make, max_iter=60, random_state=1, batch_size=16, n_iter_no_change=np.inf).fit(X, y)
    assert isinstance(estimator._optimizer, fastgd.optimizers.AdamW)
    assert isinstance(estimator.model_.loss, fastgd.losses.Huber)
    assert estimator.score(X, y) > 0.8 and estimator.n_iter_ == 60
    same = pickle.loads(pickle.dumps(clone(estimator))).fit(X, y)
    np.testing.assert_array_equal(same.predict(X), estimator.predict(X))
    other = clone(estimator).set_params(loss="mae", solver="sgd").fit(X, y)
    assert isinstance(other.model_.loss, fastgd.losses.MeanAbsoluteError)
    assert isinstance(other._optimizer, fastgd.optimizers.SGD)
    given = make(6, 1)
    estimator = pickle.loads(pickle.dumps(NeuralRegressor(given, max_iter=3))).fit(X, y)
    assert isinstance(estimator._optimizer, fastgd.optimizers.AdamW)


def test_a_search_varies_what_a_function_is_given(numbers: Any) -> None:
    X, y = numbers
    sizes = [{"units": 2}, {"units": 32}]
    search = GridSearchCV(NeuralRegressor(make, max_iter=40, random_state=0), {"model_params": sizes}, cv=2)
    search.fit(X, y)
    assert search.best_estimator_.model_.layers[1].units in (2, 32)
    # A fit leaves the generator of everything else where it was.
    fastgd.utils.set_random_seed(3)
    first = draw_seed(), draw_seed()
    fastgd.utils.set_random_seed(3)
    NeuralRegressor(make, max_iter=1, random_state=0).fit(X, y)
    assert (draw_seed(), draw_seed()) == first


@pytest.mark.parametrize("last", ["sigmoid", "softmax", "logits", "hinge", "labels"])
def test_outputs_become_probabilities(last: str, digits: Any) -> None:
    X, y = digits[0], digits[1] > 4
    units = {"softmax": 2, "labels": 2}.get(last, 1)
    activation = {"sigmoid": "sigmoid", "softmax": "softmax", "labels": "sigmoid"}.get(last)
    loss = {"logits": fastgd.losses.BinaryCrossentropy(from_logits=True), "hinge": "hinge"}.get(last)
    targets = np.c_[y, ~y].astype(int) if last == "labels" else y
    model = fastgd.Sequential([layers.Dense(16, "relu"), layers.Dense(units, activation)])
    estimator = NeuralClassifier(model, loss=loss, max_iter=40, learning_rate_init=0.01).fit(X, targets)
    assert estimator.score(X, targets) > 0.85
    assert hasattr(estimator, "predict_proba") == (last != "hinge")
    if last != "hinge":
        shares = estimator.predict_proba(X)
        assert shares.shape == (400, 2) and shares.min() >= 0 and shares.max() <= 1


def test_subclassed_models_come_from_functions(numbers: Any) -> None:
    class Residual(fastgd.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.head = layers.Dense(6, "tanh"), layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.head(layers.add([x, self.inner(x)]))

    X, y = numbers
    estimator = NeuralRegressor(lambda: Residual(), solver="lbfgs", max_iter=30).fit(X, y)
    assert estimator.score(X, y) > 0.9
    with pytest.raises(ValueError, match="a function that returns any model"):
        NeuralRegressor(Residual()).fit(X, y)
    with pytest.raises(ValueError, match="a function that returns any model"):
        pickle.dumps(estimator.set_params(model=make))


def test_wrong_models_are_named(numbers: Any) -> None:
    X, y = numbers
    with pytest.raises(TypeError, match="`model` must be a model"):
        NeuralRegressor("mlp").fit(X, y)
    with pytest.raises(TypeError, match="`model` must return a model"):
        NeuralRegressor(lambda: None).fit(X, y)
    with pytest.raises(ValueError, match="`model` must have 1 outputs"):
        NeuralRegressor(fastgd.Sequential([layers.Dense(3)])).fit(X, y)
    with pytest.raises(ValueError, match="`model` must have 3 outputs for 3 classes"):
        NeuralClassifier(fastgd.Sequential([layers.Dense(2)])).fit(X, np.arange(120) % 3)
