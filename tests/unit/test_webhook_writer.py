"""When a webhook counts as written, with a producer that does as it is told."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.kafka.producer import LastingProducer
from streams.webhooks.records import Draft
from streams.webhooks.writer import Outcome, Writer

RECORDS = [Draft("webhooks", b"k", b"v", []), Draft("status", b"k", b"v", [], "r")]
Told = Callable[[KafkaError | None, Any], None]


class FakeProducer:
    """Confirms when it is asked, with the errors that are given for topics."""

    def __init__(self, errors: dict[str, KafkaError] | None = None, *, refusal: Exception | None = None) -> None:
        self._errors = errors or {}
        self._refusal = refusal
        self.waiting: list[tuple[str, Told]] = []
        self.is_silent = False

    def produce(self, topic: str, _value: bytes, _key: bytes, *, headers: object, on_delivery: Told) -> None:
        """As confluent-kafka does."""
        assert headers == []
        if self._refusal:
            raise self._refusal
        self.waiting.append((topic, on_delivery))

    def poll(self, _seconds: float) -> int:
        """Confirm all."""
        if self.is_silent:
            return 0
        waiting, self.waiting = self.waiting, []
        for topic, told in waiting:
            told(self._errors.get(topic), None)
        return len(waiting)


async def write(producer: FakeProducer, seconds: float = 2.0) -> Outcome:
    """Write a webhook and its status."""
    writer = Writer(cast(LastingProducer, producer))
    outcome = await writer.write(RECORDS, deadline_s=asyncio.get_running_loop().time() + seconds)
    await writer.close()
    return outcome


async def test_all_records_confirmed_is_written() -> None:
    """The webhook and its status."""
    assert await write(FakeProducer()) == "written"


@pytest.mark.parametrize("topic", ["webhooks", "status"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (KafkaError._MSG_TIMED_OUT, "unconfirmed"),
        (KafkaError.NOT_ENOUGH_REPLICAS, "unconfirmed"),
        (KafkaError.MSG_SIZE_TOO_LARGE, "too_large"),
    ],
)
async def test_one_that_is_not_confirmed_decides(topic: str, code: int, expected: Outcome) -> None:
    """Whichever it is."""
    assert expected == await write(FakeProducer({topic: KafkaError(code)}))


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (BufferError(), "full"),
        (KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)), "too_large"),
        (KafkaException(KafkaError(KafkaError._STATE)), "unconfirmed"),
    ],
)
async def test_what_the_producer_does_not_take_is_told(refusal: Exception, expected: Outcome) -> None:
    """At once."""
    assert expected == await write(FakeProducer(refusal=refusal))


async def test_silence_ends_at_the_deadline() -> None:
    """And the writer ends too, in its own time."""
    silent = FakeProducer()
    silent.is_silent = True
    writer = Writer(cast(LastingProducer, silent))
    now_s = asyncio.get_running_loop().time()

    assert await writer.write(RECORDS, deadline_s=now_s + 0.05) == "unconfirmed"
    silent.is_silent = False
    await writer.close()
    assert silent.waiting == []
