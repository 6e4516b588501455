"""Turns the first SIGINT, SIGTERM or SIGHUP into an exception, so that whatever is being waited for ends at once."""

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


class StopAsked(BaseException):
    """Somebody asked `up` to stop."""


class StopSignals:
    """Raises `StopAsked` in the main thread at the first signal; later ones change nothing."""

    def __init__(self) -> None:
        self._is_asked = False
        self._is_deaf = False

    def check(self) -> None:
        """Raise for a signal whose exception got lost, as happens in a callback of a library written in C."""
        if self._is_asked:
            raise StopAsked

    def ignore_further(self) -> None:
        """What is being stopped is not to be disturbed."""
        self._is_deaf = True

    def install(self) -> None:
        """Take the signals of this process from now on, to its end."""
        signal.signal(signal.SIGINT, self.handle)  # also where a shell's `&` has had it ignored
        signal.signal(signal.SIGTERM, self.handle)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means it
            signal.signal(signal.SIGHUP, self.handle)

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """Take a signal."""
        if not self._is_asked and not self._is_deaf:
            self._is_asked = True
            raise StopAsked


def run_interruptibly(work: Callable[[], T]) -> T:
    """Do what blocks inside a C library in a thread of its own, so that a signal is not kept waiting by it."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is waited for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future.result()
