"""Records that Customer.io will never take, and what must become of them; the marks are in what is sent."""

import json
import random
from collections.abc import Iterator
from typing import Any, Final

from tests.faults.traffic import CHANGES, EVENTS, Draft

REASONS: Final = {
    "500": "retries_exhausted",  # every request with such an item fails …
    "timeout": "retries_exhausted",  # … or is never answered
    "400": "rejected",  # refused as a whole
    "refused": "rejected",  # refused alone, the others are taken
}
MARK: Final = "poison"


def poison_of(item: dict[str, Any]) -> str | None:
    """The kind of poison in an operation as it is sent."""
    mark = (item.get("attributes") or item.get("data") or {}).get(MARK)
    return mark if isinstance(mark, str) else _of_id(_person(item))


def poison_in(draft: Draft) -> str | None:
    """The kind of poison that all operations of a record will have."""
    if draft.is_malformed:
        return None
    if kind := _of_id((draft.key or b"").decode()):
        return kind
    said = json.loads(draft.value or b"{}")
    mark = (said.get("data") or said.get("user", {}).get("attributes") or {}).get(MARK)
    return mark if isinstance(mark, str) else None


def is_poisoned_person(person: str) -> bool:
    """Whether nothing of this person will ever be taken."""
    return _of_id(person) is not None


def _person(item: dict[str, Any]) -> str:
    return str(item.get("identifiers", {}).get("id", item.get("anonymous_id", "")))


def _of_id(person: str) -> str | None:
    return person.split("-")[1] if person.startswith(f"{MARK}-") else None


def poisoned(chance: random.Random, *, persons: list[str], at_s: int) -> Iterator[Draft]:
    """Yield a few: records of people who are well otherwise, and everything of somebody who is not."""
    for number in range(chance.choice((0, 0, 1, 2))):
        kind = chance.choice(tuple(REASONS))
        yield from chance.choice((_record, _person_records))(chance, kind, chance.choice(persons), (number, at_s))


def _record(chance: random.Random, kind: str, person: str, place: tuple[int, int]) -> Iterator[Draft]:
    number, at_s = place
    user = {"id": person, "attributes": {MARK: kind, "number": number}}
    change = {"type": "user.upserted", "user": user}
    event = {"name": "poisoned", "user_id": person, "data": {MARK: kind, "number": number}}
    topic, value = chance.choice(((CHANGES, change), (EVENTS, event)))
    for _ in range(chance.choice((1, 1, 2))):
        yield _draft(topic, person, value, at_s)


def _person_records(chance: random.Random, kind: str, _: str, place: tuple[int, int]) -> Iterator[Draft]:
    number, at_s = place
    person = f"{MARK}-{kind}-{number}"
    values: list[tuple[str, object]] = [
        (CHANGES, {"type": "user.upserted", "user": {"id": person, "plan": "pro"}}),
        (CHANGES, {"type": "user.upserted", "user": {"id": person, "plan": "free"}}),
        (CHANGES, {"type": "user.upserted", "user": {"id": person, "preferences": _OUT}}),
        (CHANGES, {"type": "user.deleted", "user_id": person}),
        (EVENTS, {"name": "clicked", "user_id": person, "data": {"n": 1}}),
        (EVENTS, {"name": "clicked", "anonymous_id": person, "data": {"n": 2}}),
    ]
    for topic, value in chance.sample(values, chance.randint(1, 3)):
        yield _draft(topic, person, value, at_s)


_OUT: Final = {"marketing": False, "transactional": False}


def _draft(topic: str, person: str, value: object, at_s: int) -> Draft:
    return Draft(topic=topic, key=person.encode(), value=json.dumps(value).encode(), timestamp_ms=at_s * 1000)
