"""Publishes steadily in a thread of its own, and notes at which place each record ended up."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from confluent_kafka import KafkaError, Message, Producer

from tests.faults.traffic import Draft

FLUSH_S = 60.0


class Place(NamedTuple):
    """Where a record is; `topic` is the full name."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """As violations name it."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Published:
    """A record that the broker has acknowledged."""

    place: Place
    draft: Draft


class Publisher:
    """Keeps to `rate_per_s`; `is_done` once all is acknowledged."""

    def __init__(
        self, config: dict[str, Any], drafts: Iterable[Draft], *, rate_per_s: float, topic: Callable[[str], str]
    ) -> None:
        self.published: list[Published] = []
        self.failures: list[str] = []
        self._drafts = drafts
        self._rate_per_s = rate_per_s
        self._topic = topic
        settings = {"enable.idempotence": True, "partitioner": "murmur2_random", "linger.ms": 5}
        self._producer = Producer(config | settings)
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether every record has its place."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        started = time.monotonic()
        for number, draft in enumerate(self._drafts):
            while number > (time.monotonic() - started) * self._rate_per_s:
                self._producer.poll(0.01)
            self._producer.produce(
                self._topic(draft.topic),
                draft.value,
                draft.key,
                timestamp=draft.timestamp_ms,
                headers=list(draft.headers),
                on_delivery=self._note(draft),
            )
            self._producer.poll(0)
        if self._producer.flush(FLUSH_S):
            self.failures.append("the publisher could not flush")

    def _note(self, draft: Draft) -> Callable[[KafkaError | None, Message], None]:
        def note(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self.failures.append(f"the publisher failed: {error.str()}")
                return
            place = Place(*cast("tuple[str, int, int]", (message.topic(), message.partition(), message.offset())))
            self.published.append(Published(place, draft))

        return note
