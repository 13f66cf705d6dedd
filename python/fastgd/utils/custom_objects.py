"""The classes and functions that users register by a name, so that configs can name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

from fastgd.utils.errors import invalid, mistyped

T = TypeVar("T")

_objects: dict[str, Any] = {}
# Found by identity: a registered object need not be hashable. The object itself is kept, so that no other one can come
# to have its identity.
_names: dict[int, tuple[Any, str]] = {}
# A context variable, so that a scope holds for the thread that opened it alone.
_scope: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects", default={})  # noqa: B039 - it is never changed


class CustomObjectScope:
    """A context in which configs find classes and functions by the names given here.

    The innermost scope alone counts, as in Keras.

    Args:
        custom_objects: classes and functions by their names; None for none.

    Raises:
        TypeError: if it is no mapping.

    Example:
        >>> with fastgd.saving.custom_object_scope({"Twice": Twice}):
        ...     model = fastgd.models.model_from_json(text)
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        if custom_objects is not None and not isinstance(custom_objects, Mapping):
            raise mistyped("`custom_objects` must be a dict of objects by their names.", custom_objects=custom_objects)
        self.custom_objects: dict[str, Any] = dict(custom_objects or {})
        self._outer: list[Any] = []

    def __enter__(self) -> CustomObjectScope:
        """Begin the scope."""
        self._outer.append(_scope.set(self.custom_objects))
        return self

    def __exit__(self, *exception: object) -> None:
        """Return to the scope around this one."""
        _scope.reset(self._outer.pop())


custom_object_scope = CustomObjectScope


def get_custom_objects() -> dict[str, Any]:
    """Return the dict of the registered objects by their names; what is put into it is registered.

    Those of a `custom_object_scope` are not in it.

    Example:
        >>> fastgd.saving.get_custom_objects()["Twice"] = Twice
    """
    return _objects


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Return a decorator that registers a class or function as `package>name`, by which configs then find it.

    Args:
        package: the first part of the name.
        name: the second part; that of the class or function if None.

    Returns:
        The decorator, which returns what it is given.

    Raises:
        ValueError: by the decorator, for a class without `get_config`.

    Example:
        >>> @fastgd.saving.register_keras_serializable(package="mine")
        ... class Twice(fastgd.layers.Layer):
        ...     def call(self, inputs):
        ...         return 2.0 * inputs
    """

    def register(thing: T) -> T:
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise invalid("A class without `get_config` cannot be registered.", cls=thing)
        if not callable(thing):
            raise mistyped("Only classes and functions can be registered.", registered=thing)
        key = f"{package}>{getattr(thing, '__name__', type(thing).__name__) if name is None else name}"
        _objects[key] = thing
        _names[id(thing)] = (thing, key)
        return thing

    return register


def get_registered_name(obj: Any) -> str:
    """Return the name under which a class or function is registered, its own if it is not.

    Args:
        obj: the class or function.
    """
    if id(obj) in _names:
        return _names[id(obj)][1]
    return str(obj.__name__)


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return the class or function of a name, None if there is none.

    It is looked for in the `custom_object_scope`, then among the registered ones, then in the two arguments.

    Args:
        name: the name, such as "mine>Twice".
        custom_objects: objects by their names.
        module_objects: objects by their names.
    """
    for known in (_scope.get(), _objects, custom_objects or {}, module_objects or {}):
        if name in known:
            return known[name]
    return None
