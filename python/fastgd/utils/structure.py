"""Nested lists, tuples and dicts of tensors or arrays: flattening them, packing them again, changing their leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

# Tells a leaf that is a list, tuple or dict itself; anything else is one anyway.
IsLeaf = Callable[[Any], bool]


def flatten(structure: Any, is_leaf: IsLeaf | None = None) -> list[Any]:
    """Return the leaves in order; the entries of a dict are taken in the order of the sorted keys.

    Args:
        structure: leaves in nested lists, tuples and dicts.
        is_leaf: tells what is a leaf though it is one of those.
    """
    if is_leaf is not None and is_leaf(structure):
        return [structure]
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key], is_leaf)]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part, is_leaf)]
    return [structure]


def pack(structure: Any, leaves: Sequence[Any], is_leaf: IsLeaf | None = None) -> Any:
    """Return a structure like `structure` that holds `leaves`; the arguments are those of `flatten`."""
    return _pack(structure, iter(leaves), is_leaf)


def change(structure: Any, function: Callable[[Any], Any], is_leaf: IsLeaf | None = None) -> Any:
    """Return a structure like `structure` with `function` of each leaf; the arguments are those of `flatten`."""
    return pack(structure, [function(leaf) for leaf in flatten(structure, is_leaf)], is_leaf)


def _pack(structure: Any, leaves: Iterator[Any], is_leaf: IsLeaf | None) -> Any:
    if is_leaf is not None and is_leaf(structure):
        return next(leaves)
    if isinstance(structure, dict):
        packed = {key: _pack(structure[key], leaves, is_leaf) for key in sorted(structure)}
        return {key: packed[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        return type(structure)([_pack(part, leaves, is_leaf) for part in structure])
    return next(leaves)
