"""Keeps what a command does to the logging of its process inside a test or a fixture that runs it there."""

import contextlib
import logging
from collections.abc import Collection, Iterator

import structlog

from streams.logs import QUIET


@contextlib.contextmanager
def logging_as_before() -> Iterator[None]:
    """Leave logging as it was: a command configures the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in QUIET}
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, before in quiet.items():
            logging.getLogger(name).setLevel(before)
        structlog.reset_defaults()


def configured() -> Collection[str]:
    """Give the loggers that were set to a level and not set back."""
    return [name for name in QUIET if logging.getLogger(name).level != logging.NOTSET]
