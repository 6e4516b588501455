"""Credentials as they are now: those that came from files are read again when a file changes, or when they are refused.

Now and then they are read though nothing seems to have changed: a cloud fetches a mounted secret as it is read.
Bad new content never replaces a good value, and no value is ever logged or shown.
"""

import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog
from pydantic import SecretStr

from streams.settings import TRACK_CREDENTIALS, Settings, SettingsError, load_settings

LOOK_S: Final = 1.0
"""So long a file's state is trusted: requests may be many, and each asks."""

READ_S: Final = 30.0
"""So long a file that looks the same is believed to be: a mounted secret need not look changed, and a read may cost."""

HELD_READ_S: Final = 5.0
"""So long while requests wait for nothing else."""

Signature = tuple[int, int, int, int]
Values = tuple[str, ...]

log = structlog.get_logger()


class Credentials:
    """The settings called `names`, in their order; without files they stay what they are.

    Looks at its files where it is asked, on the event loop: they are small, and stand on this machine.
    """

    def __init__(
        self,
        settings: Settings,
        names: Sequence[str] = TRACK_CREDENTIALS,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._values: dict[str, SecretStr] = {name: getattr(settings, name) or SecretStr("") for name in names}
        self._files = [_File(name, settings.files[name]) for name in names if name in settings.files]
        self._clock = clock
        self._looked_s = self._read_s = float("-inf")
        self._known = list(self._values.values())

    def current(self) -> Values:
        """Give the values for a request; looks at the files at most once a second."""
        if self._clock() - self._looked_s >= LOOK_S:
            self._look()
        return tuple(value.get_secret_value() for value in self._values.values())

    def refused(self, values: Values) -> None:
        """Customer.io has refused these: read the files, changed or not, since the clock of a disk may be coarse."""
        self._known = [SecretStr(value) for value in values]
        self._look(read_after_s=0.0)

    def look(self) -> None:
        """Look at the files now, however short ago that was done; read what looks the same once a second at most."""
        self._look(read_after_s=LOOK_S)

    def changed(self) -> bool:
        """Whether they differ from what was refused, or from what this told last: true once, to be asked at leisure."""
        self._look(read_after_s=HELD_READ_S)
        values = list(self._values.values())
        is_news = values != self._known
        self._known = values
        return is_news

    def _look(self, *, read_after_s: float = READ_S) -> None:
        self._looked_s = self._clock()
        by_force = self._looked_s - self._read_s >= read_after_s
        if by_force:
            self._read_s = self._looked_s
        for file in self._files:
            value = file.read(by_force=by_force)
            if value is not None and value != self._values[file.name]:
                self._values[file.name] = value
                log.info("credential read again", variable=file.variable)


class _File:
    """The file of one setting; the first look reads it too, in case that it changed while the worker started."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.variable = f"{name.upper()}_FILE"
        self._path = path
        self._seen: Signature | None = None
        self._is_fresh = False
        self._complaint: tuple[Signature | None, str] | None = None

    def read(self, *, by_force: bool) -> SecretStr | None:
        """Give the value if there may be a new one, None if not; complains once about each bad content."""
        signature = _signature(self._path)
        if signature is None:
            self._complain(None, f"{self.variable}: is no regular file, or is gone, expected the file of the value")
        elif by_force or self._is_fresh or signature != self._seen:
            # A fresh file is read once more: a disk may tell its times in seconds, and two changes be in one of them.
            self._is_fresh, self._seen = signature != self._seen, signature
            try:
                value: SecretStr = getattr(load_settings({self.variable: str(self._path)}), self.name)
            except SettingsError as fault:
                self._complain(signature, str(fault))
            else:
                self._complaint = None
                return value
        return None

    def _complain(self, signature: Signature | None, fault: str) -> None:
        if (signature, fault) != self._complaint:
            self._complaint = signature, fault
            log.warning("credential stays as it was", fault=fault)


def _signature(path: Path) -> Signature | None:
    """What changes when the content does: by rename, by a link's new target, in place; None where a read might hang."""
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    # ctime too: it tells that a file may be read at last, and what a copied mtime hides.
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
