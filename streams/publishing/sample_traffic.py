"""Sample traffic as real publishers send it, mistakes included. Pure: chance and time are passed in."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final, Literal, TypeAlias

import orjson

from streams.kafka.topic_plan import DOMAIN_EVENTS, USER_CHANGES
from streams.publishing.sample_people import OPTED_IN, OPTED_OUT, Person, invent_change, invent_data, invent_person

Kind: TypeAlias = Literal[
    "upsert",
    "partial",
    "late_version",
    "late_time",
    "opt_out",
    "opt_in",
    "deletion",
    "tombstone",
    "repeated_change",
    "event",
    "named_event",
    "anonymous_event",
    "stray_event",
    "repeated_event",
    "malformed",
]

SHARES: Final[Mapping[Kind, int]] = {
    "upsert": 200,
    "partial": 120,
    "late_version": 12,
    "late_time": 12,
    "opt_out": 12,
    "opt_in": 10,
    "deletion": 5,
    "tombstone": 3,
    "repeated_change": 50,
    "event": 270,
    "named_event": 180,
    "anonymous_event": 70,
    "stray_event": 5,
    "repeated_event": 50,
    "malformed": 1,
}
"""How many of a thousand records are of each kind; where there is nobody for a kind yet, it becomes an upsert."""

PEOPLE_MAX: Final = 2_000
NEWCOMERS: Final = 0.3
"""The share of upserts that bring a new user, until there are `PEOPLE_MAX`."""

RECENT_MAX: Final = 50
LATE: Final = timedelta(hours=1)
MEMBERSHIP: Final = timedelta(days=30)

_MALFORMED: Final = (
    b'{"type": "user.upserted", "user": {"id": "user-1", ',
    b'{"type": "user.renamed", "user": {"id": "user-1"}}',
    b'{"type": "user.upserted", "user": {"id": "user-1", "emial": "user-1@example.com"}}',
    b'{"type": "user.upserted", "occurred_at": "yesterday", "user": {"id": "user-1"}}',
    b'{"type": "user.deleted", "user_id": null}',
    b"id;email\nuser-1;user-1@example.com",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRecord:
    """A record to produce: `topic` is the short name, `kind` says what it was made to show."""

    kind: str
    topic: str
    key: bytes
    value: bytes | None


def sample_traffic(rng: Random, *, now: Callable[[], datetime]) -> Iterator[SampleRecord]:
    """Give records without end; the same chances and times give the same records."""
    publishers = _Publishers(rng, now=now)
    kinds, shares = tuple(SHARES), tuple(SHARES.values())
    while True:
        (kind,) = rng.choices(kinds, shares)
        yield publishers.make(kind)


class _Publishers:
    """Those who write the two topics: they know their users, and what they sent last."""

    def __init__(self, rng: Random, *, now: Callable[[], datetime]) -> None:
        self._rng = rng
        self._now = now
        self._members: list[Person] = []
        self._opted_out: list[Person] = []
        self._gone: deque[Person] = deque(maxlen=RECENT_MAX)
        self._recent = {topic: deque[SampleRecord](maxlen=RECENT_MAX) for topic in (USER_CHANGES, DOMAIN_EVENTS)}
        self._count = 0

    def make(self, kind: Kind) -> SampleRecord:
        """Make a record of this kind, or an upsert where there is nobody for it yet."""
        match kind:
            case "malformed":
                return SampleRecord(kind=kind, topic=USER_CHANGES, key=b"user-1", value=self._rng.choice(_MALFORMED))
            case "repeated_change":
                return self._repeat(kind, USER_CHANGES)
            case "repeated_event":
                return self._repeat(kind, DOMAIN_EVENTS)
            case "anonymous_event":
                return self._event(kind, {"anonymous_id": f"visitor-{self._rng.randrange(10_000)}"})
            case "event" | "named_event" | "stray_event":
                return self._event_of_user(kind)
            case _:
                return self._change(kind)

    def _change(self, kind: Kind) -> SampleRecord:
        match kind:
            case "opt_in" if self._opted_out:
                return self._opt_in()
            case "opt_out" if self._members:
                return self._opt_out()
            case "deletion" | "tombstone" if self._members:
                return self._delete(kind)
            case "partial" | "late_version" | "late_time" if self._members:
                return self._change_a_little(kind)
            case _:
                return self._upsert()

    def _upsert(self) -> SampleRecord:
        is_newcomer = len(self._members) < PEOPLE_MAX and self._rng.random() < NEWCOMERS
        if is_newcomer or not self._members:
            self._count += 1
            person = invent_person(self._rng, number=self._count, created_at=_iso(self._now() - MEMBERSHIP))
            self._members.append(person)
        else:
            person = self._rng.choice(self._members)
            person.fields |= invent_change(self._rng)
        return self._tell_next("upsert", person, person.fields)

    def _change_a_little(self, kind: Kind) -> SampleRecord:
        person = self._rng.choice(self._members)
        change = {"id": person.id, **invent_change(self._rng)}
        if kind == "partial":
            return self._tell_next(kind, person, change)
        # What was overtaken on its way: older by its version, or, from a publisher without versions, by its time.
        version = {"version": person.version - 1} if kind == "late_version" else {}
        return self._tell(kind, change, **version, occurred_at=_iso(self._now() - LATE))

    def _opt_out(self) -> SampleRecord:
        person = self._take(self._members)
        self._opted_out.append(person)
        return self._tell_next("opt_out", person, {"id": person.id, "preferences": OPTED_OUT})

    def _opt_in(self) -> SampleRecord:
        person = self._take(self._opted_out)
        self._members.append(person)
        person.fields |= {"preferences": OPTED_IN}
        return self._tell_next("opt_in", person, person.fields)

    def _delete(self, kind: Kind) -> SampleRecord:
        person = self._take(self._members)
        self._gone.append(person)
        key = person.id.encode()
        if kind == "tombstone":
            return SampleRecord(kind=kind, topic=USER_CHANGES, key=key, value=None)
        deletion = {"type": "user.deleted", "occurred_at": _iso(self._now()), "user_id": person.id}
        return SampleRecord(kind=kind, topic=USER_CHANGES, key=key, value=orjson.dumps(deletion))

    def _event_of_user(self, kind: Kind) -> SampleRecord:
        people = [*self._gone, *self._opted_out] if kind == "stray_event" else self._members
        if not people:
            return self._upsert()
        who = {"user_id": self._rng.choice(people).id}
        return self._event(kind, who | ({"id": f"evt-{self._rng.getrandbits(48):x}"} if kind == "named_event" else {}))

    def _event(self, kind: Kind, who: Mapping[str, str]) -> SampleRecord:
        name, data = invent_data(self._rng)
        key = who.get("user_id") or who["anonymous_id"]
        value = orjson.dumps({"name": name, **who, "occurred_at": _iso(self._now()), "data": data})
        return self._remember(SampleRecord(kind=kind, topic=DOMAIN_EVENTS, key=key.encode(), value=value))

    def _tell_next(self, kind: Kind, person: Person, user: Mapping[str, object]) -> SampleRecord:
        person.version += 1
        return self._tell(kind, user, version=person.version, occurred_at=_iso(self._now()))

    def _tell(self, kind: Kind, user: Mapping[str, object], **order: object) -> SampleRecord:
        value = orjson.dumps({"type": "user.upserted", **order, "user": user})
        return self._remember(SampleRecord(kind=kind, topic=USER_CHANGES, key=str(user["id"]).encode(), value=value))

    def _remember(self, record: SampleRecord) -> SampleRecord:
        self._recent[record.topic].append(record)
        return record

    def _repeat(self, kind: Kind, topic: str) -> SampleRecord:
        if not self._recent[topic]:
            return self._upsert()
        record = self._rng.choice(self._recent[topic])
        return SampleRecord(kind=kind, topic=topic, key=record.key, value=record.value)

    def _take(self, people: list[Person]) -> Person:
        return people.pop(self._rng.randrange(len(people)))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
