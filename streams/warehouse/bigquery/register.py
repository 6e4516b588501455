"""The table in which loaders say which write streams they have opened and closed, and how far they have come.

It is only appended to, on its default stream: a row that is written twice says the same twice.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from streams.warehouse.bigquery.connect import Dataset
from streams.warehouse.port import Place
from streams.warehouse.tables import TABLES, Column, Row, Table

REGISTER: Final = Table(
    "write_streams",
    "write_streams",
    (
        Column("kafka_topic", "text", "of a place, full name", is_needed=True),
        Column("kafka_incarnation", "text", "which topic of that name it is", is_needed=True),
        Column("kafka_partition", "integer", "its partition", is_needed=True),
        Column("write_stream", "text", "the stream that was opened or closed; null where only progress is noted"),
        Column("is_closed", "boolean", "it takes no more rows", is_needed=True),
        Column("next_offset", "integer", "everything before it is loaded"),
        Column("noted_at", "time", "by the loader's clock", is_needed=True),
    ),
    day="noted_at",
    cluster=("kafka_topic", "kafka_partition"),
)


class Opened(NamedTuple):
    """A write stream that may still take rows."""

    place: Place
    stream: str
    since_us: int


def opened_row(place: Place, stream: str, now_us: int) -> Row:
    """It was opened for this place."""
    return (*place, stream, False, None, now_us)


def closed_row(place: Place, stream: str, now_us: int) -> Row:
    """It takes no more rows."""
    return (*place, stream, True, None, now_us)


def noted_row(place: Place, next_offset: int, now_us: int) -> Row:
    """Everything before this offset is loaded."""
    return (*place, None, False, next_offset, now_us)


def open_streams_query(dataset: Dataset) -> str:
    """Which streams may still take rows."""
    return (
        "SELECT kafka_topic, kafka_incarnation, kafka_partition, write_stream, MIN(noted_at) AS since"  # noqa: S608 - names of ours
        f" FROM `{dataset.table(REGISTER.name)}` WHERE write_stream IS NOT NULL"
        " GROUP BY kafka_topic, kafka_incarnation, kafka_partition, write_stream HAVING NOT LOGICAL_OR(is_closed)"
    )


def progress_query(dataset: Dataset) -> str:
    """How far each place is: by the rows themselves, or by what was noted beyond them."""
    place = "kafka_topic, kafka_incarnation, kafka_partition"
    told = [
        f"SELECT {place}, kafka_offset + 1 AS next_offset FROM `{dataset.table(table.name)}`"  # noqa: S608 - as above
        for table in TABLES
    ]
    noted = f"SELECT {place}, next_offset FROM `{dataset.table(REGISTER.name)}` WHERE next_offset IS NOT NULL"  # noqa: S608 - as above
    every = " UNION ALL ".join([*told, noted])
    return f"SELECT {place}, MAX(next_offset) AS next_offset FROM ({every}) GROUP BY {place}"  # noqa: S608 - as above


def opened_from(rows: Iterable[Sequence[Any]]) -> list[Opened]:
    """Read the answer to `open_streams_query`."""
    return [
        Opened(Place(topic, incarnation, partition), stream, round(since.timestamp() * 1_000_000))
        for topic, incarnation, partition, stream, since in rows
    ]


def progress_from(rows: Iterable[Sequence[Any]]) -> dict[Place, int]:
    """Read the answer to `progress_query`."""
    return {Place(topic, incarnation, partition): offset for topic, incarnation, partition, offset in rows}
