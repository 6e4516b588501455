"""What a seed means: how large the fleet is, what is published, what happens to workers, Kafka and Customer.io."""

import json
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.faults.publisher import Place, Published
from tests.faults.traffic import CHANGES, EVENTS, Draft, Traffic
from tests.simulation.poison import poisoned
from tests.simulation.replays import set_aside
from tests.simulation.weather import Weather, draw_weather

BASE_S = 1_795_341_600  # unix time at which every run begins
PAST_S = 100_000
KINDS: tuple[Literal["kill", "stop", "pause", "cut", "start", "slow Kafka"], ...] = (
    "kill",
    "kill",
    "stop",
    "pause",
    "pause",
    "cut",
    "start",
    "slow Kafka",
)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is done to the fleet; `lasts_s` where it ends by itself, `pick` chooses a worker."""

    at_s: float
    kind: Literal["kill", "stop", "pause", "cut", "start", "slow Kafka"]
    lasts_s: float
    pick: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A run: faults and publishing end at `ends_s`."""

    seed: int
    workers: int
    partitions: int
    rate_per_s: float
    chunk_max: int
    batch_bytes_max: int
    kafka_trouble: float
    ends_s: float
    weather: Weather
    actions: tuple[Action, ...]
    records: tuple[tuple[float, Published], ...]


def write_script(seed: int) -> Script:
    """The same seed, the same script."""
    chance = random.Random(seed)
    ends_s = chance.choice((60.0, 120.0, 300.0))
    partitions = chance.randint(2, 6)
    return Script(
        seed=seed,
        workers=chance.randint(1, min(4, partitions)),
        partitions=partitions,
        rate_per_s=chance.choice((2.0, 5.0, 20.0, 100.0)),
        chunk_max=chance.choice((5, 20, 60)),
        batch_bytes_max=chance.choice((1_500, 5_000, 500_000)),
        kafka_trouble=chance.choice((0.0, 0.05, 0.3)),
        ends_s=ends_s,
        weather=draw_weather(chance, ends_s) if chance.random() < 0.9 else Weather(()),
        actions=tuple(_actions(chance, ends_s)) if chance.random() < 0.9 else (),
        records=tuple(
            set_aside(
                _records(chance, seed=seed, partitions=partitions, ends_s=ends_s),
                random.Random(f"{seed} replays"),
                base_s=BASE_S,
                ends_s=ends_s,
            )
        ),
    )


def _actions(chance: random.Random, ends_s: float) -> Iterator[Action]:
    at_s = chance.uniform(3, 20)
    while at_s < ends_s:
        lasts_s = chance.choice((chance.uniform(0.5, 5), chance.uniform(11, 40)))
        yield Action(at_s, chance.choice(KINDS), lasts_s, chance.random())
        at_s += chance.expovariate(1 / 20)


def _records(chance: random.Random, *, seed: int, partitions: int, ends_s: float) -> Iterator[tuple[float, Published]]:
    """Yield every record with the time at which it is published; offsets have gaps."""
    drafts = _drafts(chance, seed=seed, count=chance.randint(60, 300))
    ends = {(topic, partition): 0 for topic in (CHANGES, EVENTS) for partition in range(partitions)}
    lull = chance.choice((0.0, 0.5, 1.0))  # the share of records that wait for no other to be published
    at_s = 0.0
    for draft in drafts:
        if chance.random() < lull:
            at_s = min(at_s + chance.expovariate(len(drafts) * lull / ends_s), ends_s)
        place = draft.topic, zlib.crc32(draft.key or b"") % partitions
        offset = ends[place] + (chance.randint(1, 3) if chance.random() < 0.05 else 0)
        ends[place] = offset + 1
        yield at_s, Published(Place(*place, offset), draft)


def _drafts(chance: random.Random, *, seed: int, count: int) -> list[Draft]:
    persons = chance.choice((5, 20, 60))
    traffic = Traffic(seed=seed, persons=persons, base_s=BASE_S - PAST_S)
    drafts = list(traffic.records(count))
    extra = list(poisoned(chance, persons=[f"u-{seed}-{n}" for n in range(persons)], at_s=BASE_S - PAST_S))
    extra += [_anonymous(number) for number in range(chance.choice((0, 0, 3, 8)))]
    for draft in extra:
        drafts.insert(chance.randrange(len(drafts) + 1), draft)
    return drafts


def _anonymous(number: int) -> Draft:
    person = f"a-{number % 3}"
    value = json.dumps({"name": "looked", "anonymous_id": person, "data": {"number": number}}).encode()
    return Draft(topic=EVENTS, key=person.encode(), value=value, timestamp_ms=BASE_S * 1000)
