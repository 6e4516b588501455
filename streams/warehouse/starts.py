"""Where loading goes on in a partition: the warehouse's progress against what Kafka still has. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from streams.warehouse.places import AGAIN, topic_id_of
from streams.warehouse.port import Place


class OnKafka(NamedTuple):
    """What Kafka says of a partition: the id of its topic, the oldest offset there, the next one to be written."""

    topic_id: str
    oldest: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where to go on, and what somebody should know of it; `missed` offsets were deleted before they were loaded."""

    place: Place
    offset: int
    remark: str | None = None
    missed: int = 0


def start_at(topic: str, partition: int, found: OnKafka, progress: Mapping[Place, int]) -> Start:
    """Go on where the warehouse is; elsewhere only where Kafka no longer has that.

    Where Kafka has lost the end of a partition, its offsets are given out again, to other records: that is a new
    incarnation of the place, read from its beginning. What is read twice then has the same keys, and is shown once.
    """
    known = {
        place.incarnation: offset for place, offset in progress.items() if (place[0], place[2]) == (topic, partition)
    }
    ours = [name for name in known if topic_id_of(name) == found.topic_id]
    if not ours:
        remark = "the topic was made anew: loading it from its beginning" if known else None
        return Start(place=Place(topic, found.topic_id, partition), offset=found.oldest, remark=remark)
    newest = max(ours, key=_times_lost)
    place, offset = Place(topic, newest, partition), known[newest]
    if offset > found.end:
        return Start(
            place=place._replace(incarnation=f"{found.topic_id}{AGAIN}{_times_lost(newest) + 1}"),
            offset=found.oldest,
            remark="Kafka has lost the end of what was loaded: loading the partition anew",
        )
    if offset < found.oldest:
        missed = found.oldest - offset
        return Start(
            place=place, offset=found.oldest, remark="Kafka deleted records before they were loaded", missed=missed
        )
    return Start(place=place, offset=offset)


def _times_lost(incarnation: str) -> int:
    return int(incarnation.partition(AGAIN)[2] or 0)
