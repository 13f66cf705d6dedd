"""Training PyTorch modules natively, in place of their own loop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.callbacks import History
from fastgd.interop.torch.conversion import Origin, from_torch, origin_of, to_torch
from fastgd.interop.torch.links import Link, MovingVariance, find_tensors, tensor_array, write_tensor
from fastgd.interop.torch.losses import find_objective
from fastgd.interop.torch.optimizers import convert, find_optimizer, give_state, take_state
from fastgd.interop.values import LAST
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]


def fit_torch(
    module: Any,
    X: Any,
    y: Any,
    loss: Any = "cross_entropy",
    optimizer: Any = "adam",
    lr: float | None = None,
    batch_size: int = 32,
    epochs: int = 1,
    shuffle: bool = True,
    validation_data: Any = None,
    metrics: Any = None,
    callbacks: Any = None,
    verbose: Any = "auto",
) -> History:
    """Train a PyTorch module with fastgd's engine; its parameters, buffers and optimizer are updated in place.

    It does what this loop does, up to rounding, the order of the samples and the draws of dropout:

        module.train()
        for epoch in range(epochs):
            for X_batch, y_batch in batches(X, y, batch_size, shuffle):
                optimizer.zero_grad()
                loss(module(X_batch), y_batch).backward()
                optimizer.step()

    Args:
        module: the module, of layers that `from_torch` knows.
        X: the samples (n, ...) as the module takes them, a tensor or an array; for several arguments a list.
        y: the targets (n, ...), as the loss takes them.
        loss: CrossEntropyLoss, NLLLoss, BCEWithLogitsLoss, BCELoss, MSELoss, L1Loss, SmoothL1Loss or HuberLoss of
            `torch.nn`, a function of `torch.nn.functional`, or the name of one: "cross_entropy", "mse_loss"...
        optimizer: SGD, Adam, AdamW, RMSprop or Adagrad of `torch.optim` for the parameters of the module, whose state
            goes on and is kept up to date, or its name.
        lr: the learning rate for an optimizer given by its name, PyTorch's default if None.
        batch_size: the samples per update; the last batch of an epoch may be smaller.
        epochs: how often to go through the samples.
        shuffle: whether every epoch does so in another order.
        validation_data: a tuple (X, y) to validate on after each epoch.
        metrics: metrics of fastgd, by name or as objects.
        callbacks: callbacks of fastgd.
        verbose: as in `fit` of a model.

    Returns:
        The History. Its losses contain the penalties that stand for weight decay in the gradient.

    Raises:
        ValueError: for a module, loss or optimizer without a counterpart, before anything is trained.
        TypeError: for arguments of other kinds.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        >>> fit_torch(net, X, y, nn.CrossEntropyLoss(), torch.optim.Adam(net.parameters()), batch_size=64, epochs=5)
    """
    several = isinstance(X, (list, tuple))
    batch_size = check_int("batch_size", batch_size, 1)
    samples, tests = _Samples.of(X, y), None if validation_data is None else _Samples.of(*validation_data)
    shapes = [x.shape[1:] for x in samples.inputs]
    model = from_torch(module, shapes if several else shapes[0], "channels_last")
    origin = origin_of(model)
    if len(model.outputs) != 1:
        raise invalid("`module` must return one tensor.", outputs=len(model.outputs))
    samples, tests = samples.ordered(origin), tests and tests.ordered(origin)
    objective = find_objective(loss, model.outputs[0], [each.targets for each in (samples, tests) if each])
    goal, sample_weight = objective.prepare(samples.targets)
    tensors = find_tensors(module, origin.links)
    theirs = find_optimizer(optimizer, module, lr)
    held: defaultdict[int, list[Link]] = defaultdict(list)
    for link in origin.links:
        held[id(tensors[link.name])].append(link)
        if link.addend is not None:
            # Of two tensors that are added either tells how the sum is to be trained.
            held[id(tensors[link.addend])].append(link)
    ours = convert(theirs, held)
    _freeze_others(theirs, tensors, origin.links)
    model.compile(ours, objective.loss, objective.weight if objective.weight != 1 else None, metrics)
    ours.build(model._trained_variables(), model.dtype)
    pairs = [(link, tensors[link.name]) for link in origin.links]
    take_state(ours, theirs, pairs)
    begin, starts = ours.iterations, [each.link.variable.numpy() for each in origin.variances]
    validation = None if tests is None else (tests.x(several), *objective.prepare(tests.targets))
    try:
        return model.fit(
            samples.x(several), goal, batch_size, epochs, verbose, callbacks, 0.0, validation, shuffle,
            sample_weight=sample_weight,
        )  # fmt: skip
    finally:
        # What was trained until an interrupt is kept.
        to_torch(model, module)
        give_state(ours, theirs, pairs)
        for each, start in zip(origin.variances, starts, strict=True):
            _correct(each, start, tensors, ours.iterations - begin, batch_size, len(goal))


@dataclass(frozen=True)
class _Samples:
    """Inputs and targets as arrays.

    Attributes:
        inputs: an array for each argument of the module.
        targets: the targets.
    """

    inputs: Sequence[Array]
    targets: Array

    @classmethod
    def of(cls, x: Any, y: Any) -> _Samples:
        """Take tensors or arrays.

        Raises:
            ValueError: if an input has no second axis.
        """
        inputs = [_array(each) for each in (x if isinstance(x, (list, tuple)) else [x])]
        if any(each.ndim < 2 for each in inputs):
            shapes = [each.shape for each in inputs]
            raise invalid("`X` must have the samples as its first axis, and another one.", shapes=shapes)
        return cls(inputs, _array(y))

    def ordered(self, origin: Origin) -> _Samples:
        """Return the samples with the axes in the order that the model takes."""
        inputs = [_moved(x, order) for x, order in zip(self.inputs, origin.inputs, strict=True)]
        # Labels have no channels.
        images = self.targets.ndim == origin.output_axes
        return _Samples(inputs, _moved(self.targets, origin.outputs[0]) if images else self.targets)

    def x(self, several: bool) -> Any:
        """Return the inputs, alone or as a list."""
        return list(self.inputs) if several else self.inputs[0]


def _array(value: Any) -> Array:
    """Return a tensor or anything like an array as an array."""
    return tensor_array(value) if hasattr(value, "detach") else np.asarray(value)


def _moved(x: Array, order: str) -> Array:
    """Return images with the channels last if that is the order; they are copied once, not with every batch."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if order == LAST else x


