"""A seeded mix of dead letters whose replays come to every outcome, and the live records on which that rests."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from schemas.outcome import DeadReason
from tests.unit.input_records import InputRecord

PARTITIONS: Final = 2
BEHIND: Final = 10_000  # an offset behind all live ones
_TIMES: Final = {"old": "2026-11-22T09:00:00Z", "now": "2026-11-22T10:00:00Z", "new": "2026-11-22T11:00:00Z"}
_REFUSED: Final[dict[str, Any]] = {
    "attributes": {"cio_subscription_preferences": {"topics": {"topic_1": "yes"}}}
}  # by the API only
_OPT_OUT: Final[dict[str, Any]] = {"preferences": {"marketing": False, "transactional": False}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What is published first, and the records whose letters are replayed then, each with its reason."""

    live: list[InputRecord]
    dead: list[tuple[InputRecord, DeadReason]]


def make_mix(seed: int, *, of_each: int) -> Mix:
    """Build so many of each kind, the letters in an order of chance, which is not that of their records."""
    mix, chance = Mix(live=[], dead=[]), random.Random(seed)
    for kind in KINDS:
        for number in range(of_each):
            person = f"{kind.__name__.strip('_')}-{number}"
            live, dead = kind(person)
            partition = number % PARTITIONS
            mix.live.extend(replace(record, partition=partition) for record in live)
            for record, reason in dead:
                offset = record.offset and chance.randrange(BEHIND, 2 * BEHIND)
                mix.dead.append((replace(record, partition=partition, offset=offset), reason))
    chance.shuffle(mix.dead)
    return mix


Dead = list[tuple[InputRecord, DeadReason]]
Kind = Callable[[str], tuple[list[InputRecord], Dead]]


def change(person: str, *, offset: int = BEHIND, partition: int = 0, **fields: Any) -> InputRecord:  # noqa: ANN401 - any of a user's
    """An upsert; `version` and `occurred_at` go where they belong."""
    top: dict[str, Any] = {name: fields.pop(name) for name in ("version", "occurred_at") if name in fields}
    value: dict[str, Any] = {"type": "user.upserted", **top, "user": {"id": person, **fields}}
    return InputRecord(key=person.encode(), value=orjson.dumps(value), offset=offset, partition=partition)


def deletion(person: str) -> InputRecord:
    """The user is gone."""
    value = orjson.dumps({"type": "user.deleted", "user_id": person})
    return InputRecord(key=person.encode(), value=value, offset=BEHIND)


def event(person: str, *, who: str = "user_id", **fields: Any) -> InputRecord:  # noqa: ANN401 - any of an event's
    """Something was ordered."""
    value = orjson.dumps({"name": "ordered", who: person, **fields})
    return InputRecord(topic="domain-events", key=person.encode(), value=value, offset=BEHIND)


def _new(person: str) -> tuple[list[InputRecord], Dead]:
    return [], [(change(person, plan="pro"), "retries_exhausted")]


def _repeated(person: str) -> tuple[list[InputRecord], Dead]:
    return [change(person, version=5, plan="pro")], [(change(person, version=5, plan="pro"), "rejected")]


def _older_version(person: str) -> tuple[list[InputRecord], Dead]:
    return [change(person, version=5, plan="pro")], [(change(person, version=4, plan="free"), "rejected")]


def _older_time(person: str) -> tuple[list[InputRecord], Dead]:
    live = [change(person, occurred_at=_TIMES["now"], plan="pro")]
    return live, [(change(person, occurred_at=when, plan=when), "rejected") for when in _TIMES.values()]


def _older_offset(person: str) -> tuple[list[InputRecord], Dead]:
    return [change(person, plan="pro")], [(change(person, offset=0, plan="free"), "rejected")]


def _deleted(person: str) -> tuple[list[InputRecord], Dead]:
    dead = [change(person, plan="pro"), deletion(person), event(person)]
    return [deletion(person)], [(record, "rejected") for record in dead]


def _opted_out(person: str) -> tuple[list[InputRecord], Dead]:
    dead = [change(person, plan="pro"), event(person), change(person, **_OPT_OUT)]
    return [change(person, **_OPT_OUT)], [(record, "rejected") for record in dead]


def _opts_in_again(person: str) -> tuple[list[InputRecord], Dead]:
    return [change(person, **_OPT_OUT)], [(change(person, preferences={"marketing": True}), "rejected")]


def _bad(person: str) -> tuple[list[InputRecord], Dead]:
    return [], [
        (InputRecord(key=person.encode(), value=b"{", offset=BEHIND), "malformed"),
        (change(person, email=7), "malformed"),
        (change(person, plan="x" * 1_001), "too_large"),
        (event(person, data=[]), "malformed"),
        (change(person, **_REFUSED), "rejected"),
    ]


def _versions(person: str) -> tuple[list[InputRecord], Dead]:
    return [], [(change(person, version=version, plan=f"{version}"), "rejected") for version in (1, 2, 3)]


def _events(person: str) -> tuple[list[InputRecord], Dead]:
    known = event(person, id="known")
    dead = [known, event(person, id="new"), event(person, id="new"), event(person, who="anonymous_id")]
    return [known], [(record, "rejected") for record in dead]


def _leaves(person: str) -> tuple[list[InputRecord], Dead]:
    dead = [event(person, id="one"), deletion(person), event(person, id="two"), change(person, plan="pro")]
    return [], [(record, "rejected") for record in dead]


def _opts_out_and_in(person: str) -> tuple[list[InputRecord], Dead]:
    changes = [change(person, **_OPT_OUT), change(person, preferences={"marketing": True}), change(person, **_OPT_OUT)]
    events = [event(person, id=f"{number}") for number in range(3)]
    return [], [(record, "rejected") for record in (*changes, *events)]


KINDS: Final[tuple[Kind, ...]] = (
    *(_new, _repeated, _older_version, _older_time, _older_offset, _deleted, _opted_out, _opts_in_again),
    *(_bad, _versions, _events, _leaves, _opts_out_and_in),
)
