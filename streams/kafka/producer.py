"""The producer of all who put records on topics without a transaction: commands, sample traffic, applications."""

import logging
from typing import Any, Final

from confluent_kafka import Producer

from streams.kafka.clients import LIBRDKAFKA_LOGGER, librdkafka_config
from streams.settings import Settings

RECORD_BYTES_MAX: Final = 32 * 1024 * 1024  # what is too large is the topic's to say
QUEUED_KIB_MAX: Final = 64 * 1024
CONFIRM_S_MAX: Final = 60.0
"""A record that Kafka has not confirmed within this time has failed."""


def create_producer(settings: Settings, **extra: Any) -> Producer:  # noqa: ANN401 - librdkafka's values vary
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
        "logger": silent,
    }
    return Producer(librdkafka_config(settings, **guarantees | extra))
