"""Keeps what exceptions quote out of the lines that libraries write about them."""

import logging

from streams.tracebacks import described


class Errors(logging.Filter):
    """Changes records, lets all of them pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """An exception among the arguments is described; of the event loop's complaints the first line is enough."""
        if isinstance(record.args, tuple):
            record.args = tuple(_Described(each) if isinstance(each, BaseException) else each for each in record.args)
        if record.name == "asyncio" and record.levelno >= logging.ERROR:
            record.msg, record.args = record.getMessage().partition("\n")[0], ()  # below it: the exception, as it is
        return True


class _Described:
    """An exception that says no more than it may, in whichever form it is asked."""

    def __init__(self, error: BaseException) -> None:
        self._text = described(error)

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__
