"""PyTorch's optimizers: the ones that they are here, and their state there and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastgd import optimizers
from fastgd.interop.torch.links import Link, tensor_array
from fastgd.interop.torch.refusals import refuse_option
from fastgd.ops.parameters import Variable
from fastgd.optimizers import Optimizer
from fastgd.optimizers.schedules import InverseTimeDecay
from fastgd.plan import UpdateSpec
from fastgd.regularizers import L2
from fastgd.utils.errors import invalid, mistyped, unknown

NAMES = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "adagrad": "Adagrad"}

# PyTorch's names of what an optimizer keeps for a parameter, by the names of our slots.
SLOTS = {
    "SGD": {"v": "momentum_buffer"},
    "Adam": {"m": "exp_avg", "v": "exp_avg_sq", "top": "max_exp_avg_sq"},
    "AdamW": {"m": "exp_avg", "v": "exp_avg_sq", "top": "max_exp_avg_sq"},
    "RMSprop": {"v": "square_avg", "a": "grad_avg", "speed": "momentum_buffer"},
    "Adagrad": {"a": "sum"},
}
# The options that differ from group to group without harm.
OF_GROUPS = frozenset({"params", "param_names", "weight_decay"})
# How the steps are computed, which decides nothing here.
EXECUTION = frozenset({"foreach", "fused", "capturable", "differentiable", "initial_lr"})


class CorrectedAdam(optimizers.Adam):
    """Adam that adds epsilon to the root of v after its bias is corrected, as PyTorch does."""

    def rule(self) -> UpdateSpec:
        """Return the rule of Adam with `corrects_epsilon`."""
        spec = super().rule()
        return replace(spec, hyper={**spec.hyper, "corrects_epsilon": 1.0})


def find_optimizer(optimizer: Any, module: Any, lr: float | None) -> Any:
    """Return an optimizer of PyTorch for the parameters of a module.

    Args:
        optimizer: one, which is returned, or the name of a class.
        module: the module.
        lr: the learning rate of a new one, PyTorch's default if None.

    Raises:
        ValueError: for an unknown name or class, or a learning rate beside an optimizer that has one.
        TypeError: if it is no optimizer.
    """
    import torch

    if isinstance(optimizer, str):
        if optimizer.lower() not in NAMES:
            raise unknown("optimizer", NAMES, optimizer=optimizer)
        cls = getattr(torch.optim, NAMES[optimizer.lower()])
        return cls(module.parameters(), **({} if lr is None else {"lr": lr}))
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise mistyped("`optimizer` must be a torch.optim.Optimizer or a name.", optimizer=optimizer)
    if lr is not None:
        raise invalid("`lr` must be None beside an optimizer, which has its own.", lr=lr)
    if type(optimizer).__name__ not in NAMES.values():
        raise unknown("optimizer", NAMES.values(), optimizer=type(optimizer).__name__)
    return optimizer


def convert(optimizer: Any, links: Mapping[int, Sequence[Link]]) -> Optimizer:
    """Return the optimizer that does what one of PyTorch does; weight decay in the gradient becomes penalties.

    Args:
        optimizer: the optimizer of PyTorch.
        links: the links of the parameters by the ids of these.

    Raises:
        ValueError: for options without a counterpart, which differ from group to group, or for foreign parameters.
    """
    groups: Sequence[dict[str, Any]] = optimizer.param_groups
    options = groups[0]
    for group in groups[1:]:
        for key, value in group.items():
            if key not in OF_GROUPS and value != options[key]:
                raise refuse_option(type(optimizer).__name__, key, [each[key] for each in groups])
    if options.get("maximize"):
        raise refuse_option(type(optimizer).__name__, "maximize", True)
    decays: list[tuple[Variable, float]] = []
    for group in groups:
        for parameter in group["params"]:
            found_links = links.get(id(parameter))
            if not found_links:
                raise invalid(
                    "The optimizer holds a parameter that `forward` does not use, or that is not the module's.",
                    shape=tuple(parameter.shape),
                )
            decays += [(link.variable, float(group["weight_decay"])) for link in found_links]
    decoupled = type(optimizer).__name__ == "AdamW" or options.get("decoupled_weight_decay", False)
    if not decoupled:
        for variable, decay in decays:
            # The gradient of l2 w^2 is 2 l2 w.
            variable.regularizer = L2(decay / 2) if decay else None
        return _MAKERS[type(optimizer).__name__](options)
    found = sorted({decay for _, decay in decays if decay})
    if len(found) > 1:
        raise refuse_option(type(optimizer).__name__, "weight_decay", found)
    made = _adam(options, weight_decay=found[0] if found else None)
    if found:
        made.exclude_from_weight_decay([variable for variable, decay in decays if not decay])
    return made


def _rate(options: Mapping[str, Any]) -> float:
    return float(options["lr"])


def _sgd(options: Mapping[str, Any]) -> Optimizer:
    if options["dampening"]:
        raise refuse_option("SGD", "dampening", options["dampening"])
    return optimizers.SGD(_rate(options), float(options["momentum"]), bool(options["nesterov"]))


def _adam(options: Mapping[str, Any], weight_decay: float | None = None) -> Optimizer:
    beta_1, beta_2 = map(float, options["betas"])
    epsilon, amsgrad = float(options["eps"]), bool(options["amsgrad"])
    return CorrectedAdam(_rate(options), beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay)


def _rmsprop(options: Mapping[str, Any]) -> Optimizer:
    # Outside the root e is what e^2 is inside: both where the gradient vanishes and where it is large.
    epsilon = float(options["eps"]) ** 2
    given = float(options["alpha"]), float(options["momentum"]), epsilon, bool(options["centered"])
    return optimizers.RMSprop(_rate(options), *given)


def _adagrad(options: Mapping[str, Any]) -> Optimizer:
    rate: Any = _rate(options)
    if options["lr_decay"]:
        rate = InverseTimeDecay(rate, 1, float(options["lr_decay"]))
    return optimizers.Adagrad(rate, float(options["initial_accumulator_value"]), float(options["eps"]) ** 2)


_MAKERS: dict[str, Callable[[Mapping[str, Any]], Optimizer]] = {
    "SGD": _sgd,
    "Adam": _adam,
    "RMSprop": _rmsprop,
    "Adagrad": _adagrad,
}


def take_state(ours: Optimizer, theirs: Any, pairs: Sequence[tuple[Link, Any]]) -> None:
    """Copy the state of an optimizer of PyTorch into the slots of a built one, so that training goes on from there.

    Args:
        ours: the optimizer here, built.
        theirs: the one of PyTorch.
        pairs: links and their tensors.
    """
    steps = 0
    for k, link, tensor in _linked(ours, pairs):
        state = theirs.state[tensor]
        steps = max(steps, int(state.get("step", 0)))
        for slot, name, scale in _slots(ours, theirs):
            if state.get(name) is not None:
                link.put(ours.slot_values(slot)[k], tensor_array(state[name]) * scale)
    ours.iterations = steps


def give_state(ours: Optimizer, theirs: Any, pairs: Sequence[tuple[Link, Any]]) -> None:
    """Copy the slots of an optimizer into the state of one of PyTorch; the arguments are those of `take_state`."""
    import torch

    for k, link, tensor in _linked(ours, pairs):
        state = theirs.state[tensor]
        if type(theirs).__name__ != "SGD":
            state["step"] = torch.tensor(float(ours.iterations))
        for slot, name, scale in _slots(ours, theirs):
            if state.get(name) is None:
                state[name] = torch.zeros_like(tensor, requires_grad=False)
            link.write(state[name], link.take(ours.slot_values(slot)[k], tensor.shape) / scale)


def _linked(ours: Optimizer, pairs: Sequence[tuple[Link, Any]]) -> Iterator[tuple[int, Link, Any]]:
    """Yield the links of trained variables, with the numbers of these in the optimizer, and their tensors."""
    numbers = {id(variable): k for k, variable in enumerate(ours.trainable_variables)}
    for link, tensor in pairs:
        if id(link.variable) in numbers:
            yield numbers[id(link.variable)], link, tensor


def _slots(ours: Optimizer, theirs: Any) -> Iterator[tuple[str, str, float]]:
    """Yield each slot, its name in PyTorch, and by what it is larger here: the rate is part of a velocity."""
    names = SLOTS[type(theirs).__name__]
    for slot in ours.rule().slots:
        rate = ours.learning_rate or 1.0
        velocity = -rate if slot == "v" else rate
        yield slot, names[slot], velocity if names[slot] == "momentum_buffer" else 1.0
