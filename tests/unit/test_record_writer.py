"""What a publisher is told of each record, on a producer of the test's own."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.errors import ConfigError, InvalidInputError, UnavailableError
from streams.messaging.drafts import deleted
from streams.messaging.record_writer import Outcome, RecordWriter, Written
from streams.settings import Settings

DRAFT = deleted("u-1", now_ms=0)


@dataclass(frozen=True, slots=True)
class FakeMessage:
    """A confirmed record."""

    place: int

    def topic(self) -> str:
        """Its topic."""
        return "p.user-changes"

    def partition(self) -> int:
        """Its partition."""
        return 3

    def offset(self) -> int:
        """Its place there."""
        return self.place


@dataclass(slots=True)
class FakeProducer:
    """Confirms at the next poll, with `errors` for the first records; refuses when `refusal` is set."""

    errors: list[KafkaError] = field(default_factory=list)
    refusal: Exception | None = None
    produced: list[tuple[Any, ...]] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)
    is_silent: bool = False
    is_purged: bool = False

    def produce(
        self,
        topic: str,
        value: bytes,
        key: bytes,
        *,
        headers: list[tuple[str, str | bytes | None]],  # noqa: ARG002 - tests/unit/test_trace_headers.py looks at them
        on_delivery: Callable[..., None],
    ) -> None:
        """Take the record."""
        if self.refusal:
            raise self.refusal
        place = len(self.produced)
        self.produced.append((topic, value, key))
        error = self.errors.pop(0) if self.errors else None
        self.waiting.append(lambda: on_delivery(error, FakeMessage(place)))

    def poll(self, timeout: float) -> int:
        """Confirm all that was taken."""
        while self.waiting and not self.is_silent:
            self.waiting.pop(0)()
        threading.Event().wait(min(timeout, 0.001))
        return 0

    def purge(self) -> None:
        """Give up what is not confirmed."""
        self.is_silent, self.is_purged = False, True

    def __len__(self) -> int:
        return len(self.waiting)


def written_on(producer: FakeProducer, *tokens: str) -> list[tuple[str, Outcome]]:
    """What is heard of a record for each token, once the writer is closed."""
    heard: list[tuple[str, Outcome]] = []

    def hear(told: Sequence[tuple[str, Outcome]]) -> None:
        heard.extend(told)

    settings = Settings(topic_prefix="p.")
    writer: RecordWriter[str] = RecordWriter(settings, producer, timeout_s=1, hear=hear)
    try:
        for token in tokens:
            assert writer.write(DRAFT, token)
    finally:
        writer.close()
    return heard


def test_each_record_is_told_its_place() -> None:
    """Closing waits for the last of them."""
    producer = FakeProducer()

    assert written_on(producer, "a", "b") == [
        ("a", Written("p.user-changes", 3, 0)),
        ("b", Written("p.user-changes", 3, 1)),
    ]
    assert producer.produced[0] == ("p.user-changes", b'{"type":"user.deleted","user_id":"u-1"}', b"u-1")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (KafkaError.MSG_SIZE_TOO_LARGE, InvalidInputError),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, ConfigError),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, ConfigError),
        (KafkaError._MSG_TIMED_OUT, UnavailableError),
        (KafkaError.NOT_ENOUGH_REPLICAS, UnavailableError),
    ],
)
def test_a_failure_says_what_to_do(code: int, error: type[Exception]) -> None:
    """Each record hears of its own, whether Kafka or the producer says so."""
    heard = written_on(FakeProducer([KafkaError(code)]), "a", "b")
    assert [type(outcome) for _, outcome in heard] == [error, Written]

    with pytest.raises(error):
        written_on(FakeProducer(refusal=KafkaException(KafkaError(code))), "a")


def test_a_full_queue_is_no_error() -> None:
    """The caller decides how long to wait for room."""
    writer: RecordWriter[str] = RecordWriter(
        Settings(), FakeProducer(refusal=BufferError()), timeout_s=1, hear=lambda _: None
    )
    is_taken = writer.write(DRAFT, "a")
    writer.close()

    assert not is_taken


def test_nobody_left_to_hear_ends_nothing() -> None:
    """An event loop may be closed before the last confirmation."""
    told: list[int] = []

    def hear(heard: Sequence[tuple[str, Outcome]]) -> None:
        told.append(len(heard))
        raise RuntimeError("Event loop is closed")

    writer: RecordWriter[str] = RecordWriter(Settings(), FakeProducer(), timeout_s=1, hear=hear)
    writer.write(DRAFT, "a")
    writer.close()

    assert told == [1]


def test_a_closed_writer_takes_nothing() -> None:
    """Rather than write what nobody would be told of."""
    producer = FakeProducer()
    writer: RecordWriter[str] = RecordWriter(Settings(), producer, timeout_s=1, hear=lambda _: None)
    writer.close()

    with pytest.raises(UnavailableError, match="closed: nothing was written"):
        writer.write(DRAFT, "a")
    assert producer.produced == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is the fault
def test_a_thread_that_fails_leaves_nobody_waiting() -> None:
    """Who was not told yet is told that it may be written, and who comes later that nothing is."""
    producer = FakeProducer([KafkaError(KafkaError._PURGE_INFLIGHT)] * 2)
    heard: list[tuple[str, Outcome]] = []
    has_failed = threading.Event()

    def hear(told: Sequence[tuple[str, Outcome]]) -> None:
        heard.extend(told)
        if len(heard) == 1:
            producer.is_silent = True
            writer.write(DRAFT, "b")
            has_failed.set()
            raise ZeroDivisionError

    writer: RecordWriter[str] = RecordWriter(Settings(), producer, timeout_s=1, hear=hear)
    writer.write(DRAFT, "a")
    assert has_failed.wait(10)
    writer.close()

    assert [token for token, _ in heard] == ["a", "b"]
    assert producer.is_purged
    with pytest.raises(UnavailableError, match="closed"):
        writer.write(DRAFT, "c")
