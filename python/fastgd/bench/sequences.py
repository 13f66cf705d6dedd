"""Layers of networks for sequences, as data: recurrent ones, embeddings, attention. Shapes are (time, features)."""

from __future__ import annotations

from dataclasses import dataclass

from fastgd.bench.networks import Layer, Shape, Variable

# How many gates the kernels of each recurrent layer hold, and how many rows its bias has.
GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}
BIAS_ROWS = {"lstm": 1, "gru": 2, "simple_rnn": 1}

# What everyone's layer normalisation uses: Keras' number.
LAYER_EPSILON = 1e-3


@dataclass(frozen=True)
class SequenceLayer(Layer):
    """A layer that only networks for sequences have."""


@dataclass(frozen=True)
class Recurrent(SequenceLayer):
    """A recurrent layer with Keras' functions, without dropout.

    Attributes:
        kind: "lstm", "gru" (which resets after the product) or "simple_rnn".
        units: the size of its state.
        sequences: whether it gives the output of every step, not only of the last.
        both: whether a second one goes backwards, their outputs side by side.
    """

    kind: str
    units: int
    sequences: bool = False
    both: bool = False

    @property
    def label(self) -> str:
        """Kind and units."""
        return ("bidirectional " if self.both else "") + f"{self.kind.replace('simple_', '').upper()} {self.units}"

    def output_shape(self, shape: Shape) -> Shape:
        """Return (time, features), or (features,) of the last step."""
        features = self.units * (2 if self.both else 1)
        return (shape[0], features) if self.sequences else (features,)

    def variables(self, shape: Shape) -> tuple[Variable, ...]:
        """Return kernel (inputs, gates units), recurrent kernel (units, gates units) and bias, for each direction."""
        columns, rows = GATES[self.kind] * self.units, BIAS_ROWS[self.kind]
        limit = self.units**-0.5
        bias = Variable((columns,) if rows == 1 else (rows, columns))
        one = Variable((shape[1], columns), limit), Variable((self.units, columns), limit), bias
        return one + one if self.both else one


@dataclass(frozen=True)
class Embedding(SequenceLayer):
    """A row of a table for every token; the inputs are numbers below `vocabulary`."""

    vocabulary: int
    size: int

    @property
    def label(self) -> str:
        """The table."""
        return f"embedding {self.vocabulary}x{self.size}"

    def output_shape(self, shape: Shape) -> Shape:
        """Return (time, size)."""
        return (*shape, self.size)

    def variables(self, shape: Shape) -> tuple[Variable, ...]:
        """Return the table."""
        return (Variable((self.vocabulary, self.size), 0.05),)


@dataclass(frozen=True)
class SelfAttention(SequenceLayer):
    """`normalise(x + attention(x, x))`: attention of several heads, the sum with its input, layer normalisation."""

    heads: int

    @property
    def label(self) -> str:
        """The heads."""
        return f"attention of {self.heads} heads"

    def variables(self, shape: Shape) -> tuple[Variable, ...]:
        """Return kernel and bias for query, key and value, then for the output, then scale and offset."""
        width = shape[1]
        size = width // self.heads
        limit = (3.0 / width) ** 0.5
        one = Variable((width, self.heads, size), limit), Variable((self.heads, size))
        out = Variable((self.heads, size, width), limit), Variable((width,))
        return (*one, *one, *one, *out, Variable((width,), value=1.0), Variable((width,)))


@dataclass(frozen=True)
class MeanOverTime(SequenceLayer):
    """The mean over all steps."""

    @property
    def label(self) -> str:
        """The usual word."""
        return "mean"

    def output_shape(self, shape: Shape) -> Shape:
        """Return (features,)."""
        return shape[1:]
