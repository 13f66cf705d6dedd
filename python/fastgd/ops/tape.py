"""GradientTape: gradients of whatever ops, layers, models and losses compute, for training steps of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable, unwatch_weights
from fastgd.ops.recorded_runs import gradients, input_gradients
from fastgd.ops.recording import RecordedTensor, Recording, current_recording
from fastgd.utils.checks import check_bool
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.structure import flatten, pack

Array = npt.NDArray[Any]


class GradientTape:
    """Records what happens in its block, and differentiates it, as TensorFlow's tape does.

    Inside the block layers, models and losses take arrays (n, ...) and return tensors that stand for their values;
    `fastgd.ops` and operators go on with them. `gradient` runs everything at once in the engine, forward and backward:
    the steps are compiled when they are first seen, and later blocks with the same steps and shapes use that again. The
    same run gives the values of all tensors that are still held. Python numbers and arrays in the block are those of
    each time it is gone through.

    Values and gradients are those of the weights at the time of recording, whatever trains them in between. Tapes
    whose blocks are nested record together.

    Args:
        persistent: whether `gradient` may be called several times.

    Raises:
        TypeError: if `persistent` is no bool.

    Example:
        >>> with fastgd.GradientTape() as tape:
        ...     loss = loss_fn(labels, discriminator(images, training=True))
        >>> gradients = tape.gradient(loss, discriminator.trainable_weights)
        >>> optimizer.apply_gradients(zip(gradients, discriminator.trainable_weights))
    """

    def __init__(self, persistent: bool = False) -> None:
        self.persistent = check_bool("persistent", persistent)
        self._recording: Recording | None = None
        self._used = False
        self._block = ExitStack()

    def __enter__(self) -> GradientTape:
        if self._recording is not None:
            raise ValueError("A GradientTape has one block: make another tape.")
        self._recording = current_recording()
        if self._recording is None:
            self._recording = Recording()
            self._block.enter_context(self._recording.recording())
        self._recording.tapes.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._block.close()

    def watch(self, tensor: Any) -> None:
        """Let `gradient` differentiate by arrays too; call it in the block before the arrays are used.

        Args:
            tensor: an array (n, ...) or a structure of them. Variables are watched always.

        Raises:
            TypeError: for anything else.
        """
        recording = self._started()
        for leaf in flatten(tensor):
            if not isinstance(leaf, (np.ndarray, Variable)):
                raise mistyped("`tensor` must be an array.", tensor=leaf)
            if isinstance(leaf, np.ndarray):
                recording.watched.setdefault(id(leaf), (leaf, None))

    def gradient(self, target: Any, sources: Any) -> Any:
        """Return the gradient of the sum of `target` by each of `sources`.

        Gradients by arrays take a plan that is compiled anew in each call; those by variables alone do not.

        Args:
            target: a tensor of the block, or a structure of them, which are added up.
            sources: a variable, an array that is watched, or a structure of them.

        Returns:
            An array like each source, in the structure of `sources`; None for a source that was not used.

        Raises:
            ValueError: for a second call unless the tape is persistent, and for a target of another block.
            TypeError: for a source that is neither.
        """
        recording = self._started()
        if self._used and not self.persistent:
            raise ValueError("GradientTape.gradient can be called once, unless the tape is made with persistent=True.")
        total = self._total(recording, target)
        leaves = flatten(sources)
        variables = [leaf for leaf in leaves if isinstance(leaf, Variable)]
        inputs: dict[int, Tensor | None] = {}
        for leaf in leaves:
            if isinstance(leaf, Variable):
                continue
            if id(leaf) not in recording.watched:
                raise mistyped("`sources` must be variables, or arrays that the tape watches.", sources=type(leaf))
            inputs[id(leaf)] = recording.watched[id(leaf)][1]
        known = [x for x in inputs.values() if x is not None]
        found: dict[int, Array | None] = dict.fromkeys(inputs)
        if known:
            values = dict(zip((x.name for x in known), input_gradients(recording, total, known), strict=True))
            found.update({key: values[x.name] for key, x in inputs.items() if x is not None})
        by_variable = gradients(recording, total, _distinct(variables))
        found.update(zip(map(id, _distinct(variables)), by_variable, strict=True))
        self._used = True
        if all(tape._used and not tape.persistent for tape in recording.tapes):
            unwatch_weights(recording)
        return pack(sources, [found[id(leaf)] for leaf in leaves])

    def _started(self) -> Recording:
        if self._recording is None:
            raise ValueError("The block of this GradientTape has not begun.")
        return self._recording

    @staticmethod
    def _total(recording: Recording, target: Any) -> Tensor:
        leaves: list[Tensor] = flatten(target)
        for leaf in leaves:
            if not isinstance(leaf, RecordedTensor) or leaf.builder is not recording or leaf.dtype == "int32":
                raise invalid("`target` must be a floating tensor made inside the block of this tape.", target=leaf)
        if len(leaves) == 1:
            return leaves[0]
        from fastgd import ops

        with recording.recording():
            total: Tensor = sum((ops.sum(leaf) for leaf in leaves[1:]), ops.sum(leaves[0]))
        return total


def _distinct(variables: Sequence[Variable]) -> list[Variable]:
    return list({id(variable): variable for variable in variables}.values())
