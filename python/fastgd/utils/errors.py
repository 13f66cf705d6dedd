"""The house form of error messages: the rule that was broken, then `Received: name=value`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_LONGEST_VALUE = 100


def received(**values: object) -> str:
    """Return "Received: name=value, ..." with long values cut."""
    shown = []
    for name, value in values.items():
        text = repr(value)
        if len(text) > _LONGEST_VALUE:
            text = text[: _LONGEST_VALUE - 3] + "..."
        shown.append(f"{name}={text}")
    return "Received: " + ", ".join(shown)


def invalid(message: str, **values: object) -> ValueError:
    """Return the ValueError for an argument whose value breaks the rule that `message` states."""
    return ValueError(f"{message} {received(**values)}")


def mistyped(message: str, **values: object) -> TypeError:
    """Return the TypeError for an argument of a type that the rule in `message` excludes."""
    return TypeError(f"{message} {received(**values)}")


def unknown(kind: str, known: Iterable[str], **values: object) -> ValueError:
    """Return the ValueError for a name that is not among the `known` ones, with the nearest of them suggested."""
    # Imported late: only mistakes need it, and every import of fastgd would pay.
    import difflib

    names = sorted(known)
    (name, value), *_ = values.items()
    near = difflib.get_close_matches(str(value).lower(), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return invalid(f"`{name}` is not a known {kind}.{hint} Known: {', '.join(names)}.", **values)


def refuse_keywords(cls: type, keywords: Mapping[str, object], base: Iterable[str]) -> None:
    """Raise a TypeError that names the `keywords` given to a class that has none of them, if there are any.

    Args:
        cls: the class.
        keywords: what was left over.
        base: the keywords of its base, which it has besides those that its `__init__` names.

    Raises:
        TypeError: if `keywords` is not empty.
    """
    if keywords:
        import inspect

        parameters = inspect.signature(cls).parameters.values()
        known = {p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD} | set(base)
        names = ", ".join(f"`{keyword}`" for keyword in keywords)
        raise mistyped(f"{cls.__name__} has no keyword {names}. Known: {', '.join(sorted(known))}.", **keywords)
