import hashlib
import json

import ulid

from agents.steps.fingerprint import fingerprint, ulid_of
from agents.steps.translate_change import translate_change
from agents.steps.translate_event import translate_event
from schemas.translated import Change, Event
from tests.unit.input_records import make_event, make_upsert


def blake2b_128(content: object) -> bytes:
    """Digest content as the contract words it, without the code under test."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def test_a_fingerprint_is_128_bits_of_blake2b() -> None:
    """The digest of the empty text is the published one."""
    assert fingerprint(b"").hex() == "cae66941d9efbd404e4d88758ea67670"  # pragma: allowlist secret - a hash


def test_the_ulid_is_the_fingerprint_in_crockford_characters() -> None:
    """The first bytes are zero, the last is 31: twenty-five zeros and a Z."""
    assert ulid_of(bytes(15) + b"\x1f") == "0" * 25 + "Z"
    assert ulid_of(b"\xff" * 16) == "7" + "Z" * 25
    assert ulid.ULID.from_str(ulid_of(b"0123456789abcdef")).bytes == b"0123456789abcdef"


def test_an_identify_is_known_by_what_is_sent_but_its_times() -> None:
    """`last_seen_at` and `timestamp` are no part of it."""
    change = translate_change(make_upsert(email="é@example.com", plan=None, attributes={"b": 1.5, "a": [True]}))

    assert isinstance(change, Change)
    assert change.fingerprint == blake2b_128(
        {
            "type": "person",
            "action": "identify",
            "identifiers": {"id": "u-1"},
            "attributes": {"email": "é@example.com", "plan": None, "b": 1.5, "a": [True]},
        }
    )


def test_an_event_is_known_by_what_is_sent_to_the_millisecond() -> None:
    """The ULID is no part of it, the time is: in milliseconds."""
    event = translate_event(make_event(data={"total": 42.5}, occurred_at="2026-11-22T10:00:00.123Z"))

    assert isinstance(event, Event)
    assert event.fingerprint == blake2b_128(
        {
            "type": "person",
            "action": "event",
            "identifiers": {"id": "u-1"},
            "name": "order_completed",
            "timestamp": 1795341600123,
            "attributes": {"total": 42.5},
        }
    )


def test_an_anonymous_event_is_known_by_its_own_body() -> None:
    """It goes to another endpoint with other fields, and that is what counts."""
    event = translate_event(make_event(anonymous_id="a-1", timestamp=5999))

    assert isinstance(event, Event)
    assert event.fingerprint == blake2b_128(
        {"name": "order_completed", "anonymous_id": "a-1", "timestamp": 5999, "data": {}}
    )


def test_an_event_with_a_publishers_id_is_known_by_that() -> None:
    """User, name and id alone count: neither data nor time do."""
    first = translate_event(make_event(id="evt-1", data={"total": 1}, occurred_at=1))
    again = translate_event(make_event(id="evt-1", data={"total": 2}, timestamp=7))

    assert isinstance(first, Event)
    assert isinstance(again, Event)
    assert (
        first.fingerprint
        == again.fingerprint
        == blake2b_128({"user_id": "u-1", "name": "order_completed", "id": "evt-1"})
    )


def test_a_user_is_not_an_anonymous_person_of_the_same_id() -> None:
    """User 1 and anonymous 1 have different events, with a publisher's id and without."""
    records = [make_event(user_id="1"), make_event(anonymous_id="1")]
    records += [make_event(user_id="1", id="e"), make_event(anonymous_id="1", id="e")]
    events = [event for event in map(translate_event, records) if isinstance(event, Event)]

    assert len({event.fingerprint for event in events}) == 4
