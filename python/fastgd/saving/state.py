"""The weights of a model by the paths that Keras gives them: going through a model, collecting them, putting them back.

A path follows attributes and places in lists: "layers/dense_1" is the second Dense among `layers`, whatever its name.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from fastgd.layers.layer import Layer
from fastgd.layers.operation import Operation
from fastgd.layers.weights import WeightOwner
from fastgd.models.model import Model
from fastgd.models.sequential import Sequential
from fastgd.optimizers import Optimizer
from fastgd.saving.optimizer_state import load_optimizer, optimizer_arrays, optimizer_shapes
from fastgd.saving.stores import Source, Store, Weights
from fastgd.utils.errors import invalid
from fastgd.utils.naming import snake_case

# What Keras calls some layers and their attributes otherwise than fastgd.
_NAMES = {"GroupQueryAttention": "grouped_query_attention"}
_ATTRIBUTES = {
    "TextVectorization": {"lookup": "_lookup_layer"},
    "GroupQueryAttention": {f"{part}_dense": f"_{part}_dense" for part in ("query", "key", "value", "output", "gate")},
}


class _PlainModel(Model, abstract=True):
    """A model without attributes of its own, to tell those of the base classes from those of users."""

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs


def collect_weights(model: Model) -> Weights:
    """Return all weights of a model and the state of its optimizer.

    Raises:
        ValueError: if the model is not built.
    """
    _require_built(model, "saved")
    weights = Weights()
    for path, thing, owner in walk(model):
        if isinstance(thing, Optimizer):
            arrays = optimizer_arrays(thing, _trained(owner, thing))
            weights.arrays[path] = {str(k): array for k, array in enumerate(arrays)}
        else:
            weights.arrays[path] = {}
            thing.save_own_variables(weights.arrays[path])
            if (seed := getattr(thing, "_drawn", None)) is not None:
                weights.seeds[path] = seed
        weights.names[path] = thing.name
    return weights


def apply_weights(model: Model, source: Source, skip_mismatch: bool = False) -> None:
    """Put weights back into a model that is built, and the state of its optimizer if the file has it.

    Nothing is changed if something does not fit, unless `skip_mismatch` leaves that out, with a warning.

    Args:
        model: the model.
        source: the weights.
        skip_mismatch: whether layers that do not fit are left as they are.

    Raises:
        ValueError: if something does not fit.
    """
    _require_built(model, "loaded")
    changes: list[Callable[[], None]] = []
    problems: list[str] = []
    for path, thing, owner in walk(model):
        try:
            changes += _changes(path, thing, owner, source)
        except (ValueError, KeyError) as error:  # noqa: PERF203 - all that does not fit is told at once
            problems.append(f"{path or model.name}: {error}")
    if problems:
        text = f"{len(problems)} parts of {model.name!r} do not fit the file: {'; '.join(problems[:5])}"
        if not skip_mismatch:
            raise ValueError(text)
        warnings.warn(f"{text}. They stay as they are.", stacklevel=4)
    for change in changes:
        change()
    # Plans hold the seeds.
    model._reset_plans()


def walk(model: Model) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, layer or optimizer, and the layer it belongs to, for everything of a model that can have a state."""
    yield from _walk(model, "", set(), model)


def _walk(thing: Any, path: str, seen: set[int], owner: Any) -> Iterator[tuple[str, Any, Any]]:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield path, thing, owner
    if isinstance(thing, Layer):
        for name, value in _attributes(thing):
            yield from _walk_value(value, f"{path}/{name}" if path else name, seen, thing)


def _walk_value(value: Any, path: str, seen: set[int], owner: Any) -> Iterator[tuple[str, Any, Any]]:
    """Go through what an attribute holds: a layer, the optimizer, or lists and dicts of them."""
    if isinstance(value, (WeightOwner, Optimizer)):
        yield from _walk(value, path, seen, owner)
    elif isinstance(value, (list, tuple, Mapping)):
        counts: Counter[str] = Counter()
        for part in value.values() if isinstance(value, Mapping) else value:
            if isinstance(part, (WeightOwner, list, tuple, Mapping)):
                name = _part_name(part)
                counts[name] += 1
                number = counts[name] - 1
                yield from _walk_value(part, f"{path}/{name}_{number}" if number else f"{path}/{name}", seen, owner)


def _part_name(part: Any) -> str:
    if not isinstance(part, WeightOwner):
        return "container"
    name = type(part).__name__
    return "functional" if type(part) is Model else _NAMES.get(name, snake_case(name))


def _attributes(layer: Layer) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that may hold layers, in the order in which Keras goes through them: private ones last."""
    names = _ATTRIBUTES.get(type(layer).__name__, {})
    own = {names.get(name, name): value for name, value in vars(layer).items() if name not in _base_attributes()}
    if isinstance(layer, Model):
        layers = [part for part in layer.layers if not isinstance(part, Operation)]
        if layer.subclassed:
            own["layers"] = layers
        else:
            yield "layers", layers
        if layer.compiled:
            own["optimizer"] = layer.optimizer
    for name in sorted(own, key=lambda name: f"~{name}" if name.startswith("_") else name):
        if not name.startswith("__"):
            yield name, own[name]


_known: set[str] = set()


def _base_attributes() -> set[str]:
    if not _known:
        _known.update(vars(_PlainModel(name="plain")), vars(Sequential(name="plain")))
    return _known


def _trained(model: Model, optimizer: Optimizer) -> list[Any]:
    return optimizer.trainable_variables if optimizer.built else model._trained_variables()


def _changes(path: str, thing: Any, owner: Any, source: Source) -> list[Callable[[], None]]:
    """Return what puts the state of a layer or an optimizer back."""
    store = Store(source, path)
    if isinstance(thing, Optimizer):
        return _optimizer_changes(thing, owner, store)
    changes = [thing.plan_loading(store)]
    if getattr(thing, "_drawn", None) is not None and (seed := source.seed(path)) is not None:
        changes.append(partial(_set_seed, thing, seed))
    return changes


def _set_seed(layer: Any, seed: int) -> None:
    """Let a random layer draw as that one did which was saved."""
    layer._drawn = seed
    if layer.seed is not None:
        layer.seed = seed


def _optimizer_changes(optimizer: Optimizer, model: Model, store: Store) -> list[Callable[[], None]]:
    """Return what puts the state of an optimizer back; nothing, with a warning, if the file has that of another kind.

    Weights may come from a model that was trained otherwise: that is no mistake.
    """
    if not len(store):
        return []
    variables = _trained(model, optimizer)
    shapes = optimizer_shapes(optimizer, variables)
    keys = [str(k) for k in range(len(shapes))]
    if sorted(store) != sorted(keys) or any(store.shape(key) != shape for key, shape in zip(keys, shapes, strict=True)):
        if sorted(store) == ["0", "1"] and not any(store.shape(key) for key in store):
            # Keras makes the slots with the first step; before it there are iterations and rate alone, both as new.
            return []
        warnings.warn(
            f"The file holds the state of another optimizer than {optimizer.name!r}, which stays as it is.",
            stacklevel=5,
        )
        return []
    arrays = [store[key] for key in keys]
    return [partial(load_optimizer, optimizer, variables, arrays)]


def _require_built(model: Model, what: str) -> None:
    if not model.built:
        raise invalid(
            f"The weights of a model that is not built cannot be {what}: begin it with Input(shape=...), call `build`, "
            "or call it on data first.",
            model=model.name,
        )
