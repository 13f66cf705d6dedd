"""The processes of the opponents as the harness sees them: started once, asked one at a time, stopped in between."""

from __future__ import annotations

import contextlib
import os
import pickle
import selectors
import signal
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any

from fastgd.bench.calls import LIBRARIES
from fastgd.bench.opponents import OPPONENTS

# Compiling a large network takes some of them minutes on a slow machine; beyond this something hangs.
TIMEOUT_SECONDS = 600.0

# The variables by which the usual thread pools are limited.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class OpponentError(Exception):
    """An opponent could not do what it was asked; the message says why."""


class Worker:
    """A process for one opponent.

    Outside `ask` it is stopped by a signal, so that threads of it that wait in a loop take nothing from the others.

    Args:
        kind: "trainer" or "calls".
        name: the opponent or library.
        threads: how many threads it may use.
    """

    def __init__(self, kind: str, name: str, threads: int) -> None:
        self.name = name
        self.threads = threads
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        entry = OPPONENTS[name] if kind == "trainer" else LIBRARIES[name]
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", **dict.fromkeys(THREAD_VARIABLES, str(threads))}
        environment.update(entry.load().environment(threads))
        # The process is a child of the same interpreter and must find the same fastgd.
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fastgd.bench.worker", kind, name, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
        )
        self._start_seconds: float | None = None

    def wait_until_ready(self) -> float:
        """Wait until it has imported its library; return the seconds that took.

        Raises:
            OpponentError: if it cannot.
        """
        if self._start_seconds is None:
            self._start_seconds = float(self._receive())
            self._send_signal(signal.SIGSTOP)
        return self._start_seconds

    def ask(self, method: str, **values: Any) -> Any:
        """Return what a method of the worker's desk returns.

        Raises:
            OpponentError: if it raises, ends, or takes too long.
        """
        self.wait_until_ready()
        assert self._process.stdin
        self._send_signal(signal.SIGCONT)
        try:
            pickle.dump((method, values), self._process.stdin)
            self._process.stdin.flush()
            return self._receive()
        except BrokenPipeError:
            raise OpponentError(f"its process has ended: {self._last_words()}") from None
        finally:
            self._send_signal(signal.SIGSTOP)

    @property
    def alive(self) -> bool:
        """Whether the process runs or is stopped."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream:
                # What was buffered for a process that is gone cannot be flushed.
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _receive(self) -> Any:
        assert self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(TIMEOUT_SECONDS):
                self._process.kill()
                raise OpponentError(f"no answer within {TIMEOUT_SECONDS:g} s")
        try:
            worked, value = pickle.load(self._process.stdout)
        except EOFError:
            self._process.wait()
            raise OpponentError(f"its process has ended: {self._last_words()}") from None
        if not worked:
            raise OpponentError(value)
        return value

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else f"status {self._process.poll()}"

    def _send_signal(self, number: signal.Signals) -> None:
        if self.alive:
            self._process.send_signal(number)


class Pool:
    """The workers of a run, each started when it is first needed; as a context manager it ends them."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, str, int], Worker] = {}

    def get(self, kind: str, name: str, threads: int) -> Worker:
        """Return the worker of an opponent for a number of threads, started if there is none; it may not be ready."""
        key = (kind, name, threads)
        if key in self._workers and not self._workers[key].alive:
            self._workers.pop(key).close()
        if key not in self._workers:
            self._workers[key] = Worker(kind, name, threads)
        return self._workers[key]

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
