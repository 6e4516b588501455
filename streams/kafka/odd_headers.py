"""Lets aiokafka read records with header names that are not UTF-8: Kafka takes any bytes, aiokafka raises at them.

Only such a batch is parsed by aiokafka's slower parser in Python, its names decoded with replacement characters; all
others go through its fast one as ever. Fetches nothing, and knows nothing of offsets and assignments beyond a batch's.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol

import structlog
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint_py

_LENGTH = struct.Struct(">8xi")  # a batch begins with its offset, and the length of what follows

log = structlog.get_logger()


class _Named(Protocol):
    topic: str
    partition: int


def accept_odd_headers() -> None:
    """Have every fetcher of this process read them; a second call changes nothing."""
    fetcher.MemoryRecords = FetchedBatches
    fetcher.PartitionRecords = _PartitionRecords


class FetchedBatches:
    """The batches of one partition in one fetch: aiokafka's `MemoryRecords`, which also keeps the bytes."""

    tp: _Named | None = None

    def __init__(self, fetched: bytes) -> None:
        self._fetched = fetched
        self._batches = MemoryRecords(fetched)
        self._next_at = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is aiokafka's
        return getattr(self._batches, name)

    def next_batch(self) -> Any:  # noqa: ANN401 - one of aiokafka's, or ours in its place
        """Give the next one."""
        start = self._next_at
        self._next_at += _LENGTH.size + _LENGTH.unpack_from(self._fetched, start)[0]
        batch = self._batches.next_batch()
        if not isinstance(batch, DefaultRecordBatch) or batch.is_control_batch:  # those have no headers
            return batch
        return _Batch(batch, memoryview(self._fetched)[start : self._next_at], self.tp)


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka is untyped here
    """Tells the batches where they come from, for the log."""

    def __init__(self, tp: _Named, records: FetchedBatches, *args: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(tp, records, *args)
        records.tp = tp


class _Batch:
    """A batch that is parsed again, leniently, from the first record on that aiokafka cannot read."""

    def __init__(self, batch: DefaultRecordBatch, fetched: memoryview, tp: _Named | None) -> None:
        self._batch = batch
        self._fetched = fetched
        self._tp = tp

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is aiokafka's
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        taken = 0
        try:
            for record in self._batch:
                yield record
                taken += 1
        except UnicodeDecodeError:
            rest = islice(_read_leniently(self._fetched), taken, None)
            odd = next(rest)
            self._tell(odd.offset)
            yield odd
            yield from rest

    def _tell(self, offset: int) -> None:
        place = {"topic": self._tp.topic, "partition": self._tp.partition} if self._tp else {}
        log.warning("a header name is not UTF-8: read with replacement characters", **place, offset=offset)


class _Lenient(bytearray):
    """Bytes of which every part decodes."""

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - as its parent: a byte, or a part
        found = super().__getitem__(at)
        return _Lenient(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:  # noqa: ARG002 - its parent's
        """Put a replacement character where it does not decode."""
        return super().decode(encoding, "replace")


def _read_leniently(fetched: memoryview) -> Iterator[Any]:
    batch = _DefaultRecordBatchPy(fetched)
    batch._maybe_uncompress()  # noqa: SLF001 - a test holds aiokafka to these, and to how they go together
    batch._buffer = _Lenient(batch._buffer)  # noqa: SLF001 - as above
    for _ in range(batch._num_records):  # noqa: SLF001 - as above
        yield batch._read_msg(decode_varint_py)  # noqa: SLF001 - as above; the fast one takes no subclass
