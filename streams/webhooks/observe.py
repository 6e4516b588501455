"""What the receiver counts, in a registry of its own, and what it says of that in the log: seldom, and no content."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import structlog
from prometheus_client import Counter as Count
from prometheus_client import generate_latest

from streams.metrics import declared
from streams.metrics.registry import counter, histogram, live, own_registry
from streams.webhooks.records import Drafts
from streams.webhooks.room import Room

Cause: TypeAlias = Literal["no_room", "kafka", "starting", "new_key", "unforeseen"]
Cut: TypeAlias = Literal["slow", "too_many", "not_http"]

EVERY_S: Final = 10.0
"""The same remark is made once in so long: whoever forges or floods shall not fill the log."""

_CONFIRM_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)

log = structlog.get_logger()


class Observer:
    """Counts; every remark says how many there were since the last one of its kind."""

    def __init__(self, room: Room, *, clock: Callable[[], float] = time.monotonic) -> None:
        registry = self.registry = own_registry()
        self._clock = clock
        self._said_s: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()
        self._requests = counter(declared.WEBHOOK_REQUESTS, registry)
        self._by_status: dict[int, Count] = {}
        self._signatures = counter(declared.WEBHOOK_SIGNATURES, registry)
        self._stale = counter(declared.WEBHOOK_STALE, registry)
        self._faults = counter(declared.WEBHOOK_FAULTS, registry)
        self._refused = counter(declared.WEBHOOK_REFUSED, registry)
        self._cut = counter(declared.WEBHOOK_CUT, registry)
        self._routed = counter(declared.WEBHOOK_ROUTED, registry)
        self._unrouted = counter(declared.WEBHOOK_UNROUTED, registry)
        self._confirm_s = histogram(declared.WEBHOOK_CONFIRM_SECONDS, _CONFIRM_S, registry)
        live(declared.WEBHOOK_IN_FLIGHT, lambda: [(("requests",), room.requests), (("bytes",), room.bytes)], registry)

    def answered(self, status: int) -> None:
        """A request has its answer."""
        series = self._by_status.get(status)
        if series is None:
            series = self._by_status[status] = self._requests.labels(str(status))
        series.inc()

    def forged(self) -> None:
        """A signature fits no key."""
        self._signatures.inc()
        self._remark("webhooks without a valid signature: forged, or signed with a key that is not set here")

    def refused(self, cause: Cause) -> None:
        """A webhook is answered 503."""
        self._refused.labels(cause).inc()
        self._remark("webhooks refused for now, Customer.io sends them again", cause=cause)

    def written(self, drafts: Drafts, *, is_stale: bool, seconds: float) -> None:
        """A webhook and its routed records are confirmed."""
        self._confirm_s.observe(seconds)
        if is_stale:
            self._stale.inc()
        if drafts.fault:
            self._faults.labels(drafts.fault.decode()).inc()
        for record in drafts.records:
            if record.route:
                self._routed.labels(record.route).inc()
        for route in drafts.unrouted:
            self._unrouted.labels(route).inc()

    def cut(self, cause: Cut) -> None:
        """A connection was ended."""
        self._cut.labels(cause).inc()

    def page(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)

    def _remark(self, text: str, **more: str) -> None:
        kind = " ".join((text, *more.values()))
        self._unsaid[kind] += 1
        now_s = self._clock()
        if now_s - self._said_s.get(kind, float("-inf")) >= EVERY_S:
            self._said_s[kind] = now_s
            log.warning(text, count=self._unsaid.pop(kind), **more)
