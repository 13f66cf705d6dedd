"""The update rules: each changes a flat vector of parameters in place, given its gradient and the rule's slots."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fastgd.plan import UpdateSpec
from fastgd.reference.registry import Array

Hyper = Mapping[str, float]
# rule(w, g, slots, lr, t, hyper), where t counts updates from 1. All numbers are Python floats, so that float32
# vectors stay float32.
Rule = Callable[[Array, Array, Sequence[Array], float, int, Hyper], None]


@dataclass(frozen=True, slots=True)
class Update:
    """An update rule with the names of the numbers and slots it needs, and of the numbers that it may be given.

    Slots in `optional` exist only where the number named there is not zero.
    """

    rule: Rule
    hyper: tuple[str, ...]
    slots: tuple[str, ...]
    optional: Mapping[str, str]
    choices: tuple[str, ...]

    def slots_of(self, hyper: Hyper) -> tuple[str, ...]:
        """Return the slots that the rule needs with these numbers."""
        return tuple(name for name in self.slots if name not in self.optional or hyper[self.optional[name]])


UPDATES: dict[str, Update] = {}


def update(
    name: str,
    hyper: tuple[str, ...] = (),
    slots: tuple[str, ...] = (),
    optional: Mapping[str, str] | None = None,
    choices: tuple[str, ...] = (),
) -> Callable[[Rule], Rule]:
    """Return a decorator that registers a function as the update rule `name`."""

    def register(rule: Rule) -> Rule:
        UPDATES[name] = Update(rule, hyper, slots, optional or {}, choices)
        return rule

    return register


def find_update(spec: UpdateSpec) -> Update:
    """Return the rule of `spec`.

    Raises:
        ValueError: if the rule is unknown, or one of its numbers is missing.
    """
    if spec.rule not in UPDATES:
        raise ValueError(f"[{spec.rule}] unknown update rule. Known rules: {', '.join(UPDATES)}.")
    found = UPDATES[spec.rule]
    missing = [name for name in found.hyper if name not in spec.hyper]
    if missing:
        raise ValueError(f"[{spec.rule}] needs the numbers {', '.join(missing)}. Received: hyper={dict(spec.hyper)}")
    return found


def divisor(d: Array) -> Array:
    """Return d, or the smallest normal number where d is less: a gradient of 0 moves nothing even if epsilon is 0."""
    bounded: Array = np.maximum(d, np.finfo(d.dtype).tiny)
    return bounded


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


@update("adam", hyper=("beta_1", "beta_2", "epsilon"), slots=("m", "v"), choices=("corrects_epsilon",))
def adam(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """m and v follow the means of g and g^2; w -= a m / (sqrt(v) + epsilon), where a corrects their start at zero.

    a = lr sqrt(1 - beta_2^t) / (1 - beta_1^t). With `corrects_epsilon` epsilon is multiplied by sqrt(1 - beta_2^t), as
    if it were added to the root of the corrected v.

    Source: Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015, the form at the end of section 2, or
    with `corrects_epsilon` that of algorithm 1.
    """
    m, v = slots
    beta_1, beta_2, epsilon = adam_numbers(hyper, t)
    a = lr * math.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)
    m += (g - m) * (1.0 - beta_1)
    v += (g * g - v) * (1.0 - beta_2)
    w -= a * m / divisor(np.sqrt(v) + epsilon)


@update("amsgrad", hyper=("beta_1", "beta_2", "epsilon"), slots=("m", "v", "top"), choices=("corrects_epsilon",))
def amsgrad(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """Adam with top, the largest v so far, in place of v: w -= a m / (sqrt(top) + epsilon).

    Source: Reddi, Kale, Kumar, "On the convergence of Adam and beyond", ICLR 2018; the correction as in Adam.
    """
    m, v, top = slots
    beta_1, beta_2, epsilon = adam_numbers(hyper, t)
    a = lr * math.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)
    m += (g - m) * (1.0 - beta_1)
    v += (g * g - v) * (1.0 - beta_2)
    np.maximum(top, v, out=top)
    w -= a * m / divisor(np.sqrt(top) + epsilon)


def adam_numbers(hyper: Hyper, t: int) -> tuple[float, float, float]:
    """Return beta_1, beta_2 and what is added to the root in step t."""
    beta_1, beta_2, epsilon = (float(hyper[name]) for name in ("beta_1", "beta_2", "epsilon"))
    if hyper.get("corrects_epsilon"):
        epsilon *= math.sqrt(1.0 - beta_2**t)
    return beta_1, beta_2, epsilon


@update("adamax", hyper=("beta_1", "beta_2", "epsilon"), slots=("m", "u"))
def adamax(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """m follows the mean of g; u = max(beta_2 u, |g|); w -= lr / (1 - beta_1^t) m / (u + epsilon).

    Source: Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.1.
    """
    m, u = slots
    beta_1, beta_2, epsilon = (float(hyper[name]) for name in ("beta_1", "beta_2", "epsilon"))
    m += (g - m) * (1.0 - beta_1)
    np.maximum(beta_2 * u, np.abs(g), out=u)
    w -= lr / (1.0 - beta_1**t) * m / divisor(u + epsilon)


@update("nadam", hyper=("beta_1", "beta_2", "epsilon"), slots=("m", "v"))
def nadam(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """Adam that looks ahead by Nesterov's momentum, with a beta_1 that grows: u_t = beta_1 (1 - 0.96^t / 2).

    m and v as in Adam; P = u_1 ... u_t; m' = u_(t+1) m / (1 - P u_(t+1)) + (1 - u_t) g / (1 - P);
    w -= lr m' / (sqrt(v / (1 - beta_2^t)) + epsilon).

    Source: Dozat, "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop.
    """
    m, v = slots
    beta_1, beta_2, epsilon = (float(hyper[name]) for name in ("beta_1", "beta_2", "epsilon"))
    now, after, product = nadam_beta(beta_1, t), nadam_beta(beta_1, t + 1), nadam_product(beta_1, t)
    m += (g - m) * (1.0 - beta_1)
    v += (g * g - v) * (1.0 - beta_2)
    ahead = after / (1.0 - product * after) * m + (1.0 - now) / (1.0 - product) * g
    w -= lr * ahead / divisor(np.sqrt(v / (1.0 - beta_2**t)) + epsilon)


def nadam_beta(beta_1: float, t: int) -> float:
    """Return beta_1 (1 - 0.96^t / 2)."""
    return beta_1 * (1.0 - 0.5 * 0.96**t)


@lru_cache
def nadam_product(beta_1: float, t: int) -> float:
    """Return the product of Nadam's beta_1 in the steps 1 to t: a number of the step, so that no slot must hold it."""
    product = 1.0
    for step in range(1, t + 1):
        product *= nadam_beta(beta_1, step)
        if product == 0.0:
            break
    return product


