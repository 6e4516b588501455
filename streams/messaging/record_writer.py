"""Writes records to Kafka and says where each lies, once every replica has it: the core of both faces of the queue.

It judges no record and waits for nobody; a thread of its own hears from Kafka.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from confluent_kafka import KafkaError, KafkaException, Message

from schemas.errors import ConfigError, InvalidInputError, StreamsError, UnavailableError
from streams.kafka.producer import create_producer
from streams.messaging.drafts import Draft
from streams.messaging.topic_lookup import TopicLookup
from streams.messaging.trace_headers import Header, current_trace
from streams.settings import Settings

LINGER_MS: Final = 5.0  # records that come so close together share a request
HEAR_S: Final = 0.1
CLOSE_S: Final = 5.0
"""What closing takes at most beyond the time that the last record has."""

_TOO_LARGE: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})
_FORBIDDEN: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - its public name
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)

_CLOSED: Final = "the queue is closed: nothing was written"

T = TypeVar("T")


class Written(NamedTuple):
    """Where a record lies; `topic` is the full name."""

    topic: str
    partition: int
    offset: int


Outcome: TypeAlias = Written | StreamsError


class RecordProducer(Protocol):
    """Takes records, and confirms them when it is polled."""

    def produce(  # noqa: D102
        self, topic: str, value: bytes, key: bytes, *, headers: list[Header], on_delivery: Callable[..., Any]
    ) -> None: ...
    def poll(self, timeout: float) -> int: ...  # noqa: D102
    def purge(self) -> None: ...  # noqa: D102
    def __len__(self) -> int: ...


def open_writer(
    settings: Settings, *, timeout_s: float, hear: Callable[[Sequence[tuple[T, Outcome]]], None]
) -> "RecordWriter[T]":
    """Give a writer with a producer of its own, which keys as Java's does and writes each record once.

    Raises:
        ConfigError: librdkafka refuses the settings, for example a certificate.
    """
    own = {"message.timeout.ms": max(1, int(timeout_s * 1000)), "linger.ms": min(LINGER_MS, timeout_s * 1000)}
    try:
        producer = create_producer(settings, **own)
    except KafkaException as error:
        raise ConfigError(f"KAFKA_*: {error.args[0].str()}") from error
    return RecordWriter(settings, producer, timeout_s=timeout_s, hear=hear)


class RecordWriter(Generic[T]):
    """`hear` is told, in the writer's own thread, what became of each record: (token, outcome) of several at once."""

    def __init__(
        self,
        settings: Settings,
        producer: RecordProducer,
        *,
        timeout_s: float,
        hear: Callable[[Sequence[tuple[T, Outcome]]], None],
    ) -> None:
        self._settings = settings
        self._producer = producer
        self._timeout_s = timeout_s
        self._hear = hear
        self._heard: list[tuple[T, Outcome]] = []
        self.topics = TopicLookup(settings)
        self._process = os.getpid()
        self._door = threading.Lock()  # nothing is taken any more once closing has been seen
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="queued-messaging", daemon=True)
        self._thread.start()

    def insist_on_open(self) -> None:
        """Refuse what would never be heard of.

        Raises:
            ConfigError: we are a fork of the process that opened it.
            UnavailableError: it is closed.
        """
        if self._process != os.getpid():  # before the lock, which somebody may have held at the fork
            raise ConfigError("the queue was opened by another process: make one after the fork")
        if self._is_closing:
            raise UnavailableError(_CLOSED)

    def write(self, draft: Draft, token: T) -> bool:
        """Hand a record over, of which `hear` is told later; false when there is no room for it now.

        Raises:
            ConfigError: we are a fork of the process that opened it.
            InvalidInputError: it is larger than any topic may take.
            UnavailableError: it is closed, or the producer is beyond help.
        """
        topic = self._settings.topic(draft.topic)
        told: Callable[..., Any] = partial(self._confirm, token)
        self.insist_on_open()
        with self._door:
            if self._is_closing:
                raise UnavailableError(_CLOSED)
            try:
                self._producer.produce(topic, draft.value, draft.key, headers=current_trace(), on_delivery=told)
            except BufferError:
                return False
            except KafkaException as error:
                raise self._error(error.args[0]) from None
        return True

    def begin_to_close(self) -> None:
        """Take nothing any more."""
        if self._process == os.getpid():
            with self._door:
                self._is_closing = True

    def close(self) -> None:
        """Wait until every record is confirmed or given up, and end the thread; a fork leaves that to its parent."""
        self.begin_to_close()
        if self._process == os.getpid():
            self._thread.join(self._timeout_s + 2 * CLOSE_S)

    def _run(self) -> None:
        try:
            until_s = float("inf")
            while not self._is_closing or (len(self._producer) and time.monotonic() < until_s):
                if self._is_closing:
                    until_s = min(until_s, time.monotonic() + self._timeout_s + CLOSE_S)
                self._listen(HEAR_S)
        finally:
            self._give_up()

    def _listen(self, seconds: float) -> None:
        self._producer.poll(seconds)
        if self._heard:
            heard, self._heard = self._heard, []
            with suppress(RuntimeError):  # its event loop is closed: nobody is left who waits
                self._hear(heard)

    def _give_up(self) -> None:
        """Nobody listens after this, so what is not confirmed by now is told so."""
        self.begin_to_close()
        self._producer.purge()
        until_s = time.monotonic() + CLOSE_S
        while len(self._producer) and time.monotonic() < until_s:
            self._listen(HEAR_S)

    def _confirm(self, token: T, error: KafkaError | None, message: Message) -> None:
        if error is None:
            place = Written(str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))
            self._heard.append((token, place))
        else:
            self._heard.append((token, self._error(error)))

    def _error(self, error: KafkaError) -> StreamsError:
        if error.code() in _TOO_LARGE:
            return InvalidInputError(f"value: is larger than its topic takes ({error.str()})")
        if error.code() in _FORBIDDEN:
            return ConfigError(f"Kafka does not take it: {error.str()}")
        return unconfirmed(self._timeout_s, error.str())


def unconfirmed(timeout_s: float, why: str = "no answer") -> UnavailableError:
    """The error for a record that was handed over, and of which nothing is known."""
    return UnavailableError(
        f"Kafka has not confirmed it within {timeout_s:g} s ({why}): it may be written all the same"
    )
