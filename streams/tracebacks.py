"""Exceptions as logs may have them: their stacks whole, their texts only where these never quote a record.

A `KeyError` says which key, and a validator what it was given: whoever reads a log must not.
"""

import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Final

OURS: Final = frozenset({"streams", "schemas", "agents"})
OWN_WORDS: Final = OURS | {"aiokafka", "kafka", "confluent_kafka", "cimpl", "faust"}
"""Packages whose errors speak of themselves, never of what they were given."""
SYSTEM: Final = frozenset({"builtins", "socket", "ssl"})
"""Where the errors of the operating system come from."""
CHAIN_MAX: Final = 10
HIDDEN: Final = "***"


def described(error: BaseException) -> str:
    """Say its kind, and its text if that may be known."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    text = str(error)
    return f"{name}: {text if _speaks_of_itself(error) else HIDDEN}" if text else name


def traceback_text(error: BaseException) -> str:
    """As Python prints it, causes first; without a line feed at its end."""
    return "\n".join(_told(error, CHAIN_MAX))


def hide_what_is_uncaught() -> None:
    """From now on what nobody catches ends as a traceback of this kind, in any thread, and where nobody could."""
    sys.excepthook = _print_uncaught
    threading.excepthook = lambda args: _print_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _print_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _print_uncaught(kind: type[BaseException], error: BaseException | None, _: TracebackType | None) -> None:
    print(kind.__qualname__ if error is None else traceback_text(error), file=sys.stderr)  # noqa: T201 - the interpreter's place for it


def _speaks_of_itself(error: BaseException) -> bool:
    package = _package(type(error).__module__)
    if type(error) in {AssertionError, RuntimeError}:
        return _package(_raised_in(error)) in OURS
    # Other packages derive theirs from OSError too, and those of HTTP quote the URL, and with it what may be a key.
    return package in OWN_WORDS or (isinstance(error, OSError) and package in SYSTEM)


def _raised_in(error: BaseException) -> str:
    """The module; nothing where it was never raised."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__", "")) if frames else ""


def _package(module: str) -> str:
    return module.partition(".")[0]


def _told(error: BaseException, depth: int) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and depth:
        yield from _told(before, depth - 1)
        yield "\nwhich led to:\n" if error.__cause__ else "\nand while that was handled:\n"
    if error.__traceback__:
        yield "Traceback (most recent call last):"
        yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield described(error)
    if isinstance(error, BaseExceptionGroup) and depth:
        for each in error.exceptions:
            yield "\namong them:\n"
            yield from _told(each, depth - 1)
