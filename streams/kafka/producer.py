"""The producer of all who put records on topics without a transaction: commands, sample traffic, applications.

It recovers from what librdkafka's does not: losing every broker that it knows, and errors that are fatal to it.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.kafka.clients import LIBRDKAFKA_LOGGER, REBOOTSTRAP, librdkafka_config
from streams.kafka.known_brokers import LOOK_MS, KnownBrokers
from streams.settings import Settings

RECORD_BYTES_MAX: Final = 32 * 1024 * 1024  # what is too large is the topic's to say
QUEUED_KIB_MAX: Final = 64 * 1024
CONFIRM_S_MAX: Final = 60.0
"""A record that Kafka has not confirmed within this time has failed."""

PURGE_S_MAX: Final = 1.0

log = structlog.get_logger()

OnDelivery = Callable[[KafkaError | None, Message], None]
Headers = list[tuple[str, str | bytes | None]]
"""Bytes, all of them; the wider type is confluent-kafka's."""


def create_producer(settings: Settings, **extra: Any) -> "LastingProducer":  # noqa: ANN401 - librdkafka's values vary
    """Give a producer that keys as Java's does and whose confirmed records are written once, on every replica."""
    silent = logging.getLogger(f"{LIBRDKAFKA_LOGGER}.publish")
    silent.disabled = True  # what matters comes with a confirmation
    guarantees = {
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 20,
        "message.max.bytes": RECORD_BYTES_MAX,
        "queue.buffering.max.kbytes": QUEUED_KIB_MAX,
        "message.timeout.ms": int(CONFIRM_S_MAX * 1000),
        "statistics.interval.ms": LOOK_MS,
        "logger": silent,
    }
    config = librdkafka_config(settings, **guarantees | REBOOTSTRAP | extra)
    return LastingProducer(lambda look: Producer(config | {"stats_cb": look}))


class OneProducer(Protocol):
    """The part of confluent-kafka's producer that is needed here."""

    def produce(  # noqa: D102
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        *,
        headers: Headers | None,
        on_delivery: OnDelivery | None,
    ) -> None: ...
    def poll(self, timeout: float) -> int: ...  # noqa: D102
    def purge(self) -> None: ...  # noqa: D102
    def __len__(self) -> int: ...


class LastingProducer:
    """A producer that is replaced when it knows no broker any more or is beyond help; what it held has then failed."""

    def __init__(self, create: Callable[[Callable[[str], None]], OneProducer]) -> None:
        self._create = create
        self._door = threading.Lock()  # nothing goes to a producer that is let go
        self._begin()

    def _begin(self) -> None:
        self._brokers = KnownBrokers()
        self._producer = self._create(self._brokers.look)

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int = -1,
        *,
        headers: Headers | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        """Take a record; `BufferError` when there is no room, `KafkaException` when it can never be written."""
        with self._door:
            self._producer.produce(topic, value, key, partition, headers=headers, on_delivery=on_delivery)

    def poll(self, timeout: float) -> int:
        """Serve callbacks."""
        try:
            served = self._producer.poll(timeout)
        except KafkaException as error:  # what is fatal is told so, once; another error never
            log.warning("the producer is beyond help, going on with another", why=error.args[0].str())
            self._replace()
            return 0
        if self._brokers.are_lost:
            self._replace()
        return served

    def flush(self, timeout: float) -> int:
        """Wait until all is confirmed or has failed; how many are not."""
        until_s = time.monotonic() + timeout
        while len(self) and (left_s := until_s - time.monotonic()) > 0:
            self.poll(min(left_s, LOOK_MS / 1000))
        return len(self)

    def purge(self) -> None:
        """Let go of what is not confirmed; the next polls tell."""
        self._producer.purge()

    def __len__(self) -> int:
        return len(self._producer)

    def _replace(self) -> None:
        with self._door:
            self._producer.purge()
            until_s = time.monotonic() + PURGE_S_MAX
            while len(self._producer) and time.monotonic() < until_s:
                with suppress(KafkaException):  # as above: it is let go anyway
                    self._producer.poll(PURGE_S_MAX / 10)
            self._begin()
