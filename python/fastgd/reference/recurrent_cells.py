"""One time step of `simple_rnn`, `lstm` and `gru`, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from fastgd.reference.activations import activate, find_fused, gradient
from fastgd.reference.registry import Array, Attrs


class Cell:
    """The weights of a recurrent step with their gradients; a subclass says what one time step computes.

    Attributes:
        gates: how many blocks of u columns the kernels have.
        states: how many states are carried along.
        dw: the gradients of the weights, which `back` and `close` add to.
    """

    gates: ClassVar[int]
    states: ClassVar[int]

    def __init__(self, attrs: Attrs, weights: Sequence[Array]) -> None:
        """Take kernel, recurrent kernel and perhaps bias."""
        self.kernel, self.recurrent = weights[:2]
        self.bias = weights[2] if len(weights) > 2 else None
        self.units = self.recurrent.shape[0]
        self.dw = [np.zeros_like(w) for w in weights]
        functions = {"activation": "tanh", "recurrent_activation": "sigmoid", **attrs}
        self._activation = find_fused(functions)
        self._recurrent_activation = find_fused(functions, "recurrent_activation")

    def expected_bias(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (self.gates * self.units,)

    def project(self, x: Array) -> Array:
        """Return x kernel + bias for all time steps at once: (n, t, g u)."""
        a: Array = np.matmul(x.reshape(-1, x.shape[-1]), self.kernel).reshape(*x.shape[:2], -1)
        if self.bias is not None:
            a += self.bias.reshape(-1, a.shape[-1])[0]
        return a

    def unproject(self, x: Array, da: Array) -> Array:
        """Return dx from the gradient of what `project` gave, and add to those of kernel and bias."""
        rows = da.reshape(-1, da.shape[-1])
        self.dw[0] += np.matmul(x.reshape(-1, x.shape[-1]).T, rows)
        if self.bias is not None:
            self.dw[2].reshape(-1, da.shape[-1])[0] += np.sum(rows, axis=0)
        dx: Array = np.matmul(rows, self.kernel.T).reshape(x.shape)
        return dx

    def step(self, a: Array, h: Array, states: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        """Return the new states, and what `back` needs besides the old ones.

        Args:
            a: the projected input (n, g u).
            h: the first state after recurrent dropout.
            states: the states before the step.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement step(a, h, states)")

    def back(
        self, d: Sequence[Array], h: Array, states: Sequence[Array], memory: Sequence[Array]
    ) -> tuple[Array, Array, list[Array]]:
        """Return da, dh, and the gradients of `states` that do not pass through h, from those of the new states."""
        raise NotImplementedError(f"{type(self).__name__} must implement back(d, h, states, memory)")

    def _act(self, z: Array) -> Array:
        return activate(*self._activation, z)

    def _gate(self, z: Array) -> Array:
        return activate(*self._recurrent_activation, z)

    def _act_back(self, y: Array, dy: Array) -> Array:
        return gradient(*self._activation, y, y, dy)

    def _gate_back(self, y: Array, dy: Array) -> Array:
        return gradient(*self._recurrent_activation, y, y, dy)

    def _recur_back(self, h: Array, dz: Array) -> Array:
        """Return the gradient of h from that of h recurrent_kernel, and add to that of the recurrent kernel."""
        self.dw[1] += np.matmul(h.T, dz)
        dh: Array = np.matmul(dz, self.recurrent.T)
        return dh


