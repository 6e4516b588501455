"""A sender with everything around it, on a scripted API and in fake time."""

from collections.abc import Sequence
from itertools import pairwise

import orjson

from schemas.answer import Answer
from schemas.delivery import Parcel, Verdict
from streams.customerio.breaker import Breaker
from streams.customerio.sender import TrackSender
from streams.customerio.wire import Wire
from tests.fakes import FakeClient, FakeLimiter, FakeObserver

REGION = Answer(200, b'{"region":"us"}')
DOWN = Answer(503, b"<html>")


class World:
    """`news` becomes true when credentials have changed; jitter takes the longest pause by default."""

    def __init__(
        self, client: FakeClient, *, attempts_max: int = 3, backoff_s: float = 2.0, jitter: float = 1.0
    ) -> None:
        self.client = client
        self.limiter = FakeLimiter()
        self.observer = FakeObserver()
        self.news = False
        self.described: list[object] = []
        self.breaker = Breaker(
            "track",
            first_pause_s=backoff_s,
            jitter=lambda: jitter,
            observer=self.observer,
            has_news=lambda: self.news,
        )
        self.sender = TrackSender(
            client,
            Wire(self.breaker, self.limiter, self.observer),
            attempts_max=attempts_max,
            backoff_s=backoff_s,
            jitter=lambda: jitter,
            describe_region=self._describe,
        )

    def _describe(self, response: object) -> str:
        self.described.append(response)
        return "it is elsewhere"

    def sent(self) -> list[tuple[str, list[object]]]:
        """Every call: endpoint and names of its items."""
        return [(endpoint, names(body)) for endpoint, body in self.client.calls]

    def gaps(self) -> list[float]:
        """The seconds between one call and the next."""
        times = self.client.times
        return [round(after - before, 2) for before, after in pairwise(times)]


def names(body: bytes) -> list[object]:
    """Those of a batch, or of the only item."""
    if not body:
        return []
    value = orjson.loads(body)
    return [item["n"] for item in value["batch"]] if "batch" in value else [value["n"]]


def parcels(*items: object) -> list[Parcel]:
    """A parcel for each; a tuple is one of several items."""
    groups = [item if isinstance(item, tuple) else (item,) for item in items]
    return [Parcel(tuple(orjson.dumps({"n": name}) for name in group)) for group in groups]


def refuse(*indexes: int, status: int = 207) -> Answer:
    """An answer that names items."""
    return Answer(status, orjson.dumps({"errors": [{"batch_index": n, "reason": f"bad {n}"} for n in indexes]}))


def shown(verdicts: Sequence[Verdict]) -> list[tuple[bool, int | None, int]]:
    """Accepted, status, attempts."""
    return [(each.accepted, each.status, each.attempts) for each in verdicts]
