"""Asks where partitions begin and end, all of them in one request."""

from collections.abc import Collection
from typing import Final

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AdminClient,
    OffsetSpec,
)

from schemas.errors import UnavailableError
from streams.kafka.partition_reader import Place

ASK_S: Final = 15.0
_OLDEST: Final = OffsetSpec.earliest()  # type: ignore[no-untyped-call] # its stubs leave out the type
_END: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call] # as above


def oldest(admin: AdminClient, places: Collection[Place]) -> dict[Place, int]:
    """The oldest offset that is still there, or the next one where nothing is."""
    return _ask(admin, places, _OLDEST)


def ends(admin: AdminClient, places: Collection[Place], *, committed: bool) -> dict[Place, int]:
    """The offset that comes next; with `committed`, that of the first transaction which is open, if there is one."""
    level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    return _ask(admin, places, _END, level)


def at_time(admin: AdminClient, places: Collection[Place], timestamp_ms: int) -> dict[Place, int]:
    """The first offset whose record is not older than this; the end where all are."""
    found = _ask(admin, places, OffsetSpec.for_timestamp(timestamp_ms))
    older = [place for place, offset in found.items() if offset < 0]
    return found | ends(admin, older, committed=False)


def _ask(
    admin: AdminClient,
    places: Collection[Place],
    spec: OffsetSpec,
    level: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
) -> dict[Place, int]:
    """Raise an `UnavailableError` where Kafka does not tell."""
    if not places:
        return {}
    asked = {TopicPartition(*place): spec for place in places}
    found = {}
    for tp, future in admin.list_offsets(asked, isolation_level=level, request_timeout=ASK_S).items():
        try:
            found[tp.topic, tp.partition] = future.result().offset
        except KafkaException as error:
            raise UnavailableError(
                f"Kafka does not tell the offsets of {tp.topic}/{tp.partition}: {error.args[0].str()}"
            ) from error
    return found