class SimpleCell(Cell):
    """h' = f(a + h R)."""

    gates = 1
    states = 1

    def step(self, a: Array, h: Array, states: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        """Return h', and h' again for `back`."""
        y = self._act(a + np.matmul(h, self.recurrent))
        return [y], [y]

    def back(
        self, d: Sequence[Array], h: Array, states: Sequence[Array], memory: Sequence[Array]
    ) -> tuple[Array, Array, list[Array]]:
        """With z = a + h R: da = dz = f'(z) dh'."""
        dz = self._act_back(memory[0], d[0])
        return dz, self._recur_back(h, dz), [np.zeros_like(d[0])]


class LstmCell(Cell):
    """i, f, o = s(z_i), s(z_f), s(z_o) and g = f(z_c) of z = a + h R: c' = f c + i g, h' = o f(c')."""

    gates = 4
    states = 2

    def step(self, a: Array, h: Array, states: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        """Return h' and c', and i, f, g, o, f(c') for `back`."""
        z_i, z_f, z_c, z_o = np.split(a + np.matmul(h, self.recurrent), 4, axis=1)
        i, f, g, o = self._gate(z_i), self._gate(z_f), self._act(z_c), self._gate(z_o)
        c = f * states[1] + i * g
        s = self._act(c.copy())
        return [o * s, c], [i, f, g, o, s]

    def back(
        self, d: Sequence[Array], h: Array, states: Sequence[Array], memory: Sequence[Array]
    ) -> tuple[Array, Array, list[Array]]:
        """With dc = dc' + f'(c') o dh': the old c gets f dc."""
        i, f, g, o, s = memory
        dc = d[1] + self._act_back(s, d[0] * o)
        dz = np.concatenate(
            [
                self._gate_back(i, dc * g),
                self._gate_back(f, dc * states[1]),
                self._act_back(g, dc * i),
                self._gate_back(o, d[0] * s),
            ],
            axis=1,
        )
        return dz, self._recur_back(h, dz), [np.zeros_like(dc), dc * f]


class GruCell(Cell):
    """z, r = s(a_z + h R_z), s(a_r + h R_r); g = f(a_h + (r h) R_h): h' = z h + (1 - z) g.

    With `reset_after` the recurrent products have a bias b of their own, and g = f(a_h + r (h R_h + b_h)).
    """

    gates = 3
    states = 1

    def __init__(self, attrs: Attrs, weights: Sequence[Array]) -> None:
        super().__init__(attrs, weights)
        self._after = bool(attrs.get("reset_after", True))

    def expected_bias(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (2, 3 * self.units) if self._after else (3 * self.units,)

    def step(self, a: Array, h: Array, states: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        """Return h', and z, r, g and the recurrent product of g before r for `back`."""
        u = self.units
        inner = np.matmul(h, self.recurrent if self._after else self.recurrent[:, : 2 * u])
        if self._after and self.bias is not None:
            inner += self.bias[1]
        z, r = self._gate(a[:, :u] + inner[:, :u]), self._gate(a[:, u : 2 * u] + inner[:, u : 2 * u])
        last = inner[:, 2 * u :] if self._after else h
        product = r * last if self._after else np.matmul(r * last, self.recurrent[:, 2 * u :])
        g = self._act(a[:, 2 * u :] + product)
        return [z * states[0] + (1 - z) * g], [z, r, g, last]

    def back(
        self, d: Sequence[Array], h: Array, states: Sequence[Array], memory: Sequence[Array]
    ) -> tuple[Array, Array, list[Array]]:
        """The old state gets z dh' besides what comes through the recurrent products."""
        z, r, g, last = memory
        u = self.units
        dz_h = self._act_back(g, d[0] * (1 - z))
        # By the product of r and what it multiplies.
        d_product = dz_h if self._after else np.matmul(dz_h, self.recurrent[:, 2 * u :].T)
        dz_z = self._gate_back(z, d[0] * (states[0] - g))
        dz_r = self._gate_back(r, d_product * last)
        da = np.concatenate([dz_z, dz_r, dz_h], axis=1)
        if self._after:
            d_inner = np.concatenate([dz_z, dz_r, d_product * r], axis=1)
            if self.bias is not None:
                self.dw[2][1] += np.sum(d_inner, axis=0)
            return da, self._recur_back(h, d_inner), [d[0] * z]
        self.dw[1][:, 2 * u :] += np.matmul((r * h).T, dz_h)
        self.dw[1][:, : 2 * u] += np.matmul(h.T, da[:, : 2 * u])
        dh = np.matmul(da[:, : 2 * u], self.recurrent[:, : 2 * u].T) + d_product * r
        return da, dh, [d[0] * z]


CELLS: dict[str, type[Cell]] = {"simple_rnn": SimpleCell, "lstm": LstmCell, "gru": GruCell}
