"""The exact bytes of results and of dead letters' headers."""

from dataclasses import replace

import orjson
import pytest

from agents.steps.report import iso_utc, letter_headers, result
from schemas.conclusion import Conclusion
from schemas.record import Header
from tests.replays import replay_headers, replay_of
from tests.unit.input_records import InputRecord

FINGERPRINT = bytes.fromhex("9f000000000000000000000000000001")
RECORD = InputRecord(topic="staging.user-changes", partition=3, offset=1042, timestamp=1_795_341_600_000)
DELIVERED = Conclusion(
    RECORD,
    "delivered",
    user_id="u-1",
    operations=("identify",),
    fingerprint=FINGERPRINT,
    status=200,
    attempts=1,
)
DEAD = Conclusion(
    InputRecord(topic="domain-events", partition=3, offset=7, timestamp=5, headers=[("trace", b"\xff"), ("none", b"")]),
    "dead",
    "rejected",
    "invalid name: no",
    "u-1",
    ("event",),
    FINGERPRINT,
    "4Z00000000000000000000000H",
    207,
    3,
)


def headers(conclusion: Conclusion) -> list[Header]:
    """Those of the letter."""
    return list(letter_headers(conclusion, group="customerio-streams", failed_at="2026-11-22T10:00:00.184Z"))


def test_a_result_is_the_contracts_example() -> None:
    """Byte for byte, names in its order."""
    text = result(DELIVERED, now_ms=1_795_341_600_184, processed_at=iso_utc(1_795_341_600_184))

    assert text == (
        b'{"outcome":"delivered","reason":null,"detail":null,'
        b'"source":{"topic":"staging.user-changes","partition":3,"offset":1042,"timestamp_ms":1795341600000},'
        b'"user_id":"u-1","operations":["identify"],"fingerprint":"9f000000000000000000000000000001",'
        b'"event_id":null,"delivery_id":null,"status":200,"attempts":1,"latency_ms":184,'
        b'"processed_at":"2026-11-22T10:00:00.184Z"}'
    )


def test_what_has_no_value_is_null() -> None:
    """Of a malformed record nothing is known but where it stands."""
    told = orjson.loads(result(Conclusion(RECORD, "dead", "malformed", "value: x"), now_ms=0, processed_at=iso_utc(0)))
    empty = {name for name, value in told.items() if value is None}

    assert empty == {"user_id", "fingerprint", "event_id", "delivery_id", "status"}
    assert (told["operations"], told["attempts"]) == ([], 0)


def test_a_clock_behind_kafkas_makes_no_negative_latency() -> None:
    """Clocks of two machines differ."""
    told = orjson.loads(result(DELIVERED, now_ms=RECORD.timestamp - 5, processed_at=""))

    assert told["latency_ms"] == 0


def test_processed_at_keeps_the_millisecond() -> None:
    """UTC, three digits, never rounded up."""
    assert [iso_utc(ms) for ms in (0, 1_795_341_600_007, 1_795_341_599_999)] == [
        "1970-01-01T00:00:00.000Z",
        "2026-11-22T10:00:00.007Z",
        "2026-11-22T09:59:59.999Z",
    ]


def test_a_letter_has_the_contracts_headers_byte_for_byte() -> None:
    """The original ones first, unchanged; then ours."""
    assert headers(DEAD) == [
        ("trace", b"\xff"),
        ("none", b""),
        ("__dlq.errors.topic", b"domain-events"),
        ("__dlq.errors.partition", b"3"),
        ("__dlq.errors.offset", b"7"),
        ("__dlq.errors.group", b"customerio-streams"),
        ("__dlq.errors.delivery.count", b"3"),
        ("__dlq.errors.message", b"invalid name: no"),
        ("kafka_dlt-original-topic", b"domain-events"),
        ("cio.reason", b"rejected"),
        ("cio.status", b"207"),
        ("cio.attempts", b"3"),
        ("cio.failed_at", b"2026-11-22T10:00:00.184Z"),
        ("cio.fingerprint", FINGERPRINT.hex().encode()),
        ("cio.event_id", b"4Z00000000000000000000000H"),
        ("cio.timestamp_ms", b"5"),
        ("cio.replays", b"0"),
    ]


