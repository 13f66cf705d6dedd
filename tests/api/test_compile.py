"""compile: losses, metrics and their names, and how losses are fused with the activation before them."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd.layers import Activation, Add, Dense
from fastgd.losses import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy


def compiled(output, loss, metrics=None, **kwargs):
    """Return a model x (4) -> 5 -> output, compiled."""
    x = fastgd.Input((4,))
    model = fastgd.Model(x, output(Dense(5, "relu")(x)))
    model.compile("sgd", loss, metrics=metrics, **kwargs)
    return model


def ops_of(model):
    return [step.op for step in model.make_plan().steps]


@pytest.mark.parametrize(
    ("activation", "units", "loss", "op"),
    [
        ("softmax", 3, "categorical_crossentropy", "softmax_crossentropy"),
        ("softmax", 3, "sparse_categorical_crossentropy", "sparse_softmax_crossentropy"),
        ("sigmoid", 1, "binary_crossentropy", "sigmoid_crossentropy"),
    ],
)
def test_loss_is_taken_from_the_logits(activation, units, loss, op):
    plan = compiled(Dense(units, activation, name="out"), loss, ["accuracy"]).make_plan()
    *_, dense, last, metric = plan.steps
    assert (dense.op, dense.attrs["activation"]) == ("dense", "linear")
    assert last.op == op
    assert last.inputs[0] == dense.outputs[0]
    assert metric.inputs[0] == last.outputs[1]
    separate = ops_of(compiled(lambda h: Activation(activation)(Dense(units)(h)), loss))
    assert separate == ["dense", "dense", op]


def test_fusion_is_left_out_where_the_probabilities_serve_something_else():
    x = fastgd.Input((4,))
    p = Dense(3, "softmax")(x)
    two_uses = fastgd.Model(x, [p, Dense(1)(p)])
    two_uses.compile("sgd", ["categorical_crossentropy", "mse"])
    assert "categorical_crossentropy" in ops_of(two_uses)
    twice = fastgd.Model(x, [p, p])
    twice.compile("sgd", ["categorical_crossentropy", "mse"])
    assert ops_of(twice) == ["dense", "activation", "categorical_crossentropy", "mean_squared_error"]
    assert "binary_crossentropy" in ops_of(compiled(Dense(3, "softmax"), "binary_crossentropy"))
    assert "categorical_crossentropy" in ops_of(compiled(Dense(3, "relu"), "categorical_crossentropy"))
    plain = fastgd.Model(x, x)
    plain.compile("sgd", "binary_crossentropy")
    assert ops_of(plain) == ["binary_crossentropy"]


def test_prediction_plan_keeps_the_activation_and_names_the_same_parameters():
    model = compiled(Dense(3, "softmax"), "categorical_crossentropy")
    predict, train = model.make_plan(training=False), model.make_plan()
    assert [step.op for step in predict.steps] == ["dense", "dense", "activation"]
    assert [(p.name, p.shape) for p in predict.params] == [(p.name, p.shape) for p in train.params]
    assert predict.outputs
    assert not predict.losses


def test_fused_and_plain_losses_agree(rng):
    x, t = rng.normal(size=(20, 4)), np.eye(3)[np.arange(20) % 3]
    model = compiled(Dense(3, "softmax"), CategoricalCrossentropy(label_smoothing=0.1), ["categorical_crossentropy"])
    loss, metric = model.evaluate(x, t, verbose=0)
    p = model.predict(x, verbose=0)
    smooth = t * 0.9 + 0.1 / 3
    assert loss == pytest.approx(-np.mean(np.sum(smooth * np.log(p), axis=1)), rel=1e-5)
    assert metric == pytest.approx(-np.mean(np.log(p[t > 0])), rel=1e-5)


def test_from_logits_metrics_read_the_logits():
    plan = compiled(Dense(1), BinaryCrossentropy(from_logits=True), ["binary_accuracy"]).make_plan()
    assert plan.steps[-2].op == "sigmoid_crossentropy"
    assert plan.steps[-1].inputs[0] == plan.steps[-2].inputs[0]


@pytest.mark.parametrize(
    ("output", "loss", "op"),
    [
        (Dense(1, "sigmoid", name="a"), "bce", "binary_accuracy"),
        (Dense(3, "softmax", name="b"), "sparse_categorical_crossentropy", "sparse_categorical_accuracy"),
        (Dense(3, "softmax", name="c"), "categorical_crossentropy", "categorical_accuracy"),
        (Dense(3, "sigmoid", name="d"), "binary_crossentropy", "categorical_accuracy"),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_takes_the_form_that_fits(output, loss, op, name):
    model = compiled(output, loss, [name])
    assert ops_of(model)[-1] == op
    assert model.metrics_names == ["loss", name]


@pytest.mark.parametrize("name", ["crossentropy", "ce"])
def test_crossentropy_takes_the_form_that_fits(name):
    model = compiled(Dense(3, "softmax"), "sparse_categorical_crossentropy", [name])
    assert ops_of(model)[-1] == "sparse_categorical_crossentropy"
    assert model.metrics_names == ["loss", name]


def test_metric_names():
    metrics = ["mae", "MSE", fastgd.metrics.MeanSquaredError(), fastgd.metrics.MeanAbsoluteError(name="mine")]
    model = compiled(Dense(1), "mse", metrics)
    assert model.metrics_names == ["loss", "mae", "MSE", "mean_squared_error", "mine"]
    functions = compiled(Dense(1), fastgd.losses.mean_squared_error, [fastgd.metrics.mean_absolute_error])
    assert functions.metrics_names == ["loss", "mean_absolute_error"]
    twice = compiled(Dense(1), "mse", ["mae", "mae", fastgd.metrics.MeanAbsoluteError(name="loss")])
    assert twice.metrics_names == ["loss", "mae", "mae_1", "loss_1"]


def test_metrics_are_found_in_snake_case_and_numbered():
    names = ["auc", "precision", "mean_squared_error", "top_k_categorical_accuracy", "r2_score"]
    fastgd.utils.clear_session()
    metrics = [*names, fastgd.metrics.AUC(curve="PR"), fastgd.metrics.Recall(), fastgd.metrics.Recall()]
    assert compiled(Dense(2), "mse", metrics).metrics_names[1:] == [*names, "auc_1", "recall", "recall_1"]


def test_a_score_per_class_is_an_array_in_the_logs(rng, capsys):
    model = compiled(Dense(3, "softmax"), "categorical_crossentropy", [fastgd.metrics.F1Score()])
    x, t = rng.normal(size=(20, 4)), np.eye(3)[np.arange(20) % 3]
    history = model.fit(x, t, epochs=2, batch_size=7, verbose=2).history
    assert [values.shape for values in history["f1_score"]] == [(3,), (3,)]
    assert "f1_score: [0." in capsys.readouterr().out
    _, score = model.evaluate(x, t, verbose=0)
    metric = fastgd.metrics.F1Score()
    np.testing.assert_allclose(score, metric(t, model.predict(x, verbose=0)), rtol=1e-6)
    np.testing.assert_allclose(model.test_on_batch(x, t)[1], score, rtol=1e-12)


def test_functions_written_with_ops_are_wrapped(rng):
    wrapped = fastgd.metrics.MeanMetricWrapper(lambda t, p: fastgd.ops.add(t, p), name="both")
    model = compiled(Dense(3), "mse", [wrapped])
    x, t = rng.normal(size=(20, 4)), rng.normal(size=(20, 3))
    value = model.evaluate(x, t, batch_size=6, verbose=0)[1]
    assert value == pytest.approx(float(np.mean(t + model.predict(x, verbose=0))), rel=1e-5)


def test_labels_that_a_metric_ignores(rng):
    x, t = rng.normal(size=(20, 4)), np.arange(20) % 3
    t[[3, 8]] = 255
    score = {"num_classes": 3, "sparse_y_pred": False}
    ignoring = fastgd.losses.SparseCategoricalCrossentropy(ignore_class=255)
    for ignored in (255, None):
        # Where the loss ignores a label it is none of the classes of a metric.
        metric = fastgd.metrics.MeanIoU(**score, ignore_class=ignored, name="iou")
        model = compiled(Dense(3, "softmax"), ignoring, [metric])
        got = model.evaluate(x, t, verbose=0)[1]
        assert got == pytest.approx(metric(t, model.predict(x, verbose=0)))

    def evaluate(loss, *more):
        """Return the logs of a model whose output with the metric may lack a loss, as it has another one with one."""
        inputs = fastgd.Input((4,))
        outputs = {"a": Dense(1, name="a")(inputs), "b": Dense(3, "softmax", name="b")(inputs)}
        iou = fastgd.metrics.MeanIoU(**score, ignore_class=255, name="iou")
        two = fastgd.Model(inputs, outputs)
        two.compile("sgd", {"a": "mse", **loss}, metrics={"b": [iou, *more]})
        logs = two.evaluate(x, {"a": x[:, 0], "b": t}, verbose=0, return_dict=True)
        assert logs["b_iou"] == pytest.approx(iou(t, two.predict(x, verbose=0)["b"]))

    evaluate({})
    for loss, *more in (({"b": "sparse_categorical_crossentropy"},), ({}, "sparse_categorical_accuracy")):
        with pytest.raises(ValueError, match=r"`y\['b'\]` must hold labels from 0 to 2.*Received: y\['b'\]\[3\]=255"):
            evaluate(loss, *more)


def test_a_function_of_the_users_own_is_a_metric(rng):
    def distance(t, p):
        return fastgd.ops.mean(fastgd.ops.absolute(t - p), axis=-1)

    x, t = rng.normal(size=(20, 4)), rng.normal(size=20)
    model = compiled(Dense(1), "mse", [distance])
    assert model.metrics_names == ["loss", "distance"]
    p = model.predict(x, verbose=0)
    expected = np.abs(t - p[:, 0]).mean()
    assert model.evaluate(x, t, batch_size=6, verbose=0)[1] == pytest.approx(expected, rel=1e-5)
    metric = fastgd.metrics.get(distance)
    again = type(metric).from_config(metric.get_config())
    assert metric(t, p) == again(t, p) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(TypeError, match=r"`metric` must be a name, a Metric or a function of \(y_true, y_pred\)"):
        fastgd.metrics.get(fastgd.losses.Huber())


def test_one_hot_and_labels_can_be_observed_together(rng):
    x, labels = rng.normal(size=(9, 4)), np.arange(9) % 3
    model = compiled(
        Dense(3, "softmax"), "sparse_categorical_crossentropy", ["sparse_categorical_accuracy", "accuracy"]
    )
    plan = model.make_plan()
    assert len(plan.inputs) == 2
    accuracies = model.evaluate(x, labels, verbose=0)[1:]
    assert accuracies[0] == accuracies[1]


def test_output_without_a_loss_is_left_alone(rng):
    x = fastgd.Input((4,))
    h = Dense(3)(x)
    model = fastgd.Model(x, [Dense(1, name="p")(h), Dense(2, name="q")(h)])
    model.compile("sgd", {"p": "mse"})
    data = rng.normal(size=(6, 4))
    idle = model.get_layer("q").get_weights()
    history = model.fit(data, {"p": data[:, :1]}, verbose=0)
    assert list(history.history) == ["loss"]
    model.fit(data, [data[:, :1], None], verbose=0)
    np.testing.assert_array_equal(model.get_layer("q").get_weights()[0], idle[0])


def test_reductions(rng):
    x, t = rng.normal(size=(7, 4)), rng.normal(size=(7, 1))
    by_mean = compiled(Dense(1), fastgd.losses.MeanSquaredError(reduction="mean"))
    by_sum = compiled(Dense(1), fastgd.losses.MeanSquaredError(reduction="sum"))
    by_sum.set_weights(by_mean.get_weights())
    mean = by_mean.evaluate(x, t, batch_size=7, verbose=0)
    assert by_sum.evaluate(x, t, batch_size=7, verbose=0) == pytest.approx(7 * mean, rel=1e-5)


def test_unknown_names_are_listed():
    with pytest.raises(
        ValueError, match=r"`loss` is not a known loss. Did you mean 'mean_squared_error'\? Known: .*mse"
    ):
        compiled(Dense(1), "mean_squarred_error")
    with pytest.raises(
        ValueError, match=r"`optimizer` is not a known optimizer.*adam, .*sgd. Received: optimizer='adamm'"
    ):
        fastgd.Sequential([Dense(1)]).compile("adamm", "mse")
    with pytest.raises(ValueError, match=r"`metric` is not a known metric.*Received: metric='accurac'"):
        compiled(Dense(1), "mse", ["accurac"])
    with pytest.raises(ValueError, match=r"`activation` is not a known activation. Did you mean 'relu'\?"):
        Dense(1, activation="rellu")
    with pytest.raises(ValueError, match=r"`initializer` is not a known initializer"):
        Dense(1, kernel_initializer="glorot")
    with pytest.raises(ValueError, match=r"`reduction` is not a known reduction"):
        BinaryCrossentropy(reduction="avg")


def test_misspelt_names_are_reported_before_the_model_is_built():
    model = fastgd.Sequential([Dense(1)])
    with pytest.raises(ValueError, match="`loss` is not a known loss"):
        model.compile("sgd", "msee")


def test_optimizer_is_rmsprop_if_none_is_named():
    model = fastgd.Sequential([Dense(1)])
    model.compile(loss="mse")
    assert model.optimizer.get_config() == fastgd.optimizers.RMSprop().get_config()
    with pytest.raises(ValueError, match=r"`optimizer` must be given: .*'rmsprop', 'sgd' or an Optimizer.*=None"):
        model.compile(None, "mse")


def test_wrong_kinds_of_arguments():
    with pytest.raises(TypeError, match="must return a tensor made with fastgd.ops"):
        compiled(Dense(1), lambda y_true, y_pred: 0.0).make_plan()
    with pytest.raises(TypeError, match="`metrics` must be a list, or a dict by the outputs' names"):
        compiled(Dense(1), "mse", "mae")
    with pytest.raises(TypeError, match="`optimizer` must be a name"):
        fastgd.Sequential([Dense(1)]).compile(3, "mse")


def test_arguments_about_execution_are_checked():
    model = fastgd.Sequential([Dense(1)])
    model.compile("sgd", "mse", run_eagerly=False, steps_per_execution=8, jit_compile=True, auto_scale_loss=False)
    model.compile("sgd", "mse", steps_per_execution="auto", jit_compile="auto")
    with pytest.raises(ValueError, match="`run_eagerly` must be False: steps always run compiled"):
        model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError, match="`steps_per_execution` must be 1 or more"):
        model.compile("sgd", "mse", steps_per_execution=0)
    for argument in ("jit_compile", "auto_scale_loss"):
        with pytest.raises(TypeError, match=f"`{argument}` must be True or False"):
            model.compile("sgd", "mse", **{argument: 3})


def test_arguments_for_several_outputs():
    x = fastgd.Input((4,))
    model = fastgd.Model(x, [Dense(1, name="p")(x), Dense(2, name="q")(x)])
    model.compile("sgd", "mse", loss_weights=[1, 0.5], metrics=["mae", ["mse", "mae"]])
    assert model.metrics_names == ["loss", "p_loss", "q_loss", "p_mae", "q_mse", "q_mae"]
    with pytest.raises(ValueError, match=r"`loss` must have one entry per output: p, q"):
        model.compile("sgd", ["mse"])
    with pytest.raises(ValueError, match=r"`loss` is not a known output. .*Received: loss='r'"):
        model.compile("sgd", {"r": "mse"})
    with pytest.raises(ValueError, match=r"`metrics` must have one entry per output"):
        model.compile("sgd", "mse", metrics=["mae"])
    with pytest.raises(TypeError, match=r"`loss_weights` must be a list or a dict"):
        model.compile("sgd", "mse", loss_weights=2.0)


def test_no_loss_and_no_compile_are_clear_errors():
    model = fastgd.Sequential([fastgd.Input((4,)), Dense(1)])
    with pytest.raises(ValueError, match="'sequential' is not compiled: call `compile` before `fit`"):
        model.fit(np.ones((2, 4)), np.ones(2))
    with pytest.raises(ValueError, match="call `compile` before `evaluate`"):
        model.evaluate(np.ones((2, 4)), np.ones(2))
    model.compile("sgd")
    with pytest.raises(ValueError, match="'sequential' has no loss: give `compile` one before `fit`"):
        model.fit(np.ones((2, 4)), np.ones(2))


def test_trainable_is_frozen_at_compile(rng):
    x, t = rng.normal(size=(8, 4)), rng.normal(size=(8, 1))
    body, head = Dense(3, trainable=False), Dense(1)
    model = fastgd.Sequential([fastgd.Input((4,)), body, head])
    model.compile(fastgd.optimizers.Adam(0.1), "mse")
    assert [p.trainable for p in model.make_plan().params] == [False, False, True, True]
    body.trainable = True
    before, head_before = body.get_weights(), head.get_weights()
    model.fit(x, t, verbose=0)
    np.testing.assert_array_equal(body.get_weights()[0], before[0])
    assert not np.array_equal(head.get_weights()[0], head_before[0])
    model.compile(fastgd.optimizers.Adam(0.1), "mse")
    model.fit(x, t, verbose=0)
    assert not np.array_equal(body.get_weights()[0], before[0])


def test_frozen_model_inside_another(rng):
    x = fastgd.Input((4,))
    critic = fastgd.Model(x, Dense(1, "sigmoid")(x), name="critic")
    critic.compile("sgd", "binary_crossentropy")
    critic.trainable = False
    maker = fastgd.Sequential([fastgd.Input((4,)), Dense(4)], name="maker")
    both = fastgd.Model(x, critic(maker(x)))
    both.compile("sgd", "binary_crossentropy")
    data = rng.normal(size=(8, 4))
    before = critic.get_weights()
    both.train_on_batch(data, np.ones(8))
    np.testing.assert_array_equal(critic.get_weights()[0], before[0])
    critic.train_on_batch(data, np.zeros(8))
    assert not np.array_equal(critic.get_weights()[0], before[0])
    np.testing.assert_allclose(both(data), critic(maker(data)), rtol=1e-6)


def test_add_of_different_shapes_names_both():
    with pytest.raises(ValueError, match=r"^\[add\] the shapes \(batch, 2\) and \(batch, 3\) do not fit together"):
        Add()([fastgd.Input((2,)), fastgd.Input((3,))])


def test_sparse_loss_needs_a_class_axis():
    loss = SparseCategoricalCrossentropy()
    assert loss.target_dims((-1, 5, 3)) == (-1, 5)
