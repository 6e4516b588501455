"""What was accepted, in the order in which it was applied: counters that are exact, and the newest operations.

It never decides: the world tells it what happened.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import orjson

from streams.sandbox.operation import Operation

NEWEST_MAX: Final = 100
LOG_MAX: Final = 1_000_000
"""Lines kept for an audit; older ones are dropped, and counted in `log_dropped`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One accepted operation; `why` says why it had no effect, None when it had one."""

    seq: int
    request: int
    received_at: float
    operation: Operation
    why: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the entry as the log shows it."""
        operation = self.operation
        shown: dict[str, Any] = {
            "seq": self.seq,
            "request": self.request,
            "received_at": self.received_at,
            "type": operation.kind,
            "action": operation.action,
            "identifier": {operation.identifier.kind: operation.identifier.value},
            "timestamp": operation.timestamp,
            "ignored": self.why is not None,
            "why": self.why,
        }
        if operation.attributes:
            shown["attributes"] = operation.attributes
        if operation.name is not None:
            shown |= {"name": operation.name, "id": operation.event_id}
        if operation.secondary is not None:
            shown["secondary"] = {operation.secondary.kind: operation.secondary.value}
        if operation.device is not None:
            shown["device"] = operation.device
        return shown


class Chronicle:
    """Counters, the newest operations, and the whole log where it is kept."""

    def __init__(self, *, keep_log: bool, log_max: int = LOG_MAX) -> None:
        self.keeps_log = keep_log
        self.operations: Counter[str] = Counter()
        self.ignored: Counter[str] = Counter()
        self.refused = 0
        self.request_count = 0
        self.seq = 0
        self.newest: deque[Entry] = deque(maxlen=NEWEST_MAX)
        self._log: deque[bytes] = deque(maxlen=log_max)

    def open_request(self) -> int:
        """Count a request that brings operations and return its number."""
        self.request_count += 1
        return self.request_count

    def note(self, operation: Operation, *, why: str | None, now: float) -> None:
        """Put down that `operation` was accepted, as part of the request opened last."""
        self.seq += 1
        self.operations[operation.action] += 1
        if why is not None:
            self.ignored[why] += 1
        entry = Entry(seq=self.seq, request=self.request_count, received_at=now, operation=operation, why=why)
        self.newest.append(entry)
        if self.keeps_log:
            # The sum is a copy of the right size: what orjson returns holds on to a larger buffer.
            self._log.append(orjson.dumps(entry.as_json()) + b"\n")

    @property
    def log_dropped(self) -> int:
        """How many lines the log no longer has."""
        return self.seq - len(self._log) if self.keeps_log else 0

    def log_blocks(self, lines_max: int = 1000) -> Iterator[bytes]:
        """Yield the log as it is now, in blocks of lines."""
        lines = iter(tuple(self._log))
        while block := b"".join(islice(lines, lines_max)):
            yield block
