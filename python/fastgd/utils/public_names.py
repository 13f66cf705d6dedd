"""What is said when a module is asked for a name that it has not: what it has, and which of that is nearest."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def refuse_unknown_names(module: ModuleType) -> None:
    """Let a module name what it has in the AttributeError for a name that it has not."""

    def refuse(name: str) -> Any:
        raise unknown_name(module.__name__, name, public_names(module))

    setattr(module, "__getattr__", refuse)  # noqa: B010 - a module has this one by assignment alone


def public_names(module: ModuleType) -> list[str]:
    """Return the names that a module offers, sorted."""
    listed = vars(module).get("__all__")
    if listed is not None:
        return sorted(listed)
    own = vars(module).items()
    return sorted(
        name for name, thing in own if name[0] != "_" and getattr(thing, "__module__", None) == module.__name__
    )


def unknown_name(module: str, name: str, known: list[str]) -> AttributeError:
    """Return the error for a name that a module has not."""
    if name.startswith("_"):
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    # Imported late: only mistakes need it.
    import difflib

    lowered = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    hint = f" Did you mean {lowered[near[0]]!r}?" if near else ""
    return AttributeError(f"module {module!r} has no attribute {name!r}.{hint} It has: {', '.join(known)}.", name=name)
