"""Deletes the beginning of partitions, which is all that Kafka deletes of a topic that is not compacted. Blocking."""

import time
from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.errors import ConfigError, UnavailableError
from streams.kafka.partition_reader import Place

ASK_S: Final = 15.0
AGAIN_S: Final = 0.5
ATTEMPTS: Final = 20
_PASSING: Final = frozenset(
    {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.REQUEST_TIMED_OUT}
)


def delete_before(admin: AdminClient, ends: Mapping[Place, int]) -> None:
    """Delete all records before these offsets, on every replica.

    Raises:
        ConfigError: it is not allowed.
        UnavailableError: it could not be done.
    """
    for attempt in range(1, ATTEMPTS + 1):
        asked = admin.delete_records(
            [TopicPartition(*place, end) for place, end in ends.items()], request_timeout=ASK_S, operation_timeout=ASK_S
        )
        errors: dict[str, KafkaError] = {}
        for partition, future in asked.items():
            try:
                future.result()
            except KafkaException as refusal:
                errors[partition.topic] = refusal.args[0]
        if not errors:
            return
        topic, error = next(iter(errors.items()))
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise ConfigError(f"Records of {topic} may not be deleted: allow DELETE on it")
        if attempt == ATTEMPTS or error.code() not in _PASSING:
            raise UnavailableError(f"Records of {topic} cannot be deleted: {error.str()}: run it again")
        time.sleep(AGAIN_S)
