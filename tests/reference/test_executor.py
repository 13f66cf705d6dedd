"""The executor's loop: batches, totals, shuffling, prediction, learning rates and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

from fastgd.plan import Plan, Step, TensorSpec, Term, UpdateSpec, flat_layout
from fastgd.reference import Executor
from fastgd.reference.random import permutation
from reference.gradcheck import PlanBuilder


def followed_plan(reduction: str = "sum_over_batch_size", weighted: bool = False) -> Plan:
    """A loss and a metric straight from data: v = (x - t)^2, and the share of x == t."""
    b = PlanBuilder()
    b.input("x", 1)
    b.input("t", 1)
    weight = b.input("s") if weighted else None
    b.loss("mean_squared_error", ["x", "t"], term={"reduction": reduction, "sample_weight": weight, "weight": 3.0})
    b.metric("accuracy", ["x", "t"], "right", sample_weight=weight)
    return b.build()


def linear_plan(dtype: str = "float64") -> Plan:
    """y = x w, with w (2, 1), by mean squared error."""
    b = PlanBuilder(dtype)
    b.input("x", 2)
    b.input("t", 1)
    b.param("w", 2, 1)
    b.step("dense", ["x"], "y", 1, params=["w"])
    b.loss("mean_squared_error", ["y", "t"])
    return b.build("y")


def trainer(plan: Plan, *params: np.ndarray, rule: str = "sgd", **hyper: float) -> Executor:
    executor = Executor(plan)
    executor.bind_parameters(params)
    names = {"sgd": (), "momentum": ("v",), "adam": ("m", "v")}[rule]
    size = flat_layout([spec.size for spec in plan.params if spec.trainable], plan.dtype).size
    executor.bind_update(UpdateSpec(rule, hyper, names), [np.zeros(size, plan.dtype) for _ in names])
    return executor


X = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])
T = np.array([[1.0], [1.0], [1.0], [4.0], [2.0]])  # squared errors 0, 1, 4, 0, 9
S = np.array([2.0, 1.0, 0.5, 3.0, 1.0])


@pytest.mark.parametrize("batch_size", [1, 2, 5, 100])
def test_totals_with_a_partial_last_batch(batch_size):
    executor = Executor(followed_plan())
    executor.begin("evaluate", [X, T], batch_size)
    assert executor.advance(1000, np.inf) == -(-5 // batch_size)
    assert executor.totals().tolist() == [[14.0, 5.0], [2.0, 5.0]]


def test_totals_of_the_reduction_sum_weight_each_batch_by_its_rows():
    executor = Executor(followed_plan("sum"))
    executor.begin("evaluate", [X, T], 2)
    executor.advance(1000, np.inf)
    # The batches' sums 1, 4, 9 times their rows 2, 2, 1.
    assert executor.totals().tolist() == [[2.0 + 8.0 + 9.0, 5.0], [2.0, 5.0]]


def test_totals_with_sample_weights():
    executor = Executor(followed_plan(weighted=True))
    executor.begin("evaluate", [X, T, S], 2)
    executor.advance(1000, np.inf)
    # A loss divides by the rows, a metric by the weights.
    assert executor.totals().tolist() == [[1.0 + 2.0 + 9.0, 5.0], [2.0 + 3.0, 7.5]]
    assert executor.totals().dtype == np.float64


def test_advance_in_portions_and_begin_resets():
    executor = Executor(followed_plan())
    executor.begin("evaluate", [X, T], 2)
    assert [executor.advance(2, np.inf), executor.advance(2, np.inf), executor.advance(2, np.inf)] == [2, 1, 0]
    executor.begin("evaluate", [X, T], 2)
    assert executor.totals().tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert executor.advance(1, np.inf) == 1
    assert executor.totals().tolist() == [[1.0, 2.0], [1.0, 2.0]]


def test_no_time_is_enough_for_one_batch():
    executor = Executor(followed_plan())
    executor.begin("evaluate", [X, T], 1)
    assert executor.advance(1000, 0.0) == 1
    assert executor.advance(1000, 1e6) == 4


def test_a_batch_loss_is_divided_by_its_own_rows():
    w = np.zeros((2, 1))
    executor = trainer(linear_plan(), w)
    x, t = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([[1.0], [3.0], [5.0]])
    executor.begin("train", [x, t], 2)
    assert executor.advance(10, np.inf, np.array([0.5, 0.1])) == 2
    # First batch: dw0 = -2 (1 + 3) / 2 = -4, w0 = 2. Second, of one row: dw1 = -10, w1 = 1.
    np.testing.assert_allclose(w, [[2.0], [1.0]], rtol=1e-15)
    assert executor.iteration == 2


def test_shuffled_training_is_training_on_shuffled_rows():
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(7, 2)), rng.normal(size=(7, 1))
    order = permutation(7, 11, 4)
    results = []
    for feeds, seed in (([x, t], 11), ([x[order], t[order]], None)):
        w = np.ones((2, 1))
        executor = trainer(linear_plan(), w, rule="adam", beta_1=0.9, beta_2=0.99, epsilon=1e-7)
        executor.begin("train", feeds, 3, shuffle_seed=seed, epoch=4, iteration=20)
        executor.advance(10, np.inf, 0.01)
        assert executor.iteration == 23
        results.append(w)
    np.testing.assert_array_equal(*results)
    assert (results[0] != 1.0).all()


def test_slots_follow_the_layout_and_frozen_parameters_stay():
    b = PlanBuilder("float32")
    b.input("x", 2)
    b.input("t", 1)
    for name, shape, trainable in (("w1", (2, 3), True), ("frozen", (3,), False), ("w2", (3, 1), True)):
        b.param(name, *shape, trainable=trainable)
    b.step("dense", ["x"], "h", 3, params=["w1", "frozen"])
    b.step("dense", ["h"], "y", 1, params=["w2"])
    b.loss("mean_squared_error", ["y", "t"])
    plan = b.build()
    params = [np.full(spec.shape, 0.5, "float32") for spec in plan.params]
    before = [w.copy() for w in params]
    layout = flat_layout([6, 3], "float32")
    assert (layout.offsets, layout.size) == ((0, 16), 32)
    slot = np.zeros(32, "float32")
    executor = Executor(plan)
    executor.bind_parameters(params)
    executor.bind_update(UpdateSpec("momentum", {"momentum": 0.9, "nesterov": 0.0}, ("v",)), [slot])
    executor.begin("train", [np.ones((4, 2)), np.zeros((4, 1))], 4)
    executor.advance(1, np.inf, 0.01)
    np.testing.assert_array_equal(params[1], before[1])
    np.testing.assert_allclose(slot[:6], (params[0] - before[0]).reshape(-1), rtol=1e-5)
    np.testing.assert_allclose(slot[16:19], (params[2] - before[2]).reshape(-1), rtol=1e-5)
    assert slot[:6].all()
    assert slot[16:19].all()
    assert not slot[6:16].any()
    assert not slot[19:].any()


def test_dropout_follows_the_iteration_and_training():
    b = PlanBuilder()
    b.input("x", 50)
    b.input("t", 50)
    b.step("dropout", ["x"], "y", 50, rate=0.5, seed=8)
    b.loss("mean_squared_error", ["y", "t"])
    executor = Executor(b.build("y"))
    feeds = [np.ones((2, 50)), np.zeros((2, 50))]
    first, again = executor.inspect(feeds, iteration=3), executor.inspect(feeds, iteration=3)
    np.testing.assert_array_equal(first["y"], again["y"])
    assert (first["y"] != executor.inspect(feeds, iteration=4)["y"]).any()
    np.testing.assert_array_equal(executor.inspect(feeds, training=False)["y"], 1.0)
    y = np.zeros((2, 50))
    executor.begin("predict", [feeds[0], None], 1, outputs=[y])
    executor.advance(9, np.inf)
    np.testing.assert_array_equal(y, 1.0)
    executor.bind_update(UpdateSpec("sgd"), [])
    executor.begin("train", feeds, 2, iteration=3)
    executor.advance(9, np.inf, 0.1)
    # Half of the ones become twos, squared to four.
    np.testing.assert_allclose(executor.totals()[0, 0] / 2, np.mean(first["y"] ** 2), rtol=1e-14)


def test_predict_runs_only_what_its_outputs_need():
    b = PlanBuilder("float32")
    b.input("x", 4)
    b.input("t", dtype="int32")
    b.tensors.append(TensorSpec("rows", (-2, 2), "float32"))
    b.steps.append(Step("reshape", ("x",), ("rows",), (), {"shape": (-2, 2)}))
    b.step("activation", ["x"], "y", 4, function="relu")
    b.loss("sparse_softmax_crossentropy", ["y", "t"])
    executor = Executor(b.build("y", "rows"))
    x = np.arange(-6, 14).reshape(5, 4)
    y, rows = np.zeros((5, 4), "float32"), np.zeros((10, 2), "float32")
    executor.begin("predict", [x, None], 2, outputs=[y, rows])
    assert executor.advance(100, np.inf) == 3
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    np.testing.assert_array_equal(rows, x.reshape(10, 2))
    assert executor.totals().tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint8", "int16", "int64", "uint64", "bool", ">f4"])
def test_feeds_of_any_dtype_and_strides(dtype):
    plan = linear_plan("float32")
    base = np.arange(24).reshape(2, 12) % 2
    x = base.astype(dtype)[:, ::2].T  # (6, 2), strided both ways
    w = np.array([[1.0], [10.0]], "float32")
    y = np.zeros((6, 1), "float32")
    executor = trainer(plan, w)
    executor.begin("predict", [x, None], 4, outputs=[y])
    executor.advance(9, np.inf)
    np.testing.assert_array_equal(y, base[:, ::2].T @ [[1], [10]])


def test_inspect_shows_everything_and_changes_nothing():
    w = np.array([[2.0], [3.0]])
    executor = trainer(linear_plan(), w)
    x, t = np.array([[1.0, 1.0], [0.0, 2.0]]), np.array([[4.0], [6.0]])
    seen = executor.inspect([x, t])
    assert set(seen) == {"x", "t", "y", "loss", "d:w", "d:x"}
    assert seen["y"].tolist() == [[5.0], [6.0]]
    assert seen["loss"].tolist() == [1.0, 0.0]
    assert seen["d:w"].tolist() == [[1.0], [1.0]]
    assert seen["d:x"].tolist() == [[2.0, 3.0], [0.0, 0.0]]
    assert w.tolist() == [[2.0], [3.0]]
    for array in seen.values():
        array[...] = -1.0
    assert x.tolist() == [[1.0, 1.0], [0.0, 2.0]]
    assert executor.inspect([x, t])["d:w"].tolist() == [[1.0], [1.0]]


def test_inspect_without_losses_runs_forward_only():
    b = PlanBuilder()
    b.input("x", 2)
    b.step("activation", ["x"], "y", 2, function="relu")
    assert set(Executor(b.build("y")).inspect([np.ones((3, 2))])) == {"x", "y"}


def test_inspect_between_two_calls_does_not_disturb_a_run():
    feeds = [np.arange(12.0).reshape(6, 2) / 10, np.ones((6, 1))]
    results = []
    for look in (False, True):
        w = np.ones((2, 1))
        executor = trainer(linear_plan(), w)
        executor.begin("train", feeds, 2)
        executor.advance(1, np.inf, 0.1)
        if look:
            executor.inspect(feeds)
        executor.advance(9, np.inf, 0.1)
        results.append(w)
    np.testing.assert_array_equal(*results)


def test_a_loss_that_overflows_is_infinite_and_silent():
    executor = trainer(linear_plan("float32"), np.full((2, 1), 1e30, "float32"))
    executor.begin("train", [np.ones((2, 2)), np.ones((2, 1))], 2)
    executor.advance(1, np.inf, 0.1)
    assert executor.totals()[0, 0] == np.inf


def test_totals_are_summed_in_float64():
    b = PlanBuilder("float32")
    b.input("v")
    b.losses.append(Term("v", "v"))
    executor = Executor(b.build())
    executor.begin("evaluate", [np.full(100000, 0.1, "float32")], 7)
    executor.advance(10**6, np.inf)
    np.testing.assert_allclose(executor.totals(), [[100000 * float(np.float32(0.1)), 100000]], rtol=1e-12)


def test_a_network_learns():
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (200, 2))
    t = (x[:, 0] * x[:, 1] > 0).astype(int)
    b = PlanBuilder("float32")
    b.input("x", 2)
    b.input("t", dtype="int32")
    for name, shape in (("w1", (2, 16)), ("b1", (16,)), ("w2", (16, 2)), ("b2", (2,))):
        b.param(name, *shape)
    b.step("dense", ["x"], "h", 16, params=["w1", "b1"], activation="tanh")
    b.step("dense", ["h"], "z", 2, params=["w2", "b2"])
    b.loss("sparse_softmax_crossentropy", ["z", "t"])
    b.metric("sparse_categorical_accuracy", ["z", "t"], "right")
    plan = b.build()
    params = [rng.normal(0, 0.5, spec.shape).astype("float32") for spec in plan.params]
    executor = trainer(plan, *params, rule="adam", beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    for epoch in range(40):
        executor.begin("train", [x, t], 20, shuffle_seed=3, epoch=epoch, iteration=executor.iteration)
        executor.advance(1000, np.inf, 0.02)
    assert executor.iteration == 400
    (loss, rows), (right, _) = executor.totals()
    assert loss / rows < 0.25
    assert right / rows > 0.9
