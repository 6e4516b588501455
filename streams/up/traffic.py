"""Produces sample traffic at an even pace; what it produces is `sample_traffic`'s business."""

import contextlib
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from streams.publishing.publish import create_producer
from streams.publishing.sample_traffic import sample_traffic
from streams.settings import Settings

RECORDS_PER_S: Final = 50
BURST_MAX: Final = 100
"""After a pause, at most so many records at once; the others are not made up for."""

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
    ) -> None:
        self._producer: RecordProducer = producer or create_producer(settings)
        self._topic = settings.topic
        self._clock = clock
        self._records = sample_traffic(random.Random(seed), now=lambda: datetime.now(UTC))  # noqa: S311 - no secret
        self._produced_until_s = clock()

    def tick(self) -> None:
        """Produce what has become due since the last time."""
        due = int((self._clock() - self._produced_until_s) * RECORDS_PER_S)
        self._produced_until_s += due / RECORDS_PER_S
        for _ in range(min(due, BURST_MAX)):
            record = next(self._records)
            with contextlib.suppress(BufferError):  # Kafka does not keep up: it is sample traffic, let it go
                self._producer.produce(self._topic(record.topic), record.value, record.key)
        self._producer.poll(0)

    def close(self) -> None:
        """Let go of what has not been written yet."""
        self._producer.purge()
        self._producer.flush(FLUSH_S)
