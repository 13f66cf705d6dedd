"""The recurrent layers of one cell each: SimpleRNN, LSTM and GRU."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from fastgd.layers.recurrent_cell import RecurrentCell
from fastgd.layers.recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell
from fastgd.layers.rnn import RNN
from fastgd.utils.errors import invalid

# The arguments that these layers hand to RNN and to the base of all layers.
WAYS = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "activity_regularizer")


class CellLayer(RNN, abstract=True):
    """Base of the layers around one cell of this library, whose arguments they share: `layer.units`, for instance."""

    def __init__(self, make: type[RecurrentCell], given: Mapping[str, Any], /, **kwargs: Any) -> None:
        """Make the cell, and take the other arguments.

        Args:
            make: the class of the cell.
            given: the `locals()` of the layer's `__init__`: its arguments are those of the cell and those of RNN.
            **kwargs: those of RNN and of `Layer` that the layer takes as its own `kwargs`.
        """
        arguments = {name: given[name] for name in inspect.signature(make).parameters if name != "kwargs"}
        ways = {name: given[name] for name in WAYS}
        super().__init__(make(**arguments), **ways, **kwargs)
        self._shared = tuple(arguments)

    def __getattr__(self, name: str) -> Any:
        """Return an argument of the cell."""
        if name not in self.__dict__.get("_shared", ()):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.cell, name)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        own = super().get_config()
        cell = own.pop("cell")["config"]
        return {**own, **{name: cell[name] for name in self._shared}}


class SimpleRNN(CellLayer):
    """A fully connected recurrent layer: `h_t = f(x_t kernel + bias + h_{t-1} recurrent_kernel)`.

    Args:
        units: the size of the output and of each state.
        activation: f: a name, a function of `fastgd.activations` or one written with `fastgd.ops`; None is linear.
        use_bias: whether there is a bias.
        kernel_initializer: the initial kernel, of shape (features, units).
        recurrent_initializer: the initial recurrent kernel, of shape (units, units).
        bias_initializer: the initial bias, of shape (units,).
        kernel_regularizer: the penalty on the kernel: a name, a config, a Regularizer or a function.
        recurrent_regularizer: the same for the recurrent kernel.
        bias_regularizer: the same for the bias.
        activity_regularizer: the penalty on the outputs, divided by the batch size.
        kernel_constraint: what the kernel goes through after each update: a name, a config, a Constraint or a function.
        recurrent_constraint: the same for the recurrent kernel.
        bias_constraint: the same for the bias.
        dropout: the share of the features set to zero in training, from 0 to 1, drawn once per batch for all steps
            alike.
        recurrent_dropout: the same for the state in its products with the recurrent kernel.
        return_sequences: whether to return the output of each step, in the order in which they are made.
        return_state: whether to return the final state besides.
        go_backwards: whether to begin with the last step.
        stateful: whether each batch begins with the state that the one before left, as in `RNN`.
        unroll: whether to write the steps out; it changes nothing here.
        seed: of both; from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: `zero_output_for_mask`, as in `RNN`, and those of `Layer`.

    Shapes:
        x (batch, steps, features) gives (batch, units), or (batch, steps, units) with `return_sequences`; with
        `return_state` a tuple of that and h, each (batch, units).

    Raises:
        ValueError: if `units` is not positive or a name is unknown.

    Example:
        >>> fastgd.layers.SimpleRNN(16, return_sequences=True)

    Source:
        Elman, Finding structure in time, Cognitive Science 14, 1990.
    """

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(SimpleRNNCell, locals(), **kwargs)


class LSTM(CellLayer):
    """Long short-term memory: with z = x_t kernel + bias + h_{t-1} recurrent_kernel, of blocks i, f, c, o:
    `c_t = s(z_f) c_{t-1} + s(z_i) f(z_c)`, `h_t = s(z_o) f(c_t)`.

    Args:
        units: the size of the output and of each state.
        activation: f: a name, a function of `fastgd.activations` or one written with `fastgd.ops`; None is linear.
        recurrent_activation: s, the function of the gates, the same.
        use_bias: whether there is a bias.
        kernel_initializer: the initial kernel, of shape (features, 4 units).
        recurrent_initializer: the initial recurrent kernel, of shape (units, 4 units).
        bias_initializer: the initial bias, of shape (4 units,).
        unit_forget_bias: whether the block f of the bias begins with 1 instead.
        kernel_regularizer: the penalty on the kernel: a name, a config, a Regularizer or a function.
        recurrent_regularizer: the same for the recurrent kernel.
        bias_regularizer: the same for the bias.
        activity_regularizer: the penalty on the outputs, divided by the batch size.
        kernel_constraint: what the kernel goes through after each update: a name, a config, a Constraint or a function.
        recurrent_constraint: the same for the recurrent kernel.
        bias_constraint: the same for the bias.
        dropout: the share of the features set to zero in training, from 0 to 1, drawn once per batch for all steps
            alike.
        recurrent_dropout: the same for the state in its products with the recurrent kernel.
        seed: of both; from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        return_sequences: whether to return the output of each step, in the order in which they are made.
        return_state: whether to return the final states besides.
        go_backwards: whether to begin with the last step.
        stateful: whether each batch begins with the states that the one before left, as in `RNN`.
        unroll: whether to write the steps out; it changes nothing here.
        use_cudnn: accepted for the sake of Keras: there is no cuDNN on a CPU.
        **kwargs: `zero_output_for_mask`, as in `RNN`, and those of `Layer`.

    Shapes:
        x (batch, steps, features) gives (batch, units), or (batch, steps, units) with `return_sequences`; with
        `return_state` a tuple of that and h and c, each (batch, units).

    Raises:
        ValueError: if `units` is not positive or a name is unknown.

    Example:
        >>> fastgd.layers.LSTM(64)

    Source:
        Hochreiter, Schmidhuber, Long short-term memory, Neural Computation 9, 1997; with forget gates: Gers,
        Schmidhuber, Cummins, Learning to forget, Neural Computation 12, 2000.
    """

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(LSTMCell, locals(), **kwargs)
        self.use_cudnn = check_cudnn(use_cudnn)


class GRU(CellLayer):
    """Gated recurrent units: with a = x_t kernel + bias and b = h_{t-1} recurrent_kernel, of blocks z, r, h:
    `z = s(a_z + b_z)`, `r = s(a_r + b_r)`, `h_t = z h_{t-1} + (1 - z) g`.

    g is `f(a_h + r b_h)` with `reset_after`, and the bias has a second row, which is added to b. Otherwise it is
    `f(a_h + (r h_{t-1}) recurrent_kernel_h)`.

    Args:
        units: the size of the output and of each state.
        activation: f: a name, a function of `fastgd.activations` or one written with `fastgd.ops`; None is linear.
        recurrent_activation: s, the function of the gates, the same.
        use_bias: whether there is a bias.
        kernel_initializer: the initial kernel, of shape (features, 3 units).
        recurrent_initializer: the initial recurrent kernel, of shape (units, 3 units).
        bias_initializer: the initial bias, of shape (2, 3 units), or (3 units,) without `reset_after`.
        kernel_regularizer: the penalty on the kernel: a name, a config, a Regularizer or a function.
        recurrent_regularizer: the same for the recurrent kernel.
        bias_regularizer: the same for the bias.
        activity_regularizer: the penalty on the outputs, divided by the batch size.
        kernel_constraint: what the kernel goes through after each update: a name, a config, a Constraint or a function.
        recurrent_constraint: the same for the recurrent kernel.
        bias_constraint: the same for the bias.
        dropout: the share of the features set to zero in training, from 0 to 1, drawn once per batch for all steps
            alike.
        recurrent_dropout: the same for the state in its products with the recurrent kernel.
        seed: of both; from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        return_sequences: whether to return the output of each step, in the order in which they are made.
        return_state: whether to return the final state besides.
        go_backwards: whether to begin with the last step.
        stateful: whether each batch begins with the state that the one before left, as in `RNN`.
        unroll: whether to write the steps out; it changes nothing here.
        reset_after: whether r is applied after the recurrent product.
        use_cudnn: accepted for the sake of Keras: there is no cuDNN on a CPU.
        **kwargs: `zero_output_for_mask`, as in `RNN`, and those of `Layer`.

    Shapes:
        x (batch, steps, features) gives (batch, units), or (batch, steps, units) with `return_sequences`; with
        `return_state` a tuple of that and h, each (batch, units).

    Raises:
        ValueError: if `units` is not positive or a name is unknown.

    Example:
        >>> fastgd.layers.GRU(64, return_sequences=True, return_state=True)

    Source:
        Cho and others, Learning phrase representations using RNN encoder-decoder, EMNLP 2014.
    """

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(GRUCell, locals(), **kwargs)
        self.use_cudnn = check_cudnn(use_cudnn)


def check_cudnn(use_cudnn: Any) -> bool | str:
    """Return `use_cudnn` if it is one of the values that Keras takes."""
    if use_cudnn == "auto":
        return "auto"
    if not isinstance(use_cudnn, bool):
        raise invalid("`use_cudnn` must be 'auto', True or False.", use_cudnn=use_cudnn)
    return use_cudnn
