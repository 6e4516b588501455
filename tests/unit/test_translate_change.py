from dataclasses import replace

import orjson
import pytest

from agents.steps.translate_change import identify_body, simple_body, translate_change
from schemas.record import Record
from schemas.translated import Change, Unsendable
from tests.unit.input_records import InputRecord, make_upsert


def translated(record: Record) -> Change:
    """Translate a valid record."""
    change = translate_change(record)
    assert isinstance(change, Change)
    return change


def refused(record: Record) -> Unsendable:
    """Translate a record that is at fault."""
    unsendable = translate_change(record)
    assert isinstance(unsendable, Unsendable)
    return unsendable


def test_only_what_was_given_is_sent() -> None:
    """A field left out says nothing, null is sent as null, attributes stand on the same level."""
    change = translated(make_upsert(email=None, attributes={"city": "London", "x": None}))

    assert change.attributes == {"email": None, "city": "London", "x": None, "last_seen_at": 1795341600}


def test_every_field_has_its_name_at_customer_io() -> None:
    """Preferences become opt-ins, creation time becomes unix seconds."""
    record = make_upsert(
        email="a@example.com",
        firstName="A",
        lastName="B",
        plan="pro",
        createdAt="2025-01-01T00:00:00Z",
        preferences={"marketing": True, "transactional": False},
    )
    change = translated(record)

    assert change.attributes == {
        "email": "a@example.com",
        "first_name": "A",
        "last_name": "B",
        "plan": "pro",
        "created_at": 1735689600,
        "marketing_opt_in": True,
        "transactional_opt_in": False,
        "last_seen_at": 1795341600,
    }


@pytest.mark.parametrize(
    ("preferences", "opt_ins"),
    [
        (None, {"marketing_opt_in": None, "transactional_opt_in": None}),
        ({}, {}),
        ({"marketing": False}, {"marketing_opt_in": False}),
        ({"marketing": None, "transactional": False}, {"marketing_opt_in": None, "transactional_opt_in": False}),
    ],
)
def test_unknown_preferences_are_no_opt_out(preferences: object, opt_ins: dict[str, object]) -> None:
    """Null clears, what is absent is unknown, and one false alone is an identify."""
    change = translated(make_upsert(preferences=preferences))

    assert change.kind == "identify"
    assert not change.opts_in
    assert change.attributes == {**opt_ins, "last_seen_at": 1795341600}


def test_both_preferences_false_are_an_opt_out() -> None:
    """Then nothing but a suppress is sent, and the attributes are none."""
    change = translated(make_upsert(email="a@example.com", preferences={"marketing": False, "transactional": False}))

    assert (change.kind, change.opts_in, change.attributes) == ("opt_out", False, {})


@pytest.mark.parametrize("preferences", [{"marketing": True}, {"marketing": False, "transactional": True}])
def test_any_preference_that_is_true_opts_in(preferences: dict[str, bool]) -> None:
    """One is enough."""
    assert translated(make_upsert(preferences=preferences)).opts_in


def test_a_deletion_and_a_tombstone_say_the_same() -> None:
    """A null value deletes the user whom the key names."""
    deletion = translated(InputRecord(value=b'{"type":"user.deleted","user_id":7,"version":3}', key=b"7"))
    tombstone = translated(InputRecord(value=None, key=b"7"))

    assert (deletion.kind, deletion.user_id, deletion.version) == ("delete", "7", 3)
    assert (tombstone.kind, tombstone.user_id, tombstone.version) == ("delete", "7", None)
    assert deletion.fingerprint == tombstone.fingerprint


@pytest.mark.parametrize("key", [None, b"", b"\xff"])
def test_a_tombstone_needs_a_key(key: bytes | None) -> None:
    """Without one nobody is named."""
    assert refused(InputRecord(value=None, key=key)).reason == "malformed"


def test_the_time_that_is_sent_is_the_records_own() -> None:
    """`occurred_at` counts, in whole seconds; milliseconds are kept for the order of changes."""
    change = translated(InputRecord(value=b'{"type":"user.upserted","occurred_at":5.999,"user":{"id":"u"}}'))

    assert (change.time_s, change.occurred_ms, change.attributes["last_seen_at"]) == (5, 5999, 5)


@pytest.mark.parametrize(("timestamp", "time_s"), [(5999, 5), (-1, 0), (-(2**63), 0), (2**63 - 1, 0), (10**14, 0)])
def test_kafkas_timestamp_stands_in_for_what_is_sent(timestamp: int, time_s: int) -> None:
    """Never for what is older; an absurd one would rule out every later change, and counts as none."""
    change = translated(make_upsert(timestamp=timestamp))

    assert (change.time_s, change.occurred_ms) == (time_s, None)


