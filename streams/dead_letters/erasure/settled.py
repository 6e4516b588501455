"""Waits until a partition is settled up to its present end: nothing before that is still in an open transaction."""

import time
from typing import Final

from schemas.errors import UnavailableError
from streams.kafka.partition_reader import PartitionReader, Place

SETTLED_S_MAX: Final = 60.0  # a killed worker's transaction is ended by Kafka after ten
LOOK_S: Final = 0.2


def settled_end(place: Place, committed: PartitionReader, everything: PartitionReader) -> int:
    """Give the end of the partition as it is now, once all before it is committed or rolled back.

    Raises:
        UnavailableError: a transaction stays open.
    """
    _, end = everything.bounds(place)
    deadline = time.monotonic() + SETTLED_S_MAX
    while committed.bounds(place)[1] < end:
        if time.monotonic() > deadline:
            raise UnavailableError(f"A transaction on {place[0]}/{place[1]} stays open: run it again")
        time.sleep(LOOK_S)
    return end