def _freeze_others(optimizer: Any, tensors: Mapping[str, Any], links: Sequence[Link]) -> None:
    """Leave alone what the optimizer does not hold."""
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    for link in links:
        if id(tensors[link.name]) not in held:
            link.variable.trainable = False


def _correct(
    moving: MovingVariance, start: Array, tensors: Mapping[str, Any], updates: int, batch_size: int, rows: int
) -> None:
    """Bring a moving variance from the biased ones of batches to the unbiased ones, and count its updates.

    A variance v that began as s keeps `m^T s` of it after T updates; what the batches of n numbers gave is multiplied
    by n / (n - 1). Where the last batch of an epoch is smaller, the factors are averaged with the weights that the
    batches have in v.
    """
    last = rows % batch_size or batch_size
    sizes = np.full(-(-rows // batch_size), batch_size)
    sizes[-1] = last
    numbers = np.maximum(np.tile(sizes, updates // len(sizes) + 1)[:updates] * moving.samples, 2)
    weights = moving.momentum ** np.arange(updates - 1, -1, -1.0)
    if not weights.any():
        return
    factor = float(np.average(numbers / (numbers - 1.0), weights=weights))
    kept = moving.momentum**updates * start
    tensor = tensors[moving.link.name]
    value = kept + factor * (moving.link.variable.value - kept)
    write_tensor(tensor, moving.link.take(value, tensor.shape))
    counter = tensors[moving.counter]
    write_tensor(counter, tensor_array(counter) + updates)
