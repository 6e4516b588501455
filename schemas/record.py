"""The record as Kafka delivers it: the shape shared by aiokafka's own type and by what tests build."""

from collections.abc import Sequence
from typing import Protocol


class Record(Protocol):
    """One record of an input topic. `timestamp` is Kafka's, in unix milliseconds; a null value is a tombstone.

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
    def headers(self) -> Sequence[tuple[str, bytes]]: ...  # noqa: D102
