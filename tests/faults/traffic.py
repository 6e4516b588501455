"""Seeded records as publishers would send them, with all that publishers do: repeat, take back, come late, be wrong.

It knows what it writes, not what should become of it: that is the reference's business.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

CHANGES: Final = "user-changes"
EVENTS: Final = "domain-events"
HOT_SHARE: Final = 0.3  # of the records, for a hundredth of the persons: these have several in every chunk
ANONYMOUS_SHARE: Final = 0.004  # each costs a request of its own

Header = tuple[str, bytes]
_PLANS: Final = ("free", "pro", "team", None)
_NAMES: Final = ("Ada", "Grace", "Zoë", "李", "O'Neil", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record to publish; `is_malformed` when it must end as a dead letter."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[Header, ...] = ()
    is_malformed: bool = False


@dataclass(slots=True, kw_only=True)
class _Person:
    """What the publisher remembers of a person; `tick` makes each of a person's records a second younger."""

    id: str
    style: str
    is_hot: bool
    is_loyal: bool  # never leaves: the order of all that is about such a person can be told exactly
    tick: int = 0
    version: int = 10
    is_opted_out: bool = False
    last_change: bytes | None = None
    events: list[bytes] = field(default_factory=list)


class Traffic:
    """An endless, seeded stream of records whose times end shortly after `base_s` (unix seconds)."""

    def __init__(self, *, seed: int, persons: int, base_s: int) -> None:
        self._random = random.Random(seed)
        self._base_s = base_s
        styles = ("timed", "timed", "versioned", "plain", "mixed")
        hot = max(1, persons // 100)
        self._persons = [
            _Person(id=f"u-{seed}-{n}", style=self._random.choice(styles), is_hot=n < hot, is_loyal=n % 2 == 0)
            for n in range(persons)
        ]
        self._hot = self._persons[:hot]
        self._serial = 0

    def records(self, count: int) -> Iterator[Draft]:
        """Yield `count` records."""
        made = 0
        while made < count:
            for draft in self._next():
                if made < count:
                    yield draft
                    made += 1

    def _next(self) -> list[Draft]:
        if self._random.random() < 0.003:
            return [self._malformed()]
        person = self._random.choice(self._hot if self._random.random() < HOT_SHARE else self._persons)
        if self._random.random() < 0.45:
            return [self._event(person)]
        return self._changes(person)

    def _changes(self, person: _Person) -> list[Draft]:
        dice = self._random.random()
        if dice < 0.10 and person.last_change is not None:
            return [self._draft(person, person.last_change)]
        if dice < 0.18:
            a, b = self._attributes(), self._attributes()
            return [self._upsert(person, each) for each in (a, b, dict(a))]
        if dice < 0.24:
            is_newer = person.style == "versioned" and dice > 0.22
            return [self._upsert(person, self._attributes(), age=self._random.randint(2, 40), keeps_version=is_newer)]
        if not person.is_loyal and (dice < 0.34 or (person.is_opted_out and dice < 0.6)):
            return [self._preference(person)]
        is_deletion = 0.34 <= dice < 0.38 and not person.is_hot and not person.is_loyal
        return [self._deletion(person) if is_deletion else self._upsert(person, self._attributes())]

    def _preference(self, person: _Person) -> Draft:
        """Out, or in again."""
        person.is_opted_out = not person.is_opted_out
        wish = {"marketing": not person.is_opted_out, "transactional": False}
        return self._upsert(person, {"preferences": wish} | self._attributes())

    def _attributes(self) -> dict[str, Any]:
        """Some of a user's fields; what is left out says nothing, null clears."""
        chance, self._serial = self._random, self._serial + 1
        found: dict[str, Any] = {"attributes": {"serial": self._serial}}
        if chance.random() < 0.5:
            found["plan"] = chance.choice(_PLANS)
        if chance.random() < 0.5:
            found[chance.choice(("first_name", "firstName"))] = chance.choice(_NAMES)
        if chance.random() < 0.3:
            found["created_at"] = chance.choice(("2025-01-01T02:00:00+02:00", 1_735_689_600, "2024-05-05T05:05:05.9Z"))
        if chance.random() < 0.2:
            found["attributes"]["city"] = chance.choice(("London", None, ["Paris", "Rome"], {"name": "Köln", "zip": 5}))
        return found

    def _upsert(self, person: _Person, fields: dict[str, Any], *, age: int = 0, keeps_version: bool = False) -> Draft:
        user: dict[str, Any] = {"id": person.id} | fields
        if self._random.random() < 0.3:
            user["email"] = self._random.choice((None, f"{person.id}@example.com", f"{person.id}.b@example.com"))
        change = {"type": "user.upserted", **self._order(person, age, keeps_version=keeps_version), "user": user}
        value = json.dumps(change, ensure_ascii=self._random.random() < 0.5).encode()
        if not age:
            person.last_change = value
        return self._draft(person, value)

    def _order(self, person: _Person, age: int, *, keeps_version: bool) -> dict[str, Any]:
        person.tick += 1
        style = self._random.choice(("timed", "plain")) if person.style == "mixed" else person.style
        if style == "plain":
            return {}
        order: dict[str, Any] = {"occurred_at": self._time(self._now_s(person) - age)}
        if style == "versioned":
            person.version += 1
            order["version"] = person.version - (0 if keeps_version else age)
        return order

    def _time(self, unix_s: int) -> str | int | float:
        text = datetime.fromtimestamp(unix_s, UTC).isoformat()
        return self._random.choice((unix_s, unix_s + 0.25, text, text.replace("+00:00", "Z")))

    def _now_s(self, person: _Person) -> int:
        return self._base_s + person.tick

    def _deletion(self, person: _Person) -> Draft:
        if self._random.random() < 0.5:
            return self._draft(person, None)
        order = self._order(person, 0, keeps_version=False)
        return self._draft(person, json.dumps({"type": "user.deleted", **order, "user_id": person.id}).encode())

    def _event(self, person: _Person) -> Draft:
        if person.events and self._random.random() < 0.15:
            return self._draft(person, self._random.choice(person.events), topic=EVENTS)
        self._serial += 1
        person.tick += 1
        is_anonymous = self._random.random() < ANONYMOUS_SHARE
        event: dict[str, Any] = {
            "name": self._random.choice(("order_completed", "page viewed", "Größe gewählt")),
            "anonymous_id" if is_anonymous else "user_id": f"a-{person.id}" if is_anonymous else person.id,
            "data": {"serial": self._serial, "total": round(self._random.random() * 100, 2)},
        }
        style = self._random.choice(("own id", "timed", "timed", "plain"))
        if style == "own id":
            event["id"] = f"evt-{self._serial}"
        if style == "timed":
            event["occurred_at"] = self._time(self._now_s(person))
        value = json.dumps(event).encode()
        if style != "plain" and not is_anonymous:
            person.events = [*person.events[-20:], value]
        key = event["anonymous_id"].encode() if is_anonymous else None
        return self._draft(person, value, topic=EVENTS, key=key)

    def _draft(self, person: _Person, value: bytes | None, *, topic: str = CHANGES, key: bytes | None = None) -> Draft:
        person.tick += 1
        headers = (("trace", b"\x00\xff"),) if self._random.random() < 0.1 else ()
        timestamp_ms = self._now_s(person) * 1000 + self._random.randint(0, 999)
        return Draft(
            topic=topic, key=key or person.id.encode(), value=value, timestamp_ms=timestamp_ms, headers=headers
        )

    def _malformed(self) -> Draft:
        person = self._random.choice(self._persons)
        key, who = person.id.encode(), person.id
        topic, key_bytes, value = self._random.choice(
            (
                (CHANGES, key, b"{not json"),
                (CHANGES, key, b"\xff\xfe\x00"),
                (CHANGES, key, b""),
                (CHANGES, None, None),
                (CHANGES, None, b"[]"),
                (CHANGES, b"\x80\x81", b'{"type": "user.deleted", "user_id": "u-x"}'),
                (CHANGES, key, b'{"type": "user.upserted", "user": {"id": "u-other"}}'),
                (CHANGES, key, json.dumps({"type": "user.upserted", "user": {"id": who, "age": 5}}).encode()),
                (CHANGES, key, json.dumps({"type": "user.renamed", "user": {"id": who}}).encode()),
                (EVENTS, key, None),
                (EVENTS, key, json.dumps({"name": " ", "user_id": who}).encode()),
                (EVENTS, key, json.dumps({"name": "x", "user_id": who, "occurred_at": 1_795_341_600_000}).encode()),
                (EVENTS, key, json.dumps({"name": "x", "user_id": who, "anonymous_id": who}).encode()),
                (EVENTS, key, b"[" * 2000),
            )
        )
        headers: tuple[Header, ...] = (("trace", b"1"), ("trace", b"2"), ("cio.reason", b"theirs"))
        timestamp_ms = self._now_s(person) * 1000
        return Draft(
            topic=topic,
            key=key_bytes,
            value=value,
            timestamp_ms=timestamp_ms,
            headers=headers[: self._random.randint(0, 3)],
            is_malformed=True,
        )
