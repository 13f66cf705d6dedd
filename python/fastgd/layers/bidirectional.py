"""The layer that goes through a sequence in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastgd import ops
from fastgd.layers.layer import Layer, registry
from fastgd.layers.rnn import RNN, batch_size_of
from fastgd.ops.builder import Tensor, to_dims
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.registry import to_config
from fastgd.utils.structure import flatten

MERGES: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "concat": lambda y, back: ops.concatenate([y, back], axis=-1),
    "sum": lambda y, back: y + back,
    "mul": lambda y, back: y * back,
    "ave": lambda y, back: (y + back) / 2.0,
}


class Bidirectional(Layer):
    """A recurrent layer, and another one like it that goes through the sequence from its end.

    With `return_sequences` the outputs of both stand at their steps of the sequence. Both layers are new ones, made
    from the config of the given one, and called `forward_...` and `backward_...`. As in Keras, their skipped steps give
    zeros if they return sequences.

    Args:
        layer: a recurrent layer, or its config.
        merge_mode: how their outputs are put together: "concat" along the last axis, "sum", "mul", "ave", or None for
            a tuple of both.
        weights: the initial weights of both layers, as `get_weights` returns them, or None.
        backward_layer: the layer that goes backwards instead; it has the other `go_backwards`, and the same
            `return_sequences`, `return_state` and `stateful`.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, steps, features) gives (batch, 2 units) or (batch, steps, 2 units), units instead of 2 units unless
        `merge_mode` is "concat"; with `return_state` a tuple of that, the states of the forward layer and those of the
        backward layer. `initial_state` has both in this order, too.

    Raises:
        TypeError: if a layer is not recurrent.
        ValueError: if the two layers do not fit together, or `merge_mode` is unknown.

    Example:
        >>> fastgd.layers.Bidirectional(fastgd.layers.LSTM(32, return_sequences=True))

    Source:
        Schuster, Paliwal, Bidirectional recurrent neural networks, IEEE Transactions on Signal Processing 45, 1997.
    """

    supports_masking = True

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if merge_mode is not None and merge_mode not in MERGES:
            raise unknown("merge mode", MERGES, merge_mode=merge_mode)
        self.merge_mode = merge_mode
        config = _config_of("layer", layer)
        self.forward_layer = _renamed(config, "forward")
        if backward_layer is None:
            other = {**config, "config": {**config["config"], "go_backwards": True}}
            self.backward_layer = _renamed(other, "backward")
        elif isinstance(backward_layer, Mapping):
            self.backward_layer = _renamed(_config_of("backward_layer", backward_layer), "")
        else:
            _config_of("backward_layer", backward_layer)
            self.backward_layer = backward_layer
        self._check_pair()
        for each in (self.forward_layer, self.backward_layer):
            each.zero_output_for_mask = each.return_sequences
        self.stateful = self.forward_layer.stateful
        self.return_sequences = self.forward_layer.return_sequences
        self.return_state = self.forward_layer.return_state
        self._initial_weights = weights

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer; `initial_state` may be given besides the sequence, and a mask."""
        if self.stateful:
            size = batch_size_of([*args, kwargs.get("sequences")][0])
            self.forward_layer.expect_batch(size)
            self.backward_layer.expect_batch(size)
        return super().__call__(*args, **kwargs)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            dims = [to_dims(s) for s in sequences_shape] if isinstance(sequences_shape, list) else sequences_shape
            layer.ensure_built(dims if isinstance(dims, list) else to_dims(dims), self.dtype)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)

    def call(self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """Emit both layers.

        Args:
            sequences: x (batch, steps, features).
            initial_state: the states of the forward layer, then those of the backward layer; or None.
            mask: (batch, steps), 0 where a step is to be skipped.
            training: whether to behave as in training.

        Returns:
            The outputs put together, and the states behind them with `return_state`.
        """
        first, second = _halves(initial_state, self.name)
        told: dict[str, Any] = {"mask": mask, "training": training}
        y = self.forward_layer(sequences, initial_state=first, **told)
        back = self.backward_layer(sequences, initial_state=second, **told)
        states: tuple[Any, ...] = ()
        if self.return_state:
            y, *ahead = y
            back, *behind = back
            states = (*ahead, *behind)
        if self.return_sequences:
            back = ops.flip(back, axis=1)
        merged = (y, back) if self.merge_mode is None else (MERGES[self.merge_mode](y, back),)
        return merged[0] if len(merged) == 1 and not self.return_state else (*merged, *states)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the input for outputs of each step, and none for anything else."""
        mask = flatten(previous_mask)[0] if self.return_sequences else None
        count = 2 if self.merge_mode is None else 1
        return [mask] * count if count > 1 or self.return_state else mask

    def reset_state(self) -> None:
        """Set the states of both layers to zero, if they are stateful."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """Do what `reset_state` does."""
        self.reset_state()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **super().get_config(),
            "layer": to_config(self.forward_layer),
            "merge_mode": self.merge_mode,
            "backward_layer": to_config(self.backward_layer),
        }

    def _check_pair(self) -> None:
        """Raise a ValueError unless the layers go opposite ways and return the same."""
        ahead, behind = self.forward_layer, self.backward_layer
        if ahead.go_backwards == behind.go_backwards:
            text = "`layer` and `backward_layer` must go opposite ways."
            raise invalid(text, go_backwards=(ahead.go_backwards, behind.go_backwards))
        for name in ("stateful", "return_sequences", "return_state"):
            pair = getattr(ahead, name), getattr(behind, name)
            if pair[0] != pair[1]:
                raise invalid(f"`layer` and `backward_layer` must have the same `{name}`.", **{name: pair})


def _config_of(argument: str, layer: Any) -> dict[str, Any]:
    """Return the config of a recurrent layer, or one that is given.

    Raises:
        TypeError: if it is something else.
    """
    if isinstance(layer, Mapping) and "config" in layer:
        return {**layer}
    if not isinstance(layer, RNN):
        raise mistyped(f"`{argument}` must be a recurrent layer.", **{argument: layer})
    return to_config(layer)


def _renamed(config: Mapping[str, Any], prefix: str) -> Any:
    """Return a new recurrent layer of a config, with the prefix in its name."""
    own = dict(config["config"])
    if prefix and "name" in own:
        own["name"] = f"{prefix}_{own['name'].removeprefix(prefix + '_')}"
    layer: Any = registry.from_config({**config, "config": own})
    if not isinstance(layer, RNN):
        raise mistyped("Bidirectional takes recurrent layers.", layer=layer)
    return layer


def _halves(initial_state: Any, name: str) -> tuple[Any, Any]:
    """Return the first and the second half of the initial states."""
    if initial_state is None:
        return None, None
    states = list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
    if len(states) % 2:
        raise invalid(f"`initial_state` of {name!r} must hold the states of both layers.", initial_state=states)
    half = len(states) // 2
    return states[:half], states[half:]
