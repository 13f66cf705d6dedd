"""The NumPy executor: runs a plan for training, evaluation and prediction, batch by batch, as docs/ops.md says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import perf_counter

import numpy as np
import numpy.typing as npt

from fastgd.plan import Plan, UpdateSpec, flat_layout
from fastgd.reference.constraints import constrain
from fastgd.reference.feeds import Feeds, check_bound
from fastgd.reference.passes import Batch, run_backward, run_forward
from fastgd.reference.program import build_program, check_plan, find_model_inputs
from fastgd.reference.registry import Array, MaybeArrays
from fastgd.reference.run import Run, check_outputs, learning_rates_of
from fastgd.reference.terms import count_totals, observe, tensors_of
from fastgd.reference.update_steps import UpdateSteps


class Executor:
    """The interpreter of a plan in NumPy.

    Attributes:
        isa: always "numpy".
        iteration: the number of batches of training done.
    """

    isa = "numpy"

    def __init__(self, plan: Plan, isa: str | None = None) -> None:
        """Check the plan and prepare its programs.

        Args:
            plan: the network.
            isa: None or "numpy", the only tier there is.

        Raises:
            ValueError: if the plan or the tier is wrong.
        """
        if isa not in (None, self.isa):
            raise ValueError(f"the reference knows only the tier 'numpy'. Received: isa={isa!r}")
        check_plan(plan)
        self._plan = plan
        self._dtype = np.dtype(plan.dtype)
        observed = tensors_of(plan)
        wanted = {"train": (*observed, *plan.outputs), "evaluate": observed, "predict": plan.outputs}
        self._programs = {mode: build_program(plan, names) for mode, names in wanted.items()}
        trained = [place for place, spec in enumerate(plan.params) if spec.trainable]
        self._layout = flat_layout((plan.params[place].size for place in trained), plan.dtype)
        self._gradient = np.zeros(self._layout.size, self._dtype)
        self._flat_ranges = {
            place: slice(start, start + plan.params[place].size)
            for place, start in zip(trained, self._layout.offsets, strict=True)
        }
        self._d_params = [
            self._gradient[self._flat_ranges[place]].reshape(spec.shape) if spec.trainable else None
            for place, spec in enumerate(plan.params)
        ]
        self._params: list[Array] | None = None if plan.params else []
        self._update: UpdateSteps | None = None
        self._run: Run | None = None
        self._totals: npt.NDArray[np.float64] = np.zeros((count_totals(plan), 2))
        self._pass_totals: list[npt.NDArray[np.float64]] = []
        self.iteration = 0

    def bind_parameters(self, arrays: Sequence[Array]) -> None:
        """Use `arrays` as the parameters, in place.

        Args:
            arrays: one C-contiguous writeable array of the plan's dtype per parameter of the plan.

        Raises:
            ValueError: if the number of arrays or one of them is wrong.
        """
        specs = self._plan.params
        if len(arrays) != len(specs):
            raise ValueError(f"the plan has {len(specs)} parameters. Received: {len(arrays)} arrays")
        self._params = [
            check_bound(spec.name, array, spec.shape, self._plan.dtype)
            for spec, array in zip(specs, arrays, strict=True)
        ]

    def bind_update(self, spec: UpdateSpec, slots: Sequence[Array]) -> None:
        """Use the update rule `spec` in training, with `slots` as its memory, in place.

        Args:
            spec: the rule and its numbers.
            slots: one flat array per slot of the rule, laid out by `flat_layout` over the trainable parameters.

        Raises:
            ValueError: if the rule is unknown, or the number of slots or one of them is wrong.
        """
        update = UpdateSteps(spec, slots, list(self._flat_ranges.values()))
        for name, slot in zip(spec.slots, slots, strict=True):
            check_bound(name, slot, (self._layout.size,), self._plan.dtype)
        self._update = update

    def begin(
        self,
        mode: str,
        feeds: MaybeArrays,
        batch_size: int,
        shuffle_seed: int | None = None,
        epoch: int = 0,
        iteration: int = 0,
        outputs: Sequence[Array] = (),
    ) -> None:
        """Start a run over all rows of `feeds` and set the totals to zero; `advance` does the work.

        Args:
            mode: "train", "evaluate" or "predict".
            feeds: one array per input of the plan; to predict, None for those that the outputs do not need.
            batch_size: the rows per batch; the last batch holds what is left.
            shuffle_seed: None for the given order, else the seed of `permutation`.
            epoch: the epoch, which shuffles anew.
            iteration: the number of updates done before.
            outputs: one writeable array per output of the plan, filled row by row; none where they are not wanted in
                training, and none to evaluate.

        Raises:
            ValueError: if the mode is unknown, something is not bound yet, or an array is wrong.
        """
        if mode not in self._programs:
            raise ValueError(f"the mode must be one of {', '.join(self._programs)}. Received: mode={mode!r}")
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}")
        self._bound_parameters()
        predicting = mode == "predict"
        if mode == "train" and (self._update is None or not self._plan.losses):
            raise ValueError("training needs a loss in the plan and a rule: call `bind_update` before `begin`")
        if predicting and shuffle_seed is not None:
            raise ValueError("predictions keep the order of the rows: `shuffle_seed` must be None")
        program = self._programs[mode]
        data = Feeds(self._plan, feeds, program.inputs, partial=predicting)
        check_outputs(self._plan, outputs, data.rows, mode)
        self._run = Run(mode, program, data, batch_size, shuffle_seed, epoch, tuple(outputs))
        self._totals[:] = 0.0
        self.iteration = iteration

    def advance(self, max_batches: int, max_seconds: float, learning_rates: npt.ArrayLike | None = None) -> int:
        """Run further batches: at most `max_batches`, and none that would begin after `max_seconds` but the first.

        Args:
            max_batches: how many at most.
            max_seconds: the time after which no further batch begins.
            learning_rates: in training one number per batch of this call, or a single one for all.

        Returns:
            How many batches ran; 0 at the end of the data.

        Raises:
            ValueError: if no run has begun, or the learning rates are missing or too few.
        """
        run = self._run
        if run is None:
            raise ValueError("call `begin` before `advance`")
        count = max(0, min(max_batches, run.batches_left))
        rates = learning_rates_of(learning_rates, count) if run.mode == "train" else [0.0] * count
        start = perf_counter()
        # As in the native engine, overflow makes an infinity and not a warning.
        with np.errstate(all="ignore"):
            for done in range(count):
                self._run_batch(run, rates[done])
                if perf_counter() - start >= max_seconds:
                    return done + 1
        return count

    def totals(self) -> npt.NDArray[np.float64]:
        """Return numerator and denominator of each loss, then each column of each metric, since `begin`: (rows, 2)."""
        return np.array(self._totals)

    def run_passes(self, max_passes: int, max_seconds: float, learning_rate: float) -> int:
        """Finish the pass that has begun, then run further ones, each as `begin` with the next epoch would.

        Args:
            max_passes: how many at most.
            max_seconds: the time after which no further pass begins.
            learning_rate: the rate of all batches.

        Returns:
            How many passes were finished.

        Raises:
            ValueError: if no training has begun.
        """
        run = self._run
        if run is None or run.mode != "train":
            raise ValueError("call `begin` with the mode 'train' before `run_passes`")
        self._pass_totals = []
        start = perf_counter()
        while len(self._pass_totals) < max_passes:
            if self._pass_totals:
                self._run = run = run.next_pass()
                self._totals[:] = 0.0
            self.advance(run.batches_left, math.inf, [learning_rate])
            self._pass_totals.append(self.totals())
            if perf_counter() - start >= max_seconds:
                break
        return len(self._pass_totals)

    def pass_totals(self) -> npt.NDArray[np.float64]:
        """Return the totals of each pass that the last `run_passes` has finished: (passes, rows, 2)."""
        return np.array(self._pass_totals).reshape(-1, *self._totals.shape)

    def update(self, gradients: Sequence[Array], learning_rate: float, iteration: int = 0) -> None:
        """Do one step of the bound rule by given gradients; a run that has begun is over.

        Args:
            gradients: one array of the plan's dtype per trainable parameter, in its shape.
            learning_rate: the rate.
            iteration: the number of updates done before.

        Raises:
            ValueError: if something is not bound yet, or the number of gradients or one of them is wrong.
        """
        self._run = None
        self._bound_parameters()
        if self._update is None:
            raise ValueError("an update needs a rule: call `bind_update` before `update`")
        if len(gradients) != len(self._flat_ranges):
            raise ValueError(
                f"the plan has {len(self._flat_ranges)} trainable parameters. Received: {len(gradients)} gradients"
            )
        for (place, part), gradient in zip(self._flat_ranges.items(), gradients, strict=True):
            spec = self._plan.params[place]
            self._gradient[part] = check_bound(spec.name, gradient, spec.shape, self._plan.dtype).reshape(-1)
        with np.errstate(all="ignore"):
            self._step(learning_rate, iteration)

    def inspect(self, feeds: MaybeArrays, training: bool = True, iteration: int = 0) -> dict[str, Array]:
        """Run one batch of all rows, forward and backward, and return what there is to see; nothing is changed.

        Args:
            feeds: one array per input of the plan.
            training: whether dropout and the like are active.
            iteration: the training iteration whose random numbers are used.

        Returns:
            Every tensor by its name and, where the plan has losses, the gradient of the total loss by every trainable
            parameter and every floating model input under "d:" and its name.

        Raises:
            ValueError: if the parameters are not bound or a feed is wrong.
        """
        plan, params = self._plan, self._bound_parameters()
        data = Feeds(plan, feeds, plan.inputs, partial=False)
        names = [spec.name for spec in plan.tensors]
        inputs = find_model_inputs(plan)
        program = build_program(plan, names, inputs)
        batch = Batch(data.rows, training, iteration, self._dtype, data.gather(slice(None)))
        d_params = [None if d is None else np.zeros_like(d) for d in self._d_params]
        with np.errstate(all="ignore"):
            traces = run_forward(program, params, batch)
            seen = dict(batch.values)
            if plan.losses:
                d_values = run_backward(plan, params, batch, traces, d_params)
                seen |= {"d:" + name: d_values.get(name, np.zeros_like(seen[name])) for name in inputs}
                seen |= {"d:" + spec.name: d for spec, d in zip(plan.params, d_params, strict=True) if d is not None}
        # Steps and feeds may share memory with each other; whoever looks gets arrays of their own.
        return {name: np.array(value) for name, value in seen.items()}

    def _bound_parameters(self) -> list[Array]:
        """Return the parameters, which must have been bound."""
        if self._params is None:
            raise ValueError("call `bind_parameters` first")
        return self._params

    def _run_batch(self, run: Run, rate: float) -> None:
        """Run the next batch of a run: forward, then what its mode asks for."""
        start = run.position
        stop = min(start + run.batch_size, run.feeds.rows)
        values = run.feeds.gather(slice(start, stop) if run.order is None else run.order[start:stop])
        training = run.mode == "train"
        batch = Batch(stop - start, training, self.iteration, self._dtype, values, training, True)
        params = self._bound_parameters()
        traces = run_forward(run.program, params, batch)
        self._store_outputs(run, batch)
        if run.mode != "predict":
            observe(self._plan, values, batch.size, self._totals)
        if run.mode == "train":
            self._gradient[:] = 0.0
            assert self._update is not None
            run_backward(self._plan, params, batch, traces, self._d_params, self._update.loss_scale)
            self._step(rate, self.iteration)
            self.iteration += 1
        run.position = stop

    def _step(self, rate: float, iteration: int) -> None:
        """Update the trainable parameters by the gradient."""
        params = self._bound_parameters()
        assert self._update is not None
        weights = [params[place].reshape(-1) for place in self._flat_ranges]
        self._update.step(weights, self._gradient, rate, iteration)
        for place in self._flat_ranges:
            # Each sees the whole parameter.
            constraint = self._plan.params[place].constraint
            if constraint is not None:
                constrain(params[place], constraint)

    def _store_outputs(self, run: Run, batch: Batch) -> None:
        """Copy the outputs of a batch to their place; one sample may fill several rows of an output."""
        if not run.outputs:
            return
        for name, target in zip(self._plan.outputs, run.outputs, strict=True):
            per_sample = -self._plan.tensor(name).shape[0]
            first = run.position * per_sample
            target[first : first + batch.size * per_sample] = batch.values[name]
