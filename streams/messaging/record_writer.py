"""Writes records to Kafka and says where each lies, once every replica has it: the core of both faces of the queue.

It judges no record and waits for nobody; a thread of its own hears from Kafka.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.errors import ConfigError, InvalidInputError, StreamsError, UnavailableError
from streams.kafka.clients import connected_admin
from streams.kafka.producer import create_producer
from streams.kafka.topics import require_partitions
from streams.messaging.drafts import Draft
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

T = TypeVar("T")


class Written(NamedTuple):
    """Where a record lies; `topic` is the full name."""

    topic: str
    partition: int
    offset: int


Outcome: TypeAlias = Written | StreamsError


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
    """`hear` is told, in the writer's own thread, what became of records: (token, outcome) of several at once."""

    def __init__(
        self,
        settings: Settings,
        producer: Producer,
        *,
        timeout_s: float,
        hear: Callable[[Sequence[tuple[T, Outcome]]], None],
    ) -> None:
        self._settings = settings
        self._producer = producer
        self._timeout_s = timeout_s
        self._hear = hear
        self._heard: list[tuple[T, Outcome]] = []
        self._known: set[str] = set()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queued-messaging", daemon=True)
        self._thread.start()

    def is_known(self, topic: str) -> bool:
        """Whether `learn` has found this topic (short name): a producer alone might create a missing one."""
        return topic in self._known

    def learn(self, topic: str) -> None:
        """Find the topic; this asks Kafka, and takes as long as that takes.

        Raises:
            ConfigError: it does not exist.
            UnavailableError: Kafka cannot be reached.
        """
        require_partitions(connected_admin(self._settings), self._settings, [topic])
        self._known.add(topic)

    def write(self, draft: Draft, token: T) -> bool:
        """Hand a record over, of which `hear` is told later; false when there is no room for it now.

        Raises:
            InvalidInputError: it is larger than any topic may take.
            UnavailableError: the producer is beyond help.
        """
        topic = self._settings.topic(draft.topic)
        told: Callable[..., Any] = partial(self._confirm, token)
        try:
            self._producer.produce(topic, draft.value, draft.key, on_delivery=told)
        except BufferError:
            return False
        except KafkaException as error:
            raise self._error(error.args[0]) from None
        return True

    def close(self) -> None:
        """Wait until every record is confirmed or given up, and end the thread."""
        self._is_closing.set()
        self._thread.join(self._timeout_s + CLOSE_S)

    def _run(self) -> None:
        while not self._is_closing.is_set() or len(self._producer):
            self._producer.poll(HEAR_S)
            if self._heard:
                heard, self._heard = self._heard, []
                with suppress(RuntimeError):  # its event loop is closed: nobody is left who waits
                    self._hear(heard)

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
        return UnavailableError(
            f"Kafka has not confirmed it within {self._timeout_s:g} s ({error.str()}): it may be written all the same"
        )
