"""The cells of recurrent layers: SimpleRNNCell, LSTMCell and GRUCell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastgd import ops
from fastgd.layers.recurrent_cell import GatedCell, RecurrentCell
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_bool


class SimpleRNNCell(RecurrentCell):
    """`h = f(x kernel + bias + h' recurrent_kernel)`, h' being the state before: the cell of SimpleRNN.

    A cell takes one time step: `output, states = cell(x, states)`. `RNN(cell)` takes it along a sequence.

    Args:
        units: the size of h.
        activation: f: a name, a function of `fastgd.activations` or one written with `fastgd.ops`; None is linear.
        use_bias: whether there is a bias.
        kernel_initializer: the initial kernel, of shape (features, units).
        recurrent_initializer: the initial recurrent kernel, of shape (units, units).
        bias_initializer: the initial bias, of shape (units,).
        kernel_regularizer: the penalty on the kernel: a name, a config, a Regularizer or a function.
        recurrent_regularizer: the same for the recurrent kernel.
        bias_regularizer: the same for the bias.
        kernel_constraint: what the kernel goes through after each update: a name, a config, a Constraint or a function.
        recurrent_constraint: the same for the recurrent kernel.
        bias_constraint: the same for the bias.
        dropout: the share of the elements of x set to zero in training, from 0 to 1; a layer draws them once per batch,
            for all time steps alike.
        recurrent_dropout: the same for the state in its product with the recurrent kernel.
        seed: of both; from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, features) and h' (batch, units) give h (batch, units) and the list [h].

    Raises:
        ValueError: if `units` is not positive or a name is unknown.

    Example:
        >>> fastgd.layers.RNN(fastgd.layers.SimpleRNNCell(16))

    Source:
        Elman, Finding structure in time, Cognitive Science 14, 1990.
    """

    gates = 1

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        initial = kernel_initializer, recurrent_initializer, bias_initializer
        penalties = kernel_regularizer, recurrent_regularizer, bias_regularizer
        limits = kernel_constraint, recurrent_constraint, bias_constraint
        rules = *initial, *penalties, *limits
        super().__init__(units, activation, None, use_bias, *rules, dropout, recurrent_dropout, seed, **kwargs)

    def step(self, inputs: Tensor, states: Sequence[Tensor], h: Tensor) -> list[Tensor]:
        """Emit one time step."""
        z = ops.dense(inputs, self.kernel, self.bias) + ops.dense(h, self.recurrent_kernel)
        return [self.activation(z)]

    def emit_sequence(self, x: Tensor, **arguments: Any) -> tuple[Tensor, ...]:
        """Emit the op for a whole sequence."""
        return ops.simple_rnn(x, self.kernel, self.recurrent_kernel, self.bias, **arguments)


class LSTMCell(GatedCell):
    """The cell of LSTM: with z = x kernel + bias + h' recurrent_kernel, of blocks i, f, c, o, and states h' and c':
    `c = s(z_f) c' + s(z_i) f(z_c)`, `h = s(z_o) f(c)`.

    Args:
        units: the size of h and c.
        activation: f, as in `SimpleRNNCell`.
        recurrent_activation: s, the same.
        use_bias: whether there is a bias.
        kernel_initializer: the initial kernel, of shape (features, 4 units).
        recurrent_initializer: the initial recurrent kernel, of shape (units, 4 units).
        bias_initializer: the initial bias, of shape (4 units,).
        unit_forget_bias: whether the block f of the bias begins with 1 instead.
        kernel_regularizer: as in `SimpleRNNCell`, like all that follow.
        recurrent_regularizer: the penalty on the recurrent kernel.
        bias_regularizer: the penalty on the bias.
        kernel_constraint: what the kernel goes through after each update.
        recurrent_constraint: the same for the recurrent kernel.
        bias_constraint: the same for the bias.
        dropout: the share of the elements of x set to zero in training.
        recurrent_dropout: the same for h' in its product.
        seed: of both.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, features) and [h', c'], each (batch, units), give h and [h, c].

    Raises:
        ValueError: if `units` is not positive or a name is unknown.

    Example:
        >>> fastgd.layers.RNN([fastgd.layers.LSTMCell(32), fastgd.layers.LSTMCell(16)])

    Source:
        Hochreiter, Schmidhuber, Long short-term memory, Neural Computation 9, 1997; with forget gates: Gers,
        Schmidhuber, Cummins, Learning to forget, Neural Computation 12, 2000.
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = "tanh",
        recurrent_activation: str | Callable[..., Any] | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        functions = activation, recurrent_activation
        initial = kernel_initializer, recurrent_initializer, bias_initializer
        penalties = kernel_regularizer, recurrent_regularizer, bias_regularizer
        limits = kernel_constraint, recurrent_constraint, bias_constraint
        rules = *initial, *penalties, *limits
        super().__init__(units, *functions, use_bias, *rules, dropout, recurrent_dropout, seed, **kwargs)
        self.unit_forget_bias = check_bool("unit_forget_bias", unit_forget_bias)
        self.state_size = [self.units, self.units]

    def build(self, input_shape: Any, states_shape: Any = None) -> None:
        """Make the weights."""
        super().build(input_shape, states_shape)
        if self.bias is not None and self.unit_forget_bias:
            self.bias.value[self.units : 2 * self.units] = 1.0

    def step(self, inputs: Tensor, states: Sequence[Tensor], h: Tensor) -> list[Tensor]:
        """Emit one time step."""
        z = ops.dense(inputs, self.kernel, self.bias) + ops.dense(h, self.recurrent_kernel)
        z_i, z_f, z_c, z_o = ops.split(z, 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(z_f) * states[1] + gate(z_i) * self.activation(z_c)
        return [gate(z_o) * self.activation(c), c]

    def emit_sequence(self, x: Tensor, **arguments: Any) -> tuple[Tensor, ...]:
        """Emit the op for a whole sequence."""
        return ops.lstm(x, self.kernel, self.recurrent_kernel, self.bias, **arguments)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like cell."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


class GRUCell(GatedCell):
    """The cell of GRU: with a = x kernel + bias and b = h' recurrent_kernel, of blocks z, r, h, and the state h':
    `z = s(a_z + b_z)`, `r = s(a_r + b_r)`, `h = z h' + (1 - z) g`.

    g is `f(a_h + r b_h)` with `reset_after`, and the bias has a second row, which is added to b. Otherwise it is
    `f(a_h + (r h') recurrent_kernel_h)`.

    Args:
        units: the size of h.
        activation: f, as in `SimpleRNNCell`.
        recurrent_activation: s, the same.
        use_bias: whether there is a bias.
        kernel_initializer: the initial kernel, of shape (features, 3 units).
        recurrent_initializer: the initial recurrent kernel, of shape (units, 3 units).
        bias_initializer: the initial bias, of shape (2, 3 units), or (3 units,) without `reset_after`.
        kernel_regularizer: as in `SimpleRNNCell`, like all that follow.
        recurrent_regularizer: the penalty on the recurrent kernel.
        bias_regularizer: the penalty on the bias.
        kernel_constraint: what the kernel goes through after each update.
        recurrent_constraint: the same for the recurrent kernel.
        bias_constraint: the same for the bias.
        dropout: the share of the elements of x set to zero in training.
        recurrent_dropout: the same for h' in its products.
        reset_after: whether r is applied after the recurrent product.
        seed: of both.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, features) and h' (batch, units) give h (batch, units) and the list [h].

    Raises:
        ValueError: if `units` is not positive or a name is unknown.

    Example:
        >>> fastgd.layers.RNN(fastgd.layers.GRUCell(16))

    Source:
        Cho and others, Learning phrase representations using RNN encoder-decoder, EMNLP 2014.
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = "tanh",
        recurrent_activation: str | Callable[..., Any] | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        functions = activation, recurrent_activation
        initial = kernel_initializer, recurrent_initializer, bias_initializer
        penalties = kernel_regularizer, recurrent_regularizer, bias_regularizer
        limits = kernel_constraint, recurrent_constraint, bias_constraint
        rules = *initial, *penalties, *limits
        super().__init__(units, *functions, use_bias, *rules, dropout, recurrent_dropout, seed, **kwargs)
        self.reset_after = check_bool("reset_after", reset_after)

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def step(self, inputs: Tensor, states: Sequence[Tensor], h: Tensor) -> list[Tensor]:
        """Emit one time step."""
        u, read = self.units, inputs.builder.read
        a, recurrent = ops.dense(inputs, self.kernel), read(self.recurrent_kernel)
        if self.reset_after:
            b = ops.dense(h, self.recurrent_kernel)
            if self.bias is not None:
                bias = read(self.bias)
                a, b = a + bias[0], b + bias[1]
        else:
            a = a if self.bias is None else a + self.bias
            b = ops.matmul(h, recurrent[:, : 2 * u])
        z = self.recurrent_activation(a[:, :u] + b[:, :u])
        r = self.recurrent_activation(a[:, u : 2 * u] + b[:, u : 2 * u])
        product = r * b[:, 2 * u :] if self.reset_after else ops.matmul(r * h, recurrent[:, 2 * u :])
        return [z * states[0] + (1.0 - z) * self.activation(a[:, 2 * u :] + product)]

    def emit_sequence(self, x: Tensor, **arguments: Any) -> tuple[Tensor, ...]:
        """Emit the op for a whole sequence."""
        kernels = self.kernel, self.recurrent_kernel
        return ops.gru(x, *kernels, self.bias, reset_after=self.reset_after, **arguments)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like cell."""
        return {**super().get_config(), "reset_after": self.reset_after}