def test_a_replay_keeps_the_first_timestamp() -> None:
    """The header of the dead letter replaces Kafka's timestamp."""
    headers = [("cio.timestamp_ms", b"7000")]
    record = InputRecord(topic="staging.customerio-replay", key=b"u", value=None, headers=headers)

    assert translated(record).time_s == 7


def test_a_publishers_own_header_of_that_name_says_nothing() -> None:
    """On the live topics it is not ours, and must not decide what is newer."""
    record = replace(make_upsert(timestamp=5000), headers=[("cio.timestamp_ms", b"7000")])

    assert translated(record).time_s == 5


@pytest.mark.parametrize("key", [b"", b"u-2", b"\xff", b"U-1"])
def test_the_key_is_the_users_id(key: bytes) -> None:
    """Another key, even an empty one, is a mistake of the publisher."""
    unsendable = refused(make_upsert(key=key))

    assert (unsendable.reason, unsendable.detail, unsendable.user_id) == ("malformed", "key and user.id differ", "u-1")
    assert (
        refused(InputRecord(key=key, value=b'{"type":"user.deleted","user_id":"u-1"}')).detail
        == "key and user_id differ"
    )


def test_a_record_without_key_is_accepted() -> None:
    """The id in the value is enough."""
    assert translated(make_upsert(key=None)).user_id == translated(make_upsert(key=b"u-1")).user_id == "u-1"


@pytest.mark.parametrize(
    ("record", "operations", "detail"),
    [
        (make_upsert(email="x" * 1001), ("identify",), "user.email: over 1000 bytes"),
        (make_upsert(id="x" * 151), ("identify",), "user.id: over 150 bytes"),
        (make_upsert(attributes={"n" * 151: 1}), ("identify",), f"user.attributes.{'n' * 50}: name over 150 bytes"),
        (make_upsert(attributes={str(n): n for n in range(300)}), ("identify",), "user: over 300 attributes"),
        (
            make_upsert(attributes={str(n): "x" * 990 for n in range(33)}),
            ("identify",),
            "value: its operation is over 32000 bytes",
        ),
        (
            make_upsert(id="x" * 151, preferences={"marketing": False, "transactional": False}),
            ("suppress",),
            "user.id: over 150 bytes",
        ),
        (InputRecord(key=b"x" * 151), ("suppress", "delete"), "key: over 150 bytes"),
        (
            InputRecord(value=b'{"type":"user.deleted","user_id":"' + b"x" * 151 + b'"}'),
            ("suppress", "delete"),
            "user_id: over 150 bytes",
        ),
    ],
)
def test_what_customer_io_would_refuse_for_its_size_is_not_sent(
    record: Record, operations: tuple[str, ...], detail: str
) -> None:
    """The dead letter tells what would have been done, for whom, and the fingerprint."""
    unsendable = refused(record)

    assert (unsendable.reason, unsendable.operations, unsendable.detail) == ("too_large", operations, detail)
    assert unsendable.user_id in ("u-1", "x" * 151)
    assert unsendable.fingerprint is not None


def test_an_item_of_exactly_32000_bytes_is_sent() -> None:
    """The limit is checked on the bytes as sent, times included."""
    attributes = {f"{n:03}": "x" * 990 for n in range(31)} | {"last": ""}
    empty = translated(make_upsert(attributes=attributes))
    room = 32_000 - len(identify_body(empty.user_id, empty.attributes, empty.time_s))
    full = translated(make_upsert(attributes=attributes | {"last": "x" * room}))

    assert len(identify_body(full.user_id, full.attributes, full.time_s)) == 32_000
    assert refused(make_upsert(attributes=attributes | {"last": "x" * (room + 1)})).reason == "too_large"


def test_the_attributes_of_an_opt_out_have_no_limits() -> None:
    """They are not sent."""
    change = translated(make_upsert(email="x" * 1001, preferences={"marketing": False, "transactional": False}))

    assert change.kind == "opt_out"


def test_an_identify_as_sent() -> None:
    """The body is an item of a batch."""
    assert orjson.loads(identify_body("u-1", {"plan": "pro"}, 7)) == {
        "type": "person",
        "action": "identify",
        "identifiers": {"id": "u-1"},
        "attributes": {"plan": "pro"},
        "timestamp": 7,
    }


def test_other_operations_as_sent() -> None:
    """They consist of their name and the person."""
    assert simple_body("u-1", "suppress") == b'{"action":"suppress","identifiers":{"id":"u-1"},"type":"person"}'
    assert orjson.loads(simple_body("u-1", "unsuppress"))["action"] == "unsuppress"
    assert orjson.loads(simple_body("u-1", "delete"))["action"] == "delete"
