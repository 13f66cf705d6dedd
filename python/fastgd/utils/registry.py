"""Finding a class or function by the names that Keras gives it: class name, snake case, alias or config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from fastgd.utils.custom_objects import get_registered_object
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.naming import snake_case

T = TypeVar("T")


class Registry(Generic[T]):
    """The classes of one kind, such as all losses.

    A name is found as the class name, in snake case, in lower case, or by an alias, whatever its capitals.
    """

    def __init__(
        self, kind: str, aliases: Mapping[str, str] | None = None, spelling: Callable[[str], str] = snake_case
    ) -> None:
        """Start an empty registry; `aliases` maps lower-case names to class names, `spelling` is for `names`."""
        self.kind = kind
        self._spelling = spelling
        self.classes: dict[str, type[T]] = {}
        self._aliases = dict(aliases or {})

    def add(self, cls: type[T]) -> None:
        """Register `cls` under its class name."""
        self.classes[cls.__name__] = cls

    def find(self, name: str, argument: str = "identifier") -> type[T]:
        """Return the class called `name`.

        Raises:
            ValueError: if there is none; the message lists the known names.
        """
        if name in self.classes:
            return self.classes[name]
        wanted = self._aliases.get(name.lower(), name).lower()
        for class_name, cls in self.classes.items():
            if wanted in (class_name.lower(), snake_case(class_name)):
                return cls
        raise unknown(self.kind, self.names(), **{argument: name})

    def names(self) -> list[str]:
        """Return the names as they are spelt, mostly in snake case, and the aliases of registered classes."""
        aliases = [alias for alias, name in self._aliases.items() if name in self.classes]
        return sorted([*map(self._spelling, self.classes), *aliases])

    def from_config(self, config: Mapping[str, Any], argument: str = "identifier") -> T:
        """Make an object from `{"class_name": ..., "config": {...}}`; custom objects are found by either name."""
        if "class_name" not in config:
            raise invalid(f"`{argument}` given as a dict needs the key 'class_name'.", **{argument: config})
        cls: Any = find_custom(config) or self.find(config["class_name"], argument)
        made: T = cls.from_config(config.get("config", {}))
        return made

    def resolve(self, identifier: Any) -> Callable[..., Any] | None:
        """Return the function that `identifier` names: a name, a config, a class, a function, or None for none.

        Raises:
            ValueError: for an unknown name.
            TypeError: for anything else.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            identifier = self.find(identifier, self.kind)
        elif isinstance(identifier, Mapping):
            identifier = self.from_config(identifier, self.kind)
        if not callable(identifier):
            raise mistyped(
                f"`{self.kind}` must be a name, a config, an object of fastgd.{self.kind}s, a function or None.",
                **{self.kind: identifier},
            )
        function: Callable[..., Any] = identifier() if isinstance(identifier, type) else identifier
        return function


def find_custom(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the custom object that a config names by "registered_name" or "class_name", None if there is none."""
    names = [config.get("registered_name"), config["class_name"]]
    found = (get_registered_object(name, custom_objects) for name in names if isinstance(name, str))
    return next((thing for thing in found if thing is not None), None)


def function_config(thing: Any) -> dict[str, Any] | None:
    """Return the config of what `Registry.resolve` returned, None for None.

    Raises:
        TypeError: for a plain function, which has none.
    """
    if thing is None:
        return None
    if not hasattr(thing, "get_config"):
        raise mistyped("A function has no config: derive a class instead.", function=thing)
    return to_config(thing)


def stands_for_call(thing: Any, method: str) -> bool:
    """Return whether `method` of an object says natively what calling it does in Python.

    It does not where a subclass has a `__call__` of its own and inherits the method from a class above.
    """
    owners = [next((cls for cls in type(thing).__mro__ if name in cls.__dict__), None) for name in (method, "__call__")]
    return owners[0] is not None and owners[1] is not None and issubclass(owners[0], owners[1])


def to_config(thing: Any) -> dict[str, Any]:
    """Return the dict from which `Registry.from_config` makes a like object."""
    return {"class_name": type(thing).__name__, "config": thing.get_config()}
