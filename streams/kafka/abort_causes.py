"""Sorts why a transaction was not committed into a few causes, for who counts them."""

from collections.abc import Collection, Mapping
from typing import Final, Literal, TypeAlias

from confluent_kafka import KafkaError

AbortCause: TypeAlias = Literal[
    "fenced", "producer", "not_allowed", "too_large", "too_few_replicas", "unreachable", "other"
]

_CODES: Final[Mapping[AbortCause, Collection[int]]] = {
    "fenced": (
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
    ),
    "producer": (
        KafkaError._FENCED,  # noqa: SLF001 - its public name, here and below
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
        KafkaError._FATAL,  # noqa: SLF001
    ),
    "not_allowed": (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ),
    "too_large": (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE),
    "too_few_replicas": (KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND),
    "unreachable": (
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._MSG_TIMED_OUT,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
    ),
}
_CAUSES: Final[Mapping[int, AbortCause]] = {code: cause for cause, codes in _CODES.items() for code in codes}


def abort_cause(error: KafkaError) -> AbortCause:
    """Why the transaction that ended with this error was not committed."""
    return _CAUSES.get(error.code(), "other")
