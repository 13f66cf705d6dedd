"""Reading values out of JSON that anyone may have written: each with a check and an error that says where it stands."""

from __future__ import annotations

import math
from typing import Any

# More columns, or categories of one column, than any table that this is for; a file that says more is not one of ours.
MOST_ENTRIES = 100_000
LONGEST_TEXT = 100_000


class Config:
    """A JSON object; each method reads one of its values and checks it.

    Args:
        value: what the JSON holds.
        place: how errors call it, such as "columns[3]".

    Raises:
        ValueError: if `value` is no object; the methods, if theirs is missing or not as they say.
    """

    def __init__(self, value: Any, place: str) -> None:
        self.place = place
        if not isinstance(value, dict):
            raise ValueError(f"`{place}` must be an object. Received: {_shown(value)}")
        self.values: dict[str, Any] = value

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number from `low` to `high`."""
        value = self._get(name)
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf
        self._check(name, fits and low <= value <= high, "a finite number", low, high)
        return float(value)

    def integer(self, name: str, low: int, high: int) -> int:
        """Return an integer from `low` to `high`."""
        value = self._get(name)
        fits = isinstance(value, int) and not isinstance(value, bool)
        self._check(name, fits and low <= value <= high, "an integer", low, high)
        return int(value)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._get(name)
        self._check(name, isinstance(value, bool), "true or false")
        return bool(value)

    def text(self, name: str, known: tuple[str, ...] | None = None) -> str:
        """Return a text, one of `known` if given."""
        value = self._get(name)
        fits = isinstance(value, str) and len(value) <= LONGEST_TEXT
        self._check(name, fits and (known is None or value in known), f"one of {known}" if known else "a text")
        return str(value)

    def texts(self, name: str) -> list[str]:
        """Return a list of texts, each once."""
        values = self._list(name)
        fits = all(isinstance(value, str) and len(value) <= LONGEST_TEXT for value in values)
        self._check(name, fits and len(set(values)) == len(values), "a list of different texts")
        return values

    def object(self, name: str) -> Config:
        """Return an object."""
        return Config(self._get(name), f"{self.place}.{name}")

    def objects(self, name: str) -> list[Config]:
        """Return a list of objects."""
        return [Config(value, f"{self.place}.{name}[{index}]") for index, value in enumerate(self._list(name))]

    def _list(self, name: str) -> list[Any]:
        value = self._get(name)
        self._check(name, isinstance(value, list) and len(value) <= MOST_ENTRIES, f"a list of at most {MOST_ENTRIES}")
        return list(value)

    def _get(self, name: str) -> Any:
        if name not in self.values:
            raise ValueError(f"`{self.place}` must have an entry `{name}`")
        return self.values[name]

    def _check(self, name: str, fits: bool, rule: str, low: float = -math.inf, high: float = math.inf) -> None:
        if not fits:
            bounds = (
                f" from {low:g} to {high:g}" if high < math.inf else f" of at least {low:g}" if low > -math.inf else ""
            )
            raise ValueError(f"`{self.place}.{name}` must be {rule}{bounds}. Received: {_shown(self.values[name])}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
