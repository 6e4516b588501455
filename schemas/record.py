"""The record as Kafka delivers it: the shape shared by aiokafka's own type and by ours, which commands use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Header = tuple[str, bytes | None]
"""Kafka knows headers without a value."""


class Record(Protocol):
    """One record of a topic. `timestamp` is Kafka's, in unix milliseconds; a null value is a tombstone.

    aiokafka's `ConsumerRecord` has this shape, so a record is never copied on its way in.
    """

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[Header]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it lies on Kafka, or once lay there, or would."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()