@update("lion", hyper=("beta_1", "beta_2"), slots=("m",))
def lion(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """w -= lr sign(beta_1 m + (1 - beta_1) g); then m = beta_2 m + (1 - beta_2) g.

    Source: Chen and others, "Symbolic discovery of optimization algorithms", NeurIPS 2023.
    """
    (m,) = slots
    beta_1, beta_2 = float(hyper["beta_1"]), float(hyper["beta_2"])
    w -= lr * np.sign(beta_1 * m + (1.0 - beta_1) * g)
    m += (g - m) * (1.0 - beta_2)


@update(
    "rmsprop",
    hyper=("rho", "momentum", "epsilon", "centered"),
    slots=("v", "a", "speed"),
    optional={"a": "centered", "speed": "momentum"},
)
def rmsprop(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """v follows the mean of g^2; w -= lr g / sqrt(v + epsilon).

    Centered: a follows the mean of g, and v - a^2 takes the place of v under the root; it is no less than 0 but for
    rounding, which is cut off. With momentum: speed = momentum speed + lr g / sqrt(...); w -= speed.

    Source: Tieleman, Hinton, "Lecture 6.5: rmsprop", Coursera 2012; centered: Graves, "Generating sequences with
    recurrent neural networks", 2013.
    """
    v, *others = slots
    rest, epsilon = 1.0 - float(hyper["rho"]), float(hyper["epsilon"])
    v += (g * g - v) * rest
    square = v
    if hyper["centered"]:
        a = others.pop(0)
        a += (g - a) * rest
        square = np.maximum(v - a * a, 0.0)
    step = lr * g / divisor(np.sqrt(square + epsilon))
    if hyper["momentum"]:
        (speed,) = others
        speed *= float(hyper["momentum"])
        speed += step
        step = speed
    w -= step


@update("adagrad", hyper=("epsilon",), slots=("a",))
def adagrad(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """a += g^2; w -= lr g / sqrt(a + epsilon).

    Source: Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning", JMLR 2011.
    """
    (a,) = slots
    a += g * g
    w -= lr * g / divisor(np.sqrt(a + float(hyper["epsilon"])))


@update("adadelta", hyper=("rho", "epsilon"), slots=("a", "d"))
def adadelta(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """a and d follow the means of g^2 and s^2, where s = sqrt(d + epsilon) / sqrt(a + epsilon) g; w -= lr s.

    Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
    """
    a, d = slots
    rest, epsilon = 1.0 - float(hyper["rho"]), float(hyper["epsilon"])
    a += (g * g - a) * rest
    step = np.sqrt(d + epsilon) / divisor(np.sqrt(a + epsilon)) * g
    d += (step * step - d) * rest
    w -= lr * step


@update("ftrl", hyper=("learning_rate_power", "l1", "l2", "l2_shrinkage", "beta"), slots=("n", "z"))
def ftrl(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """Follow the regularised leader: n sums up g^2, z is the linear term, w the minimum of both with l1 and l2.

    With p = -learning_rate_power: n' = n + g^2; z += g + 2 l2_shrinkage w - (n'^p - n^p) / lr w; n = n';
    w = (clip(z, -l1, l1) - z) / (n^p / lr + 2 (l2 + beta / (2 lr))). With lr = 0 nothing moves.

    Source: McMahan and others, "Ad click prediction: a view from the trenches", KDD 2013, algorithm 1.
    """
    if lr == 0.0:
        return
    n, z = slots
    p, l1, l2, shrinkage = (-hyper["learning_rate_power"], hyper["l1"], hyper["l2"], hyper["l2_shrinkage"])
    total = n + g * g
    z += g + 2.0 * float(shrinkage) * w - (total ** float(p) - n ** float(p)) * (1.0 / lr) * w
    n[:] = total
    quadratic = n ** float(p) * (1.0 / lr) + 2.0 * (float(l2) + float(hyper["beta"]) / (2.0 * lr))
    w[:] = (np.clip(z, -float(l1), float(l1)) - z) / divisor(quadratic)


@update("gradient", slots=("gradient",))
def gradient(w: Array, g: Array, slots: Sequence[Array], lr: float, t: int, hyper: Hyper) -> None:
    """gradient += lr g; the parameters stay where they are."""
    (total,) = slots
    total += lr * g
