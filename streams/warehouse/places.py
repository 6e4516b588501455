"""Where a row came from, and what names it where its record does not. Pure."""

from hashlib import blake2b
from typing import Final

from schemas.record import Stored
from streams.warehouse.fields import micros_of_ms
from streams.warehouse.tables import Value

AGAIN: Final = "#"
"""In an incarnation: what follows is how often Kafka has lost the end of it. No id has it: they are base64."""

_DIGEST_BYTES: Final = 8


def place_of(record: Stored, incarnation: str) -> tuple[Value, ...]:
    """The columns with which every table ends."""
    return (record.topic, incarnation, record.partition, record.offset, micros_of_ms(record.timestamp))


def fault_key(record: Stored, incarnation: str) -> str:
    """Name a record that says nothing of itself: by its place, and by what it is, for places may be filled anew."""
    digest = blake2b(record.value or b"", digest_size=_DIGEST_BYTES).hexdigest()
    return f"{topic_id_of(incarnation)}/{record.partition}/{record.offset}/{digest}"


def topic_id_of(incarnation: str) -> str:
    """Which topic it is of, by Kafka's own id of it."""
    return incarnation.partition(AGAIN)[0]
