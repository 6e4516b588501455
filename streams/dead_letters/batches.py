"""Bounded batches of records: as much as goes into one transaction, and into memory."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from schemas.record import Header


class Sized(Protocol):
    """What a record's bytes are in."""

    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[Header]: ...  # noqa: D102


R = TypeVar("R", bound=Sized)


def size_of(record: Sized) -> int:
    """Its bytes, roughly."""
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def batches(records: Iterable[R], *, records_max: int, bytes_max: int) -> Iterator[list[R]]:
    """Yield them in their order; a batch is over with the record that reaches either limit."""
    batch: list[R] = []
    size = 0
    for record in records:
        batch.append(record)
        size += size_of(record)
        if len(batch) >= records_max or size >= bytes_max:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
