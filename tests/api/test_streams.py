"""Data in batches: generators, iterables and PyDatasets train as the same rows in memory do."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from worker_rows import WEIGHTS, Rows, X, Y


def make_model():
    fastgd.utils.set_random_seed(1)
    model = fastgd.Sequential([fastgd.layers.Dense(7, "tanh"), fastgd.layers.Dense(3, "softmax")])
    model.compile(fastgd.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def batches(size=8, weights=False):
    for k in range(0, len(X), size):
        part = slice(k, k + size)
        yield (X[part], Y[part], WEIGHTS[part]) if weights else (X[part], Y[part])


def assert_same_weights(a, b):
    for u, v in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(u, v)


@pytest.fixture
def expected():
    model = make_model()
    model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize(
    "source",
    [
        lambda: (batch for _ in range(2) for batch in batches()),
        lambda: list_of_batches(),
        lambda: Rows(),
        lambda: Rows(workers=3, max_queue_size=2),
    ],
    ids=["generator", "iterable", "dataset", "workers"],
)
def test_fit_equals_rows_in_memory(source, expected):
    model = make_model()
    history = model.fit(source(), epochs=2, steps_per_epoch=3, shuffle=False, verbose=0)
    assert_same_weights(model, expected)
    assert history.history == expected.history.history
    assert model.optimizer.iterations == 6


class list_of_batches:  # noqa: N801 - used like a function
    """Something that can be iterated over again and has no length."""

    def __iter__(self):
        return batches()


def test_worker_processes_give_the_same(expected):
    model = make_model()
    model.fit(Rows(workers=2, use_multiprocessing=True), epochs=2, shuffle=False, verbose=0)
    assert_same_weights(model, expected)


def test_an_epoch_of_an_iterable_is_one_pass():
    model = make_model()
    model.fit(list_of_batches(), epochs=3, verbose=0)
    assert model.optimizer.iterations == 9


def test_steps_go_on_across_passes():
    model = make_model()
    dataset = Rows()
    model.fit(dataset, epochs=2, steps_per_epoch=4, shuffle=False, verbose=0)
    assert dataset.asked == [0, 0, 1, 2, 0, 1, 2, 0, 1]  # the first was asked for to know the data


def test_shuffle_changes_the_order_of_batches_and_keeps_all():
    dataset = Rows(size=1)
    make_model().fit(dataset, epochs=2, verbose=0)
    orders = [dataset.asked[1:25], dataset.asked[25:]]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(24))
    assert orders[0] != orders[1] and orders[0] != list(range(24))
    assert dataset.begun == dataset.ended == 2


def test_sample_weights_of_batches():
    model, like = make_model(), make_model()
    model.fit(batches(weights=True), verbose=0)
    like.fit(X, Y, batch_size=8, shuffle=False, sample_weight=WEIGHTS, verbose=0)
    assert_same_weights(model, like)


def test_evaluate_and_predict():
    model = make_model()
    model.build((None, 5))
    assert model.evaluate(batches(), verbose=0) == model.evaluate(X, Y, batch_size=8, verbose=0)
    np.testing.assert_array_equal(model.predict(batches(), verbose=0), model.predict(X, batch_size=8, verbose=0))
    np.testing.assert_array_equal(
        model.predict(Rows(), steps=2, verbose=0), model.predict(X[:16], batch_size=8, verbose=0)
    )
    np.testing.assert_array_equal(model.predict(iter([X, X]), verbose=0)[24:], model.predict(X, verbose=0))


def test_metrics_of_several_sums_add_up_over_batches():
    hot = np.eye(3)[Y]
    parts = [slice(k, k + 7) for k in range(0, len(X), 7)]
    histories, values = [], []
    for streamed in (False, True):
        fastgd.utils.clear_session()
        fastgd.utils.set_random_seed(1)
        model = fastgd.Sequential([fastgd.layers.Dense(7, "tanh"), fastgd.layers.Dense(3, "softmax")])
        scores = [fastgd.metrics.F1Score(name="f1"), fastgd.metrics.AUC(name="auc")]
        model.compile("sgd", "categorical_crossentropy", metrics=scores, weighted_metrics=[fastgd.metrics.Recall()])
        if streamed:
            rows = [(X[part], hot[part], WEIGHTS[part]) for part in parts]
            histories.append(model.fit(iter(rows), shuffle=False, verbose=0).history)
            values.append(model.evaluate(iter(rows), verbose=0, return_dict=True))
        else:
            given = {"sample_weight": WEIGHTS, "batch_size": 7, "verbose": 0}
            histories.append(model.fit(X, hot, shuffle=False, **given).history)
            values.append(model.evaluate(X, hot, return_dict=True, **given))
    for first, second in (histories, values):
        assert first.keys() == second.keys()
        for name in first:
            np.testing.assert_allclose(first[name], second[name], rtol=1e-12, err_msg=name)
    assert histories[1]["f1"][0].shape == values[1]["f1"].shape == (3,)


def test_validation_by_a_dataset():
    model, like = make_model(), make_model()
    history = model.fit(Rows(), validation_data=Rows(), validation_steps=2, shuffle=False, verbose=0)
    other = like.fit(X, Y, batch_size=8, validation_data=(X[:16], Y[:16]), shuffle=False, verbose=0)
    assert history.history == other.history


def test_a_callback_of_batches_sees_every_batch():
    seen = []
    callback = fastgd.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append((batch, logs["loss"]))
    )
    model = make_model()
    model.fit(batches(), callbacks=[callback], verbose=0)
    assert [batch for batch, _ in seen] == [0, 1, 2] and len({loss for _, loss in seen}) == 3


def test_a_generator_that_ends_early_stops_training_with_a_warning():
    model = make_model()
    with pytest.warns(UserWarning, match="The data ended after 1 of the 2 batches of this epoch"):
        history = model.fit(batches(), epochs=5, steps_per_epoch=2, verbose=0)
    assert model.optimizer.iterations == 3 and history.epoch == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"y": Y}, "`y` must not be given where `x` gives batches"),
        ({"sample_weight": WEIGHTS}, "`sample_weight` must not be given"),
        ({"batch_size": 8}, "`batch_size` must not be given"),
        ({"validation_split": 0.5}, "`validation_split` needs arrays"),
    ],
)
def test_arguments_that_a_stream_excludes(arguments, text):
    with pytest.raises(ValueError, match=text):
        make_model().fit(batches(), **arguments, verbose=0)


def test_streams_of_nothing_and_of_wrong_tuples():
    with pytest.raises(ValueError, match="`x` must give at least one batch"):
        make_model().fit(iter([]), verbose=0)
    with pytest.raises(TypeError, match=r"`x` must give tuples \(x,\), \(x, y\)"):
        make_model().fit(iter([(X, Y, WEIGHTS, X)]), verbose=0)
    with pytest.raises(ValueError, match="Either all batches have sample weights or none"):
        make_model().fit(iter([(X, Y), (X, Y, WEIGHTS)]), verbose=0)


def test_an_error_in_a_worker_reaches_the_user():
    class Broken(Rows):
        def __getitem__(self, index):
            if index == 2:
                raise KeyError("no such file")
            return super().__getitem__(index)

    for workers in (1, 2):
        with pytest.raises(KeyError, match="no such file"):
            make_model().fit(Broken(workers=workers), shuffle=False, verbose=0)


@pytest.mark.parametrize("one_hot", [False, True])
def test_class_weight_equals_sample_weight(one_hot):
    weights = {0: 2.0, 2: 0.5}
    per_sample = np.array([weights.get(int(label), 1.0) for label in Y])
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    targets = fastgd.utils.to_categorical(Y, 3) if one_hot else Y[:, None]
    models = [make_model(), make_model(), make_model()]
    for model in models:
        model.compile("sgd", loss)
    models[0].fit(X, targets, class_weight=weights, shuffle=False, verbose=0)
    models[1].fit(X, targets, sample_weight=per_sample, shuffle=False, verbose=0)
    models[2].train_on_batch(X, targets, class_weight=weights)
    assert_same_weights(models[0], models[1])
    assert_same_weights(models[0], models[2])


def test_class_weight_with_batches():
    model, like = make_model(), make_model()
    model.fit(batches(), class_weight={1: 3.0}, verbose=0)
    like.fit(X, Y, batch_size=8, class_weight={1: 3.0}, shuffle=False, verbose=0)
    assert_same_weights(model, like)


@pytest.mark.parametrize(
    ("class_weight", "error", "text"),
    [
        ([1.0, 2.0], TypeError, "`class_weight` must be a dict"),
        ({"a": 1.0}, TypeError, "The keys of `class_weight` must be integers. Received: class_weight='a'"),
        ({0: "x"}, TypeError, r"`class_weight\[0\]` must be a number"),
    ],
)
def test_wrong_class_weights(class_weight, error, text):
    with pytest.raises(error, match=text):
        make_model().fit(X, Y, class_weight=class_weight, verbose=0)


def test_class_weight_and_sample_weight_exclude_each_other():
    with pytest.raises(ValueError, match="Give either `class_weight` or `sample_weight`"):
        make_model().fit(X, Y, class_weight={0: 1.0}, sample_weight=WEIGHTS, verbose=0)


def test_progress_of_data_without_a_length(capsys):
    make_model().fit(batches(), verbose=2)
    assert capsys.readouterr().out.startswith("3/3 - ")
