"""The update rules: each changes a flat vector of parameters in place, given its gradient and the rule's slots."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fastgd.plan import UpdateSpec
from fastgd.reference.registry import Array

Hyper = Mapping[str, float]
# rule(w, g, slots, lr, t, hyper), where t counts updates from 1. All numbers are Python floats, so that float32
# vectors stay float32.
Rule = Callable[[Array, Array, Sequence[Array], float, int, Hyper], None]


@dataclass(frozen=True, slots=True)
class Update:
    """An update rule with the names of the numbers and slots it needs."""

    rule: Rule
    hyper: tuple[str, ...]
    slots: tuple[str, ...]


UPDATES: dict[str, Update] = {}


def update(name: str, hyper: tuple[str, ...] = (), slots: tuple[str, ...] = ()) -> Callable[[Rule], Rule]:
    """Return a decorator that registers a function as the update rule `name`."""

    def register(rule: Rule) -> Rule:
        UPDATES[name] = Update(rule, hyper, slots)
        return rule

    return register


def find_update(spec: UpdateSpec) -> Update:
    """Return the rule of `spec`.

    Raises:
        ValueError: if the rule is unknown, one of its numbers is missing or unknown, or the number of slots differs.
    """
    if spec.rule not in UPDATES:
        raise ValueError(f"[{spec.rule}] unknown update rule. Known rules: {', '.join(UPDATES)}.")
    found = UPDATES[spec.rule]
    missing = [name for name in found.hyper if name not in spec.hyper]
    if missing:
        raise ValueError(f"[{spec.rule}] needs the numbers {', '.join(missing)}. Received: hyper={dict(spec.hyper)}")
    unknown = [name for name in spec.hyper if name not in found.hyper]
    if unknown:
        raise ValueError(f"[{spec.rule}] does not know the numbers {', '.join(unknown)}")
    if len(spec.slots) != len(found.slots):
        raise ValueError(f"[{spec.rule}] has {len(found.slots)} slots. Received: slots={tuple(spec.slots)}")
    return found


@update("sgd")
def sgd(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """w -= lr g."""
    w -= lr * g


@update("momentum", hyper=("momentum", "nesterov"), slots=("v",))
def momentum(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """v = momentum v - lr g; w += v, or with Nesterov's look ahead w += momentum v - lr g.

    Source: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum", ICML 2013.
    """
    (v,) = slots
    mu, step = float(hyper["momentum"]), lr * g
    v *= mu
    v -= step
    if hyper["nesterov"]:
        w += mu * v - step
    else:
        w += v


@update("adam", hyper=("beta_1", "beta_2", "epsilon"), slots=("m", "v"))
def adam(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """m and v follow the means of g and g^2; w -= a m / (sqrt(v) + epsilon), where a corrects their start at zero.

    a = lr sqrt(1 - beta_2^t) / (1 - beta_1^t).

    Source: Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015, the form at the end of section 2.
    """
    m, v = slots
    beta_1, beta_2, epsilon = (float(hyper[name]) for name in ("beta_1", "beta_2", "epsilon"))
    a = lr * math.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)
    m += (g - m) * (1.0 - beta_1)
    v += (g * g - v) * (1.0 - beta_2)
    w -= a * m / (np.sqrt(v) + epsilon)
