"""The errors for what a PyTorch module holds and fastgd has not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Withheld:
    """A result without a counterpart, which `forward` may leave alone.

    Attributes:
        error: what is raised for its use.
    """

    error: ValueError


def refuse_module(name: str, kind: str, supported: Iterable[str]) -> ValueError:
    """Return the error for a module of a class that is not known."""
    return ValueError(
        f"The module {name!r} is a {kind}, which has no counterpart. Supported: {', '.join(sorted(supported))}. "
        f"Received: {name}={kind}"
    )


def refuse_function(name: str, supported: Iterable[str]) -> ValueError:
    """Return the error for a function or method that is not known."""
    return ValueError(
        f"`forward` calls {name!r}, which has no counterpart. Supported: {', '.join(sorted(supported))}. "
        f"Received: {name}"
    )


def refuse_option(name: str, option: str, value: object) -> ValueError:
    """Return the error for an argument of a module or function that has no counterpart."""
    return ValueError(f"`{option}` of {name!r} has no counterpart with this value. Received: {option}={value!r}")
