"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd.callbacks.callback import Callback
from fastgd.utils.errors import mistyped, unknown


class LambdaCallback(Callback):
    """A callback whose hooks are given as functions.

    Args:
        on_epoch_begin: called as `f(epoch, logs)`.
        on_epoch_end: called as `f(epoch, logs)`.
        on_train_begin: called as `f(logs)`.
        on_train_end: called as `f(logs)`.
        on_train_batch_begin: called as `f(batch, logs)`.
        on_train_batch_end: called as `f(batch, logs)`.
        **kwargs: any other hook by its name.

    Raises:
        ValueError: if a keyword is no hook.
        TypeError: if a hook is not callable.

    Example:
        >>> fastgd.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs["loss"]))
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Callable[..., Any] | None,
    ) -> None:
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        known = [name for name in dir(Callback) if name.startswith("on_")]
        for name, function in hooks.items():
            if name not in known:
                raise unknown("hook", known, keyword=name)
            if function is None:
                continue
            if not callable(function):
                raise mistyped(f"`{name}` must be callable.", **{name: function})
            # On the instance, so that only the hooks given count as overridden.
            setattr(self, name, function)