def test_a_header_without_value_is_left_out() -> None:
    """A malformed record was never sent: no status, no fingerprint; zero attempts are a value."""
    names = dict(headers(Conclusion(RECORD, "dead", "malformed", "value: is not JSON")))

    assert {"cio.status", "cio.fingerprint", "cio.event_id"}.isdisjoint(names)
    assert (names["cio.attempts"], names["__dlq.errors.delivery.count"]) == (b"0", b"0")


def test_ours_come_last_where_names_collide() -> None:
    """The original stays, and the last one counts."""
    record = InputRecord(headers=[("cio.reason", b"forged"), ("x", b"1")])
    found = [value for name, value in headers(Conclusion(record, "dead", "malformed")) if name == "cio.reason"]

    assert found == [b"forged", b"malformed"]


def test_the_message_is_never_empty_and_never_long() -> None:
    """Tools show it: the reason stands in for a detail."""

    def message(detail: str | None) -> bytes | None:
        return dict(headers(Conclusion(RECORD, "dead", "rejected", detail)))["__dlq.errors.message"]

    assert (message(None), message("x" * 9_999)) == (b"rejected", b"x" * 500)


def test_a_letter_carries_the_first_time_of_a_record_that_has_been_set_aside_before() -> None:
    """Replayed from its letter again, it keeps the fingerprint and the ULID that it had at first."""
    record = InputRecord(topic="customerio-replay", headers=[("cio.timestamp_ms", b"1795341600123")])

    given = headers(Conclusion(record, "dead", "rejected"))

    assert dict(given)["cio.timestamp_ms"] == b"1795341600123"


REPLAY = replay_of(
    InputRecord(topic="staging.user-changes", partition=3, offset=1042, timestamp=5, headers=[("trace", b"1")]),
    offset=9,
)


def test_a_replays_result_names_both_its_places() -> None:
    """Its own, and the first."""
    told = orjson.loads(result(Conclusion(REPLAY, "delivered"), now_ms=0, processed_at=""))

    assert (told["source"]["topic"], told["source"]["offset"]) == ("customerio-replay", 9)
    assert told["origin"] == {"topic": "staging.user-changes", "partition": 3, "offset": 1042}


@pytest.mark.parametrize(
    "record", [replace(REPLAY, topic="user-changes"), replace(REPLAY, headers=[("trace", b"1")]), RECORD]
)
def test_what_is_no_replay_has_no_origin(record: InputRecord) -> None:
    """Nor has a replay without readable headers; a publisher's headers of our names say nothing elsewhere."""
    assert "origin" not in orjson.loads(result(Conclusion(record, "delivered"), now_ms=0, processed_at=""))


def test_headers_do_not_pile_up_over_replays() -> None:
    """Of a letter that was replayed three times, all but the count and what happened last is as at first."""
    record = InputRecord(
        topic="domain-events", partition=3, offset=7, timestamp=5, headers=[("trace", b"\xff"), ("cio.reason", b"mine")]
    )
    first = headers(Conclusion(record, "dead", "rejected", "no", status=400, attempts=1))
    letter = first
    for number in range(3):
        replay = replace(
            record,
            topic="customerio-replay",
            offset=number,
            timestamp=100 + number,
            headers=replay_headers(letter, even_if_older=True),
        )
        letter = headers(Conclusion(replay, "dead", "retries_exhausted", "late", status=503, attempts=4 + number))
    changed = {
        "__dlq.errors.delivery.count": b"6",
        "__dlq.errors.message": b"late",
        "cio.status": b"503",
        "cio.attempts": b"6",
        "cio.replays": b"3",
    }
    ours = [(name, changed.get(name, value)) for name, value in first[2:]]

    assert letter == [*first[:2], *((name, b"retries_exhausted" if name == "cio.reason" else v) for name, v in ours)]
    assert letter[-1] == ("cio.replays", b"3")


def test_a_stray_on_the_replay_topic_keeps_all_its_headers() -> None:
    """Nobody knows whose they are; its letter names the place where it was found."""
    stray = InputRecord(topic="customerio-replay", partition=1, offset=4, headers=[("cio.replays", b"2"), ("x", b"1")])
    found = headers(Conclusion(stray, "dead", "malformed"))

    assert found[:2] == stray.headers
    assert (dict(found)["__dlq.errors.topic"], dict(found)["cio.replays"]) == (b"customerio-replay", b"0")
