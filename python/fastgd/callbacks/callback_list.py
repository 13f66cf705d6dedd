"""Passing each event on to all callbacks of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastgd.callbacks.callback import BATCH_HOOKS, Callback, Logs, overrides
from fastgd.callbacks.history import History
from fastgd.callbacks.progbar_logger import ProgbarLogger
from fastgd.utils.errors import mistyped


class CallbackList:
    """All callbacks of a run; it has every hook of a callback and calls it on each of them.

    Args:
        callbacks: a callback, several, or None.
        add_history: whether to add a History if there is none.
        add_progbar: whether to add a ProgbarLogger if there is none.
        model: the model that runs.
        **params: "verbose", "epochs" and "steps".

    Attributes:
        callbacks: the callbacks in the order of their calls.
        history: the History among them, if any.

    Raises:
        TypeError: if something is no callback.
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Callback] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        given = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        for callback in given:
            if not isinstance(callback, Callback):
                raise mistyped("`callbacks` must hold instances of Callback.", callbacks=callback)
        if add_progbar and not any(isinstance(callback, ProgbarLogger) for callback in given):
            given.append(ProgbarLogger())
        self.history = next((callback for callback in given if isinstance(callback, History)), None)
        if add_history and self.history is None:
            self.history = History()
            given.append(self.history)
        self.callbacks: list[Callback] = given
        self.params = params
        # The methods behind each hook that has been called: most callbacks have few hooks, and most hooks nobody.
        self._heard: dict[str, list[Callable[..., None]]] = {}
        for callback in given:
            callback.set_params(params)
            if model is not None:
                callback.set_model(model)

    def wants_batches(self, phase: str) -> bool:
        """Return whether some callback has a hook for every batch of a phase: "train", "test" or "predict"."""
        return any(map(self._methods, BATCH_HOOKS[phase]))

    @property
    def hears_only_the_ends_of_epochs(self) -> bool:
        """Whether nothing but fastgd's own record listens while training runs: it may learn of epochs later."""
        others = ("on_epoch_begin", "on_progress", *BATCH_HOOKS["train"])
        records = (type(getattr(method, "__self__", None)) is History for method in self._methods("on_epoch_end"))
        return all(records) and not any(map(self._methods, others))

    def close(self) -> None:
        """Leave the terminal as it was, also after an error."""
        for callback in self.callbacks:
            if isinstance(callback, ProgbarLogger):
                callback.close()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Call the hook of this name."""
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Call the hook of this name."""
        self._call("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Call the hook of this name."""
        self._call("on_epoch_begin", logs, epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Call the hook of this name."""
        self._call("on_epoch_end", logs, epoch)

    def on_batch_begin(self, phase: str, batch: int, logs: Logs | None = None) -> None:
        """Call `on_{phase}_batch_begin`."""
        self._call(f"on_{phase}_batch_begin", logs, batch)

    def on_batch_end(self, phase: str, batch: int, logs: Logs | None = None) -> None:
        """Call `on_{phase}_batch_end`."""
        self._call(f"on_{phase}_batch_end", logs, batch)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Call the hook of this name."""
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Call the hook of this name."""
        self._call("on_test_end", logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Call the hook of this name."""
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Call the hook of this name."""
        self._call("on_predict_end", logs)

    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """Call the hook of this name."""
        self._call("on_progress", logs, step)

    def _methods(self, hook: str) -> list[Callable[..., None]]:
        """Return the methods of this name that callbacks define, in the order of the callbacks."""
        found = self._heard.get(hook)
        if found is None:
            found = [getattr(callback, hook) for callback in self.callbacks if overrides(callback, hook)]
            self._heard[hook] = found
        return found

    def _call(self, hook: str, logs: Mapping[str, Any] | None, *place: int) -> None:
        methods = self._methods(hook)
        if not methods:
            return
        # Each callback gets the logs in sorted order, as Keras has them, and sees what those before it added.
        ordered = {key: logs[key] for key in sorted(logs)} if logs else {}
        for method in methods:
            method(*place, ordered)
