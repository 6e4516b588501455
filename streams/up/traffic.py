"""Produces sample traffic at an even pace; what it produces is `sample_traffic`'s business."""

import contextlib
import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from streams.kafka.producer import create_producer
from streams.publishing.sample_sends import sample_sends
from streams.publishing.sample_traffic import SampleRecord, sample_traffic
from streams.settings import Settings

RECORDS_PER_S: Final = 50
SENDS_PER_S: Final = 1
BURST_MAX: Final = 100
"""After a pause, at most so many records at once; the others are not made up for."""

SOURCES: Final[Sequence[tuple[Callable[..., Iterator[SampleRecord]], float]]] = (
    (sample_traffic, RECORDS_PER_S),
    (sample_sends, SENDS_PER_S),
)
"""Who makes the records, and how many a second."""

SEED: Final = 22  # with a malformed record among the first, so that every figure has something to show
FLUSH_S: Final = 0.5


class RecordProducer(Protocol):
    """The part of confluent-kafka's producer that is needed here."""

    def produce(self, topic: str, value: bytes | None, key: bytes) -> None:
        """Take a record; `BufferError` when there is no room."""

    def poll(self, timeout: float) -> int:
        """Serve callbacks."""

    def purge(self) -> None:
        """Forget what has not been written."""

    def flush(self, timeout: float) -> int:
        """Wait for what is on its way."""


class Traffic:
    """Records that are due, produced whenever `tick` is called; it waits for nothing."""

    def __init__(
        self,
        settings: Settings,
        *,
        producer: RecordProducer | None = None,
        seed: int = SEED,
        clock: Callable[[], float] = time.monotonic,
        sources: Sequence[tuple[Callable[..., Iterator[SampleRecord]], float]] = SOURCES,
    ) -> None:
        self._producer: RecordProducer = producer or create_producer(settings)
        self._topic = settings.topic
        self._clock = clock
        self._sources = [_Source(make(_chance(seed), now=_now), per_s=per_s, now_s=clock()) for make, per_s in sources]

    def tick(self) -> None:
        """Produce what has become due since the last time."""
        now_s = self._clock()
        for record in (record for source in self._sources for record in source.due(now_s)):
            with contextlib.suppress(BufferError):  # Kafka does not keep up: it is sample traffic, let it go
                self._producer.produce(self._topic(record.topic), record.value, record.key)
        self._producer.poll(0)

    def close(self) -> None:
        """Let go of what has not been written yet."""
        self._producer.purge()
        self._producer.flush(FLUSH_S)


class _Source:
    """Records at an even pace."""

    def __init__(self, records: Iterator[SampleRecord], *, per_s: float, now_s: float) -> None:
        self._records = records
        self._per_s = per_s
        self._made_until_s = now_s

    def due(self, now_s: float) -> Iterator[SampleRecord]:
        """Make what has become due since the last time."""
        due = int((now_s - self._made_until_s) * self._per_s)
        self._made_until_s += due / self._per_s
        return itertools.islice(self._records, min(due, BURST_MAX))


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret


def _now() -> datetime:
    return datetime.now(UTC)
