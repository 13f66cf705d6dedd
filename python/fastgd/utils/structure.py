"""Nested lists, tuples and dicts of tensors or arrays: flattening them and packing them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def flatten(structure: Any) -> list[Any]:
    """Return the leaves in order; the entries of a dict are taken in the order of the sorted keys."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part)]
    return [structure]


def pack(structure: Any, leaves: Sequence[Any]) -> Any:
    """Return a structure like `structure` that holds `leaves`."""
    return _pack(structure, iter(leaves))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, dict):
        packed = {key: _pack(structure[key], leaves) for key in sorted(structure)}
        return {key: packed[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        return type(structure)([_pack(part, leaves) for part in structure])
    return next(leaves)
