"""A chunk: all records of one partition that one fetch brought, with what is needed to commit them safely."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.record import Record


class Membership(NamedTuple):
    """Who we were in the consumer group when the partition was assigned: Kafka fences commits by it."""

    generation: int
    member_id: str

    @property
    def is_fenced(self) -> bool:
        """Whether Kafka checks it: who commits without a generation is outside any group, and always let through."""
        return self.generation >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Records of one partition in offset order, never empty.

    `start` is the offset that this partition's cursor stood at: the chunk covers `start` to `next_offset`, and gaps
    inside it (compaction, transaction markers) are normal.
    `epoch` counts assignments; a chunk of an earlier epoch must not be worked on.
    """

    topic: str
    partition: int
    start: int
    records: Sequence[Record]
    membership: Membership
    epoch: int

    @property
    def next_offset(self) -> int:
        """The offset to commit once every record of the chunk has its result."""
        return self.records[-1].offset + 1
