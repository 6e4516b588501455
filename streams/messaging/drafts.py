"""From a verb's arguments to the record that says so: the one form in which direct and queued paths know a wish.

Whether it may be said is `checks.py`'s question, so that both paths refuse the same.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias, TypedDict

from schemas.errors import InvalidInputError
from schemas.person_id import id_text
from streams.kafka.topic_plan import BROADCAST_TRIGGERS, DOMAIN_EVENTS, TRANSACTIONAL_MESSAGES, USER_CHANGES
from streams.messaging.strict_text import json_of

Time: TypeAlias = datetime | str | float
"""A datetime with an offset, ISO 8601 with an offset, or unix seconds."""

_PREFERENCES: Final = {"marketing_opt_in": "marketing", "transactional_opt_in": "transactional"}
_OF_THE_CHANGE: Final = ("occurred_at", "version")


class UserFields(TypedDict, total=False):
    """What may be said of a user; what is left out says nothing, None clears it at Customer.io.

    Both opt-ins false is an opt-out: it says nothing else, and what is said of the user afterwards is not taken.
    `occurred_at` and `version` tell which of two changes is newer.
    """

    email: str | None
    first_name: str | None
    last_name: str | None
    plan: str | None
    created_at: Time | None
    marketing_opt_in: bool | None
    transactional_opt_in: bool | None
    attributes: Mapping[str, object]
    occurred_at: Time
    version: int


class Draft(NamedTuple):
    """A record that is not written yet, and may never be; `topic` is the short name."""

    topic: str
    key: bytes
    value: bytes
    timestamp: int
    partition: int = 0
    offset: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


def upserted(user_id: str | int, fields: Mapping[str, object], *, now_ms: int) -> Draft:
    """Say some or all fields of a user."""
    change: dict[str, object] = {"type": "user.upserted"}
    user: dict[str, object] = {"id": user_id}
    preferences: dict[str, object] = {}
    for name, value in fields.items():
        if name in _PREFERENCES:
            preferences[_PREFERENCES[name]] = value
        elif name in _OF_THE_CHANGE:
            change[name] = value
        else:
            user[name] = value
    if preferences:
        user["preferences"] = preferences
    change["user"] = user
    return Draft(USER_CHANGES, _key(user_id, "user_id"), json_of(change), now_ms)


def opted_out(user_id: str | int, *, now_ms: int) -> Draft:
    """Say that a user wants nothing any more."""
    return upserted(user_id, dict.fromkeys(_PREFERENCES, False), now_ms=now_ms)


def deleted(user_id: str | int, *, now_ms: int, occurred_at: Time | None = None) -> Draft:
    """Say that a user is gone."""
    value = json_of({"type": "user.deleted", "user_id": user_id} | _given(occurred_at=occurred_at))
    return Draft(USER_CHANGES, _key(user_id, "user_id"), value, now_ms)


def event(name: str, fields: Mapping[str, object], *, now_ms: int) -> Draft:
    """Say that something was done; `fields` has one of `user_id` and `anonymous_id`, maybe `id`, `occurred_at`, `data`.

    What is None was not given.
    """
    given = _given(**fields)
    person = "anonymous_id" if "anonymous_id" in given else "user_id"
    if person not in given:
        raise InvalidInputError("value: needs exactly one of user_id and anonymous_id")
    return Draft(DOMAIN_EVENTS, _key(given[person], person), json_of({"name": name, **given}), now_ms)


def message(fields: Mapping[str, object], *, now_ms: int) -> Draft:
    """Ask for one message to one person; it lies where others of its person do, or else where its repeats do."""
    given = _given(**fields)
    identifiers = given.get("identifiers")
    person = identifiers.get("id") if isinstance(identifiers, Mapping) else None
    key = _key(given.get("message_id"), "message_id") if person is None else _key(person, "identifiers.id")
    return Draft(TRANSACTIONAL_MESSAGES, key, json_of(given), now_ms)


def trigger(fields: Mapping[str, object], *, now_ms: int) -> Draft:
    """Ask for one run of a broadcast."""
    given = _given(**fields)
    return Draft(BROADCAST_TRIGGERS, _key(given.get("broadcast_id"), "broadcast_id"), json_of(given), now_ms)


def _key(value: object, name: str) -> bytes:
    try:
        return id_text(value).encode()
    except ValueError as error:  # UnicodeEncodeError is one, and quotes: lone surrogates
        fault = "is no text" if isinstance(error, UnicodeError) else error
        raise InvalidInputError(f"{name}: {fault}") from None


def _given(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
