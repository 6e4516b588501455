"""Records that had died before a run began, and are replayed in it; and the order in which work on a person was done.

Of such a record the live topic has only a gap, and `customerio-replay` a copy with the headers of its letter, later.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.faults.publisher import Place, Published
from tests.faults.traffic import CHANGES, EVENTS
from tests.replays import replay_of
from tests.simulation.kafka import REPLAYS, Broker
from tests.simulation.poison import poison_in
from tests.unit.input_records import InputRecord

LATER_S = 20.0
LOOK_S = 0.5

Timed = tuple[float, Published]


@dataclass(frozen=True, slots=True)
class First:
    """What a record was at first: for a live one, what it is."""

    place: Place
    timestamp_ms: int
    is_replay: bool = False
    even_if_older: bool = False


def first_of(published: Published) -> First:
    """Read it from the headers, as plainly as can be."""
    place, draft = published.place, published.draft
    if place.topic != REPLAYS:
        return First(place, draft.timestamp_ms)
    told = dict(draft.headers)
    topic, partition, offset = (told[f"__dlq.errors.{name}"] for name in ("topic", "partition", "offset"))
    return First(
        Place(topic.decode(), int(partition), int(offset)),
        int(told["cio.timestamp_ms"]),
        is_replay=True,
        even_if_older="cio.even_if_older" in told,
    )


def set_aside(records: Iterable[Timed], chance: random.Random, *, base_s: int, ends_s: float) -> list[Timed]:
    """Take some records away from their topics, and put them on the replay topic later; nothing else moves."""
    share = chance.choice((0.0, 0.0, 0.05, 0.25))
    kept, aside = list[Timed](), list[Timed]()
    for at_s, published in records:
        is_sound = not published.draft.is_malformed and poison_in(published.draft) is None
        if is_sound and chance.random() < share:
            aside.append((min(at_s + chance.expovariate(1 / LATER_S), ends_s), published))
        else:
            kept.append((at_s, published))
    ends: dict[int, int] = defaultdict(int)
    for at_s, published in sorted(aside, key=lambda each: each[0]):
        partition = published.place.partition
        kept.append((at_s, _replay(published, ends[partition], chance, timestamp_ms=int((base_s + at_s) * 1000))))
        ends[partition] += 1
    return kept


def _replay(published: Published, offset: int, chance: random.Random, *, timestamp_ms: int) -> Published:
    draft, record = published.draft, record_of(published)
    headers = tuple(replay_of(record, even_if_older=chance.random() < 0.1).headers)
    copy = replace(draft, topic=REPLAYS, headers=headers, timestamp_ms=timestamp_ms)
    return Published(Place(REPLAYS, record.partition, offset), copy)


def record_of(published: Published) -> InputRecord:
    """The record as a consumer gets it."""
    place, draft = published.place, published.draft
    return InputRecord(
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        timestamp=draft.timestamp_ms,
        key=draft.key,
        value=draft.value,
        headers=draft.headers,
    )


def changes_of(published: Sequence[Published]) -> Iterator[Published]:
    """The user changes among these, live or replayed."""
    return (each for each in published if first_of(each).place.topic == CHANGES)


def events_of(published: Sequence[Published]) -> Iterator[Published]:
    """The replayed events among these."""
    return (each for each in published if each.place.topic == REPLAYS and first_of(each).place.topic == EVENTS)


def as_worked_on(changes: Iterable[Published], concluded: Mapping[Place, int]) -> list[Published]:
    """Changes in the order in which their work was done: `concluded` numbers results in the order of their topic.

    A chunk's results come in any order, so those of a person and a topic only tell when there was one of them.
    """
    by_lane: dict[tuple[bytes | None, str], list[Published]] = defaultdict(list)
    for each in changes:
        if each.place in concluded:
            by_lane[each.draft.key, each.place.topic].append(each)
    numbered: list[tuple[int, Published]] = []
    for lane in by_lane.values():
        numbers = sorted(concluded[each.place] for each in lane)
        numbered += zip(numbers, sorted(lane, key=lambda each: each.place.offset), strict=True)
    return [each for _, each in sorted(numbered, key=lambda pair: pair[0])]


async def replay(records: Iterable[Timed], broker: Broker) -> None:
    """Publish the replays of one partition, each when it is due and its record could have died."""
    loop, began_s = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    for at_s, published in records:
        await asyncio.sleep(began_s + at_s - loop.time())
        while not _may_have_died(first_of(published).place, broker):  # noqa: ASYNC110 - as people look for letters
            await asyncio.sleep(LOOK_S)
        broker.publish([record_of(published)])


def _may_have_died(place: Place, broker: Broker) -> bool:
    """Whether all before it is concluded, as it is when there is a letter."""
    tp = place.topic, place.partition
    return not any(broker.committed[tp] <= record.offset < place.offset for record in broker.inputs[tp])
