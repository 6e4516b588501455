import orjson
import pytest

from agents.steps.translate_event import translate_event
from schemas.record import Record
from schemas.translated import Event, Unsendable
from tests.unit.input_records import InputRecord, make_event


def translated(record: Record) -> Event:
    """Translate a valid record."""
    event = translate_event(record)
    assert isinstance(event, Event)
    return event


def refused(record: Record) -> Unsendable:
    """Translate a record that is at fault."""
    unsendable = translate_event(record)
    assert isinstance(unsendable, Unsendable)
    return unsendable


def test_an_event_of_a_user_as_sent() -> None:
    """The body is an item of a batch; data is passed on as it is and the time is in whole seconds."""
    event = translated(make_event(key=b"u-1", occurred_at=5.999, data={"": {"id": None}, "total": 42.5}))

    assert (event.user_id, event.anonymous_id) == ("u-1", None)
    assert orjson.loads(event.body) == {
        "type": "person",
        "action": "event",
        "identifiers": {"id": "u-1"},
        "name": "order_completed",
        "timestamp": 5,
        "attributes": {"": {"id": None}, "total": 42.5},
        "id": event.event_id,
    }


def test_an_anonymous_event_as_sent() -> None:
    """The body is that of `POST /api/v1/events`."""
    event = translated(make_event(key=b"7", anonymous_id=7))

    assert (event.user_id, event.anonymous_id) == (None, "7")
    assert orjson.loads(event.body) == {
        "name": "order_completed",
        "anonymous_id": "7",
        "timestamp": 1795341600,
        "data": {},
        "id": event.event_id,
    }


@pytest.mark.parametrize(("timestamp", "sent_s"), [(5999, 5), (-1, 0), (-(2**63), 0), (2**63 - 1, 0)])
def test_kafkas_timestamp_stands_in_for_the_time(timestamp: int, sent_s: int) -> None:
    """What is sent is never below zero, and never beyond what a time may be."""
    assert orjson.loads(translated(make_event(timestamp=timestamp)).body)["timestamp"] == sent_s


def test_a_replay_is_the_same_event() -> None:
    """The dead letter's header keeps the first timestamp, even one of -1, so the ULID stays."""
    first = make_event(timestamp=-1)
    headers = [("cio.timestamp_ms", b"-1")]
    replay = InputRecord(topic="customerio-replay", value=first.value, timestamp=99, headers=headers)

    assert translated(first).event_id == translated(replay).event_id


def test_a_millisecond_makes_another_event() -> None:
    """An event's time belongs to it."""
    assert translated(make_event(timestamp=5000)).event_id != translated(make_event(timestamp=5001)).event_id


@pytest.mark.parametrize("person", ["user_id", "anonymous_id"])
@pytest.mark.parametrize("key", [b"", b"p-2", b"\xff"])
def test_the_key_is_the_persons_id(person: str, key: bytes) -> None:
    """Another key, even an empty one, is a mistake of the publisher."""
    unsendable = refused(InputRecord(key=key, value=orjson.dumps({"name": "n", person: "p-1"})))

    assert (unsendable.reason, unsendable.detail, unsendable.user_id) == (
        "malformed",
        f"key and {person} differ",
        "p-1",
    )


def test_an_event_without_value_is_malformed() -> None:
    """Only users can be deleted by a null."""
    unsendable = refused(InputRecord(value=None, key=b"u-1"))

    assert (unsendable.reason, unsendable.detail, unsendable.user_id) == ("malformed", "value: must not be null", "u-1")


def test_a_malformed_event_tells_its_fault() -> None:
    """The detail comes from the codec."""
    assert refused(make_event(name=" ")).detail == "name: must not be blank"


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        (make_event(name="x" * 101), "name: over 100 bytes"),
        (make_event(user_id="x" * 151), "user_id: over 150 bytes"),
        (make_event(anonymous_id="x" * 151), "anonymous_id: over 150 bytes"),
        (make_event(data={"x": "x" * 32_000}), "value: its operation is over 32000 bytes"),
        (make_event(anonymous_id="a-1", data={"x": "x" * 32_000}), "value: its operation is over 32000 bytes"),
    ],
)
def test_what_customer_io_would_refuse_for_its_size_is_not_sent(record: Record, detail: str) -> None:
    """The dead letter tells whose event it was and all its names."""
    unsendable = refused(record)

    assert (unsendable.reason, unsendable.operations, unsendable.detail) == ("too_large", ("event",), detail)
    assert unsendable.user_id in ("u-1", "a-1", "x" * 151)
    assert unsendable.fingerprint is not None
    assert unsendable.event_id is not None


def test_an_event_of_exactly_32000_bytes_is_sent() -> None:
    """The limit is checked on the bytes as sent."""
    room = 32_000 - len(translated(make_event(data={"x": ""})).body)

    assert len(translated(make_event(data={"x": "x" * room})).body) == 32_000
    assert refused(make_event(data={"x": "x" * (room + 1)})).reason == "too_large"
