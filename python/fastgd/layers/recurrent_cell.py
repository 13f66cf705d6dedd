"""The base of SimpleRNNCell, LSTMCell and GRUCell: their weights, their dropout, and the step for a whole sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fastgd import activations, constraints, initializers, ops, regularizers
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_bool, check_int, check_real, check_seed
from fastgd.utils.errors import invalid
from fastgd.utils.registry import to_config
from fastgd.utils.seeds import draw_seed
from fastgd.utils.structure import flatten, pack

# The names of the first and the second state among the arguments of the ops.
STATES = ("h", "c")

# What the layers and the cells have in common by name, besides the number of units and the functions.
WEIGHT_RULES = ("kernel", "recurrent", "bias")


@dataclass(frozen=True)
class Way:
    """How a sequence is taken through a cell: the arguments of RNN of these names."""

    return_sequences: bool
    go_backwards: bool
    zero_output_for_mask: bool


class RecurrentCell(Layer, abstract=True):
    """Base of the cells that have a kernel, a recurrent kernel and a bias, with the arguments that they share.

    Args:
        units: u, the size of the output and of each state.
        activation: f: a name, a function of `fastgd.activations` or one written with `fastgd.ops`; None is linear.
        recurrent_activation: s, the function of the gates, the same; None for a cell without gates.
        use_bias: whether there is a bias.
        kernel_initializer: the initial kernel, of shape (size of the last axis of x, gates u).
        recurrent_initializer: the initial recurrent kernel, of shape (u, gates u).
        bias_initializer: the initial bias.
        kernel_regularizer: the penalty on the kernel: a name, a config, a Regularizer or a function.
        recurrent_regularizer: the same for the recurrent kernel.
        bias_regularizer: the same for the bias.
        kernel_constraint: what the kernel goes through after each update: a name, a config, a Constraint or a function.
        recurrent_constraint: the same for the recurrent kernel.
        bias_constraint: the same for the bias.
        dropout: the share of the elements of x that are set to zero in training, from 0 to 1. A layer draws them once
            per batch, for all time steps alike.
        recurrent_dropout: the same for the state in the products with the recurrent kernel.
        seed: of both; from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Attributes:
        gates: how many blocks of u columns the kernels have.
        state_size: the sizes of the states: an integer, or a list of them.
        output_size: the size of the output.
    """

    gates: ClassVar[int]
    kernel: Variable
    recurrent_kernel: Variable
    bias: Variable | None

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None,
        recurrent_activation: str | Callable[..., Any] | None,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_int("units", units, 1)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = check_bool("use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = check_real("dropout", dropout, 0.0, 1.0)
        self.recurrent_dropout = check_real("recurrent_dropout", recurrent_dropout, 0.0, 1.0)
        self.seed = check_seed("seed", seed)
        self._drawn = draw_seed() if self.seed is None else self.seed
        self.state_size: int | list[int] = self.units
        self.output_size = self.units

    # ---- What a subclass says.

    def step(self, inputs: Tensor, states: Sequence[Tensor], h: Tensor) -> list[Tensor]:
        """Emit one time step and return the new states, the first of which is the output.

        Args:
            inputs: x of the step.
            states: the states before it.
            h: the first state after recurrent dropout.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement step(inputs, states, h)")

    def emit_sequence(self, x: Tensor, **arguments: Any) -> tuple[Tensor, ...]:
        """Emit the op for a whole sequence with its arguments beyond x and the weights."""
        raise NotImplementedError(f"{type(self).__name__} must implement emit_sequence(x, **arguments)")

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (self.gates * self.units,)

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return the functions by the names of their arguments."""
        return {"activation": self.activation}

    # ---- Weights.

    def build(self, input_shape: Any, states_shape: Any = None) -> None:
        """Make the weights."""
        if len(input_shape) != 2 or input_shape[-1] is None:
            raise invalid(f"The cell {self.name!r} needs inputs of shape (batch, features).", input_shape=input_shape)
        columns = self.gates * self.units
        self.kernel = self._add("kernel", "kernel", (input_shape[-1], columns))
        self.recurrent_kernel = self._add("recurrent_kernel", "recurrent", (self.units, columns))
        self.bias = self._add("bias", "bias", self.bias_shape()) if self.use_bias else None

    def _add(self, name: str, rule: str, shape: tuple[int, ...]) -> Variable:
        return self.add_weight(
            shape,
            getattr(self, f"{rule}_initializer"),
            regularizer=getattr(self, f"{rule}_regularizer"),
            constraint=getattr(self, f"{rule}_constraint"),
            name=name,
        )

    # ---- One step and whole sequences.

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        """Emit one time step; each call draws its own dropout.

        Args:
            inputs: x (batch, features).
            states: the states, one tensor or a list of them.
            training: whether to drop.

        Returns:
            The output (batch, units), and the new states as they were given.
        """
        before = flatten(states)
        h = before[0]
        if training and self.dropout:
            inputs = ops.dropout(inputs, self.dropout, self._drawn)
        if training and self.recurrent_dropout:
            h = ops.dropout(h, self.recurrent_dropout, self._drawn)
        after = self.step(inputs, before, h)
        return after[0], pack(states, after)

    def drop_inputs(self, x: Tensor, training: bool) -> Tensor:
        """Return a sequence (batch, steps, features) after dropout that is the same for all steps."""
        return ops.dropout(x, self.dropout, self._drawn, (None, 1, None)) if training and self.dropout else x

    def draw_factors(self, x: Tensor, training: bool) -> Tensor | None:
        """Return the factors (batch, units) of recurrent dropout for the batch of x, None without any."""
        if not training or not self.recurrent_dropout:
            return None
        ones = x.builder.constant(1.0, (x.dims[0], self.units))
        return ops.dropout(ones, self.recurrent_dropout, self._drawn)

    @property
    def has_sequence_op(self) -> bool:
        """Whether one op takes a whole sequence through the cell: its functions and its `call` allow it."""
        forms = [activations.fused_form(function) for function in self.functions().values()]
        return type(self).call is RecurrentCell.call and all(form is not None and not form[1] for form in forms)

    def run_sequence(
        self,
        x: Tensor,
        initial: Sequence[Tensor] | None,
        mask: Tensor | None,
        way: Way,
        training: bool,
        stored: Sequence[Variable],
    ) -> tuple[Tensor, ...]:
        """Emit the op for a whole sequence and return the output and the final states."""
        return self.emit_sequence(
            self.drop_inputs(x, training),
            **dict(zip(STATES, initial or (), strict=False)),
            mask=mask,
            factors=self.draw_factors(x, training),
            return_sequences=way.return_sequences,
            go_backwards=way.go_backwards,
            zero_output_for_mask=way.zero_output_for_mask,
            stored=stored,
            **{argument: activations.serialize(function) for argument, function in self.functions().items()},
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like cell."""
        own: dict[str, Any] = {"units": self.units}
        own |= {name: activations.serialize(function) for name, function in self.functions().items()}
        for rule in WEIGHT_RULES:
            own[f"{rule}_initializer"] = to_config(getattr(self, f"{rule}_initializer"))
            own[f"{rule}_regularizer"] = regularizers.serialize(getattr(self, f"{rule}_regularizer"))
            own[f"{rule}_constraint"] = constraints.serialize(getattr(self, f"{rule}_constraint"))
        own |= {"use_bias": self.use_bias, "dropout": self.dropout, "recurrent_dropout": self.recurrent_dropout}
        return {**super().get_config(), **own, "seed": self.seed}


class GatedCell(RecurrentCell, abstract=True):
    """Base of the cells with gates, whose function is `recurrent_activation`."""

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return the functions by the names of their arguments."""
        return {**super().functions(), "recurrent_activation": self.recurrent_activation}
