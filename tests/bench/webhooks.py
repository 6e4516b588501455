"""The webhook receiver: how many signed webhooks a second one process confirms, and how long each waits for it."""

import asyncio
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from streams.settings import Settings
from tests.bench.answers import ask
from tests.bench.broker import Broker, own_topics
from tests.bench.child import Child
from tests.bench.errors import BenchError
from tests.bench.report import Figure, Report, at_least, at_most
from tests.webhook_client import KEY, Connection, make_body, make_request

_Send = Callable[[int, float], Coroutine[None, None, "Seen"]]

PARTITIONS: Final = 12
PEOPLE: Final = 1_000
CONNECTIONS: Final = 64
RATE_PER_S: Final = 1_000  # half of what one core must do
SECONDS: Final = 10.0
WARM_UP_S: Final = 2.0
READY_S_MAX: Final = 20.0


@dataclass(slots=True)
class Seen:
    """What the senders saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    delays_s: list[float] = field(default_factory=list)

    async def ask(self, connection: Connection, request: bytes, *, due_s: float) -> None:
        """Ask, and count the delay from when the request was due."""
        self.statuses[await connection.ask(request)] += 1
        self.delays_s.append(time.monotonic() - due_s)

    def insist(self) -> None:
        """Every webhook must have been taken."""
        if set(self.statuses) != {200}:
            raise BenchError(f"not every webhook was answered 200: {dict(self.statuses)}")


def measure(broker: Broker, _records: int) -> Report:
    """As many as go first, then half of what is asked for, evenly."""
    with (
        own_topics(broker, partitions=PARTITIONS) as settings,
        tempfile.TemporaryDirectory() as folder,
        Child(
            "receiver", ["-m", "streams", "webhooks"], folder=Path(folder), environment=_environment(settings)
        ) as child,
    ):
        port = int(child.wait_for_line(r'"url": "http://127\.0\.0\.1:(\d+)/', seconds=READY_S_MAX))
        child.wait_for_line(r"(ready for webhooks)", seconds=READY_S_MAX)
        asyncio.run(_full(port, WARM_UP_S))
        full, full_cpu_s = _measured(child, port, _full)
        even, even_cpu_s = _measured(child, port, _even)
        peak_mb = child.peak_mb()
    count, even_count = sum(full.statuses.values()), sum(even.statuses.values())
    percentiles = statistics.quantiles(even.delays_s, n=1000)
    figures = (
        Figure(name="webhooks/s, as many as go", value=count / SECONDS, goal=at_least(2_000)),
        Figure(name="webhooks per CPU second of the receiver, at full load", value=count / full_cpu_s),
        Figure(name="CPU ms of the receiver per webhook, at full load", value=full_cpu_s / count * 1000, digits=3),
        Figure(name=f"CPU ms per webhook at {RATE_PER_S:,}/s", value=even_cpu_s / even_count * 1000, digits=3),
        Figure(name=f"to the answer at {RATE_PER_S:,}/s, p50, ms", value=percentiles[499] * 1000, digits=1),
        Figure(name="  p99, ms", value=percentiles[989] * 1000, digits=1, goal=at_most(100)),
        Figure(name="  the slowest, ms", value=max(even.delays_s) * 1000, digits=1),
        Figure(name="peak memory, MB", value=peak_mb),
    )
    how = f"{CONNECTIONS} connections, bodies of {len(make_body())} bytes, {SECONDS:.0f} s each; signed, all confirmed"
    return Report(part="webhooks", how=how, figures=figures)


def _environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "TOPIC_PREFIX": settings.topic_prefix,
        "APP_ID": settings.app_id,
        "CUSTOMERIO_WEBHOOK_SIGNING_KEY": KEY,
        "WEBHOOK_PORT": "0",
        "LOG_FORMAT": "json",
    }


def _measured(child: Child, port: int, send: _Send) -> tuple[Seen, float]:
    before = child.measured.cpu_times()
    seen = asyncio.run(send(port, SECONDS))
    after = child.measured.cpu_times()
    child.insist_on_life()
    status, _ = ask(port, "/readyz")
    if status != 200:
        raise BenchError("the receiver is not ready any more")
    seen.insist()
    return seen, (after.user + after.system) - (before.user + before.system)


def _requests() -> list[bytes]:
    """Of so many people; signed now, which is enough for as long as this takes."""
    return [
        make_request(make_body(event_id=f"event-{person}", data={"identifiers": {"id": f"u-{person}"}, "x": "y" * 250}))
        for person in range(PEOPLE)
    ]


async def _full(port: int, seconds: float) -> Seen:
    """Each connection sends its next one as soon as it has the answer."""
    seen, requests, end_s = Seen(), _requests(), time.monotonic() + seconds

    async def send(number: int) -> None:
        async with await Connection.open(port) as connection:
            while (now_s := time.monotonic()) < end_s:
                await seen.ask(connection, requests[number % PEOPLE], due_s=now_s)
                number += CONNECTIONS

    await asyncio.gather(*(send(number) for number in range(CONNECTIONS)))
    return seen


async def _even(port: int, seconds: float) -> Seen:
    """At a fixed rate, whatever the answers do: a connection that is late sends at once, and its delay counts."""
    seen, requests, begin_s = Seen(), _requests(), time.monotonic()

    async def send(first: int) -> None:
        async with await Connection.open(port) as connection:
            for number in range(first, int(seconds * RATE_PER_S), CONNECTIONS):
                due_s = begin_s + number / RATE_PER_S
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                await seen.ask(connection, requests[number % PEOPLE], due_s=due_s)

    await asyncio.gather(*(send(first) for first in range(CONNECTIONS)))
    return seen
