"""Opens a DuckDB file for as short as possible: DuckDB lets one process have it, and readers want it too.

Who loads it says so in a lock of its own beside it, which a second loader finds taken.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from schemas.errors import ConfigError, UnavailableError

OPEN_S: Final = 15.0
"""So long is a file waited for that somebody else has open."""

OPEN_AGAIN_S: Final = 0.02
MEMORY: Final = "512MB"
THREADS: Final = 2
_PRIVATE: Final = 0o077  # the whole process's mask meanwhile: nothing that it makes then is for others either
_LOCKED: Final = "Could not set lock"


@contextmanager
def opened(
    path: Path,
    *,
    read_only: bool,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection; whoever has the file meanwhile is waited for. What files DuckDB makes are for us alone.

    Raises:
        ConfigError: it is no DuckDB file, or may not be opened.
        UnavailableError: somebody else has it for too long.
    """
    mask = os.umask(_PRIVATE)
    try:
        connection = _connect(path, read_only=read_only, sleep=sleep, clock=clock)
        try:
            yield connection
        except duckdb.Error as error:
            raise UnavailableError(f"{path}: {_first_line(error)}") from error
        finally:
            connection.close()
    finally:
        os.umask(mask)


def _connect(
    path: Path, *, read_only: bool, sleep: Callable[[float], None], clock: Callable[[], float]
) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": MEMORY, "threads": THREADS}
    deadline_s = clock() + OPEN_S
    while True:
        try:
            connection = duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.Error as error:
            if _LOCKED not in str(error):
                raise ConfigError(f"{path} cannot be opened: {_first_line(error)}") from error
        else:
            connection.execute("SET TimeZone = 'UTC'")
            return connection
        if clock() >= deadline_s:
            break
        sleep(OPEN_AGAIN_S)
    raise UnavailableError(f"{path} is open elsewhere, and was for {OPEN_S:.0f} s: close what has it open")


class LoaderLock:
    """Held by the one process that loads a file, from `take` until it ends."""

    def __init__(self, path: Path) -> None:
        self._warehouse = path
        self._path = path.with_name(path.name + ".loader")
        self._file: int | None = None

    def take(self) -> None:
        """Take it.

        Raises:
            ConfigError: the file's folder cannot be written to.
            UnavailableError: another loader has it.
        """
        if self._file is not None:
            return
        try:
            file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"WAREHOUSE: {self._warehouse} cannot be written ({error.strerror})") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise UnavailableError(
                f"Another loader is loading {self._warehouse}: DuckDB takes one; end it, or set another WAREHOUSE"
            ) from error
        self._file = file

    def release(self) -> None:
        """Let another one have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
