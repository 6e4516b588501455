"""What the benchmark publishes: seeded user changes of about 330 bytes, at once or at a steady rate."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

import orjson
from confluent_kafka import Producer

from streams.kafka.clients import librdkafka_config
from streams.kafka.topic_plan import USER_CHANGES
from streams.settings import Settings

SEED: Final = 1
REPEATS: Final = 0.1
STEP_RECORDS: Final = 20  # of a steady rate: published together, then the next pause
FIRST_AT: Final = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
CITIES: Final = ("Amsterdam", "Barcelona", "Copenhagen", "Dublin", "Edinburgh", "Florence")


class Draft(NamedTuple):
    """A record to publish."""

    key: bytes
    value: bytes


def user_changes(*, users: int) -> Iterator[Draft]:
    """Give changes without end; every tenth says what was last said of its user."""
    chance = random.Random(SEED)
    last: dict[str, Draft] = {}
    seen: list[str] = []
    version = 0
    while True:
        if seen and chance.random() < REPEATS:
            yield last[chance.choice(seen)]
            continue
        version += 1
        user_id = f"user-{chance.randrange(users)}"
        if user_id not in last:
            seen.append(user_id)
        last[user_id] = Draft(user_id.encode(), _change(user_id, version, chance))
        yield last[user_id]


def _change(user_id: str, version: int, chance: random.Random) -> bytes:
    return orjson.dumps(
        {
            "type": "user.upserted",
            "occurred_at": (FIRST_AT + timedelta(milliseconds=version)).isoformat(),
            "version": version,
            "user": {
                "id": user_id,
                "email": f"{user_id}@example.com",
                "first_name": "Ada",
                "last_name": "Lovelace",
                "plan": chance.choice(("free", "pro")),
                "preferences": {"marketing": True, "transactional": True},
                "attributes": {
                    "city": chance.choice(CITIES),
                    "score": chance.randrange(1000),
                    "campaign": "spring-sale-of-2026-second-wave",
                },
            },
        }
    )


class Publisher:
    """Publishes records keyed as Java does, user changes unless a topic (short name) is named."""

    def __init__(self, settings: Settings) -> None:
        options = {
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 5,
            "queue.buffering.max.messages": 1_000_000,
        }
        self._producer = Producer(librdkafka_config(settings, **options))
        self._settings = settings
        self._topic = settings.topic(USER_CHANGES)

    def publish(self, drafts: Iterable[Draft], *, topic: str = USER_CHANGES) -> None:
        """Publish all, as fast as it goes, and return when the broker has them."""
        name = self._settings.topic(topic)
        for number, draft in enumerate(drafts):
            self._producer.produce(name, draft.value, draft.key)
            if number % 1000 == 0:
                self._producer.poll(0)
        self._producer.flush()

    def trickle(self, drafts: Iterator[Draft], *, rate_per_s: int, seconds: float, check: Callable[[], None]) -> int:
        """Publish steadily for so long, with a `check` in every pause; return how many."""
        started, count = time.monotonic(), 0
        while count < rate_per_s * seconds:
            for draft in islice(drafts, STEP_RECORDS):
                self._producer.produce(self._topic, draft.value, draft.key)
            count += STEP_RECORDS
            self._producer.poll(0)
            check()
            time.sleep(max(0.0, started + count / rate_per_s - time.monotonic()))
        return count
