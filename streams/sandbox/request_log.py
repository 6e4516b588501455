"""What was asked of a sandbox, also what went wrong: the newest requests, when each arrived, how many had which end.

It keeps no body and no `Authorization`, and never decides.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

REQUESTS_MAX: Final = 10_000
"""Requests that are kept with their headers: about 2 kB each."""

ARRIVALS_MAX: Final = 200_000
"""Arrival times that are kept."""

SECRET_HEADERS: Final = frozenset({b"authorization", b"proxy-authorization", b"cookie"})


@dataclass(slots=True, kw_only=True, eq=False)
class SeenRequest:
    """One request; what is not known yet, or never will be, is None. Times are unix seconds.

    `arrived_at` is when its headers had arrived. `items` is None where a batch cannot be read. `fault` is a kind of
    fault, or what else the gate may say. `status` stays None where none was sent.
    """

    seq: int
    arrived_at: float
    method: str
    path: str
    connection: int | None
    headers: list[tuple[bytes, bytes]]
    body_bytes: int | None = None
    items: int | None = None
    fault: str | None = None
    status: int | None = None
    ended_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the request as the views show it."""
        return {
            "seq": self.seq,
            "arrived_at": self.arrived_at,
            "ended_at": self.ended_at,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "fault": self.fault,
            "body_bytes": self.body_bytes,
            "items": self.items,
            "connection": self.connection,
            "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers},
        }


class RequestLog:
    """Counts all, keeps the newest."""

    def __init__(self, *, requests_max: int = REQUESTS_MAX, arrivals_max: int = ARRIVALS_MAX) -> None:
        self.count = 0
        self.requests: deque[SeenRequest] = deque(maxlen=requests_max)
        self.arrivals: deque[float] = deque(maxlen=arrivals_max)
        self.ends: Counter[str] = Counter()
        """By status; "dropped" where the connection ended without one."""

        self.faults: Counter[str] = Counter()

    def open(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[bytes, bytes]],
        connection: int | None,
        now: float,
    ) -> SeenRequest:
        """Note that a request arrived."""
        self.count += 1
        seen = SeenRequest(
            seq=self.count,
            arrived_at=now,
            method=method,
            path=path,
            connection=connection,
            headers=[header for header in headers if header[0] not in SECRET_HEADERS],
        )
        self.arrivals.append(now)
        self.requests.append(seen)
        return seen

    def stop(self, seen: SeenRequest, fault: str) -> None:
        """Note what happens to a request instead of what should."""
        seen.fault = fault
        self.faults[fault] += 1

    def end(self, seen: SeenRequest, *, status: int | None, now: float) -> None:
        """Note how a request was answered; None: not at all."""
        seen.status, seen.ended_at = status, now
        self.ends["dropped" if status is None else str(status)] += 1

    def after(self, seq: int) -> Iterator[SeenRequest]:
        """Yield the kept requests that came after number `seq`."""
        return (seen for seen in tuple(self.requests) if seen.seq > seq)

    def last_second(self, now: float) -> int:
        """How many arrived in the second before `now`."""
        arrived = 0
        for arrived_at in reversed(self.arrivals):
            if arrived_at <= now - 1:
                break
            arrived += 1
        return arrived
