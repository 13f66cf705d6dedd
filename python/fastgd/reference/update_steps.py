"""The steps around every update rule: loss scale, accumulation, clipping, weight decay, and averages of the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from fastgd.plan import UpdateSpec
from fastgd.reference.registry import Array
from fastgd.reference.updates import find_update

# The numbers of these steps, in any `UpdateSpec`. The first three exclude each other.
CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
ACCUMULATION, AVERAGE, OVERWRITE = "gradient_accumulation_steps", "ema_momentum", "ema_overwrite_frequency"
NUMBERS = (*CLIPS, "weight_decay", "loss_scale_factor", ACCUMULATION, AVERAGE, OVERWRITE)


class UpdateSteps:
    """All that one batch does to the parameters once their gradients are known.

    Args:
        spec: the rule, its numbers and those of the steps around it.
        slots: one flat array per slot of the spec: those of the rule, then the accumulator, then the average.
        parts: for each trainable parameter its part of the flat arrays.

    Raises:
        ValueError: if the rule is unknown, one of the numbers is missing or unknown, or the number of slots differs.
    """

    def __init__(self, spec: UpdateSpec, slots: Sequence[Array], parts: Sequence[slice]) -> None:
        found = find_update(spec)
        hyper = spec.hyper
        unknown = [name for name in hyper if name not in (*found.hyper, *found.choices, *NUMBERS)]
        if unknown:
            raise ValueError(f"[{spec.rule}] does not know the numbers {', '.join(unknown)}")
        own = len(found.slots_of(hyper))
        count = own + (ACCUMULATION in hyper) + (AVERAGE in hyper)
        if len(spec.slots) != count:
            raise ValueError(f"[{spec.rule}] has {count} slots. Received: slots={tuple(spec.slots)}")
        if len(slots) != count:
            raise ValueError(f"[{spec.rule}] has {count} slots. Received: {len(slots)} arrays")
        if sum(name in hyper for name in CLIPS) > 1:
            raise ValueError(f"[{spec.rule}] a gradient is clipped in one way only. Received: hyper={dict(hyper)}")
        if not all(0 <= place < len(parts) for place in spec.undecayed):
            raise ValueError(f"[{spec.rule}] names parameters that do not exist: undecayed={spec.undecayed}")
        self._rule = found.rule
        self._hyper: Mapping[str, float] = {name: float(value) for name, value in hyper.items()}
        self._undecayed = spec.undecayed
        self._parts = parts
        self._slots = slots[:own]
        self._accumulator = slots[own] if ACCUMULATION in hyper else None
        self._average = slots[-1] if AVERAGE in hyper else None

    @property
    def loss_scale(self) -> float:
        """What the loss has been multiplied by where `step` gets its gradient."""
        return self._hyper.get("loss_scale_factor", 1.0)

    def step(self, weights: Sequence[Array], gradient: Array, lr: float, calls: int) -> None:
        """Change the weights after a batch.

        Args:
            weights: each trainable parameter as a flat vector, changed in place.
            gradient: the flat gradient.
            lr: the learning rate.
            calls: the number of batches before this one.
        """
        # With k gradients per update only every k-th call updates.
        updates, late = divmod(calls, int(self._hyper.get(ACCUMULATION, 1)))
        total = gradient / self.loss_scale
        if self._accumulator is not None:
            self._accumulator += total
            total = self._accumulator / self._hyper[ACCUMULATION]
        if late + 1 == self._hyper.get(ACCUMULATION, 1):
            if self._accumulator is not None:
                self._accumulator[:] = 0.0
            self._update(weights, [total[part] for part in self._parts], lr, updates + 1)
        self._follow(weights, updates)

    def _update(self, weights: Sequence[Array], gradients: Sequence[Array], lr: float, t: int) -> None:
        """Clip, w -= weight_decay lr w, then the rule, whose t counts from 1.

        Source: Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019.
        """
        decay = self._hyper.get("weight_decay", 0.0)
        for place, (w, g) in enumerate(zip(weights, self._clipped(gradients), strict=True)):
            if place not in self._undecayed:
                w -= decay * lr * w
            self._rule(w, g, [slot[self._parts[place]] for slot in self._slots], lr, t, self._hyper)

    def _clipped(self, gradients: Sequence[Array]) -> list[Array]:
        """Return the gradients with elements, the norm of each or that of all together no larger than the limit.

        Source: Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
        """
        if "clipvalue" in self._hyper:
            limit = self._hyper["clipvalue"]
            return [np.clip(g, -limit, limit) for g in gradients]
        squares = [float(np.sum(g.astype(np.float64) ** 2)) for g in gradients]
        if "clipnorm" in self._hyper:
            limit = self._hyper["clipnorm"]
            return [g * _factor(math.sqrt(s), limit) for g, s in zip(gradients, squares, strict=True)]
        if "global_clipnorm" in self._hyper:
            norm = math.sqrt(sum(squares))
            # Where one gradient is not finite, all become NaN and can be seen to be spoilt.
            factor = _factor(norm, self._hyper["global_clipnorm"]) if math.isfinite(norm) else math.nan
            return [g * factor for g in gradients]
        return list(gradients)

    def _follow(self, weights: Sequence[Array], updates: int) -> None:
        """average = m average + (1 - m) w, with 0 for m until the first update is done; now and then w = average.

        Source: Polyak, Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control 1992.
        """
        if self._average is None:
            return
        m = self._hyper[AVERAGE] if updates else 0.0
        every = int(self._hyper.get(OVERWRITE, 0))
        for w, part in zip(weights, self._parts, strict=True):
            self._average[part] = m * self._average[part] + (1.0 - m) * w
            if every and (updates + 1) % every == 0:
                w[:] = self._average[part]


def _factor(norm: float, limit: float) -> float:
    return 1.0 if norm <= limit else limit / norm
