"""What rows say of records, and what they leave out."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from schemas.record import Header, Stored
from streams.warehouse.result_rows import result_row
from streams.warehouse.tables import RESULTS, TABLES, WEBHOOKS, Row, Table
from streams.warehouse.webhook_rows import webhook_row
from tests.warehouse_world import INCARNATION, NOW_S, result_value, stored, webhook_body


def named(table: Table, row: Row) -> dict[str, Any]:
    """The values that are not null, by column."""
    return {name: value for name, value in zip(table.names, row, strict=True) if value is not None}


def webhook(
    value: bytes | None, *, offset: int = 9, timestamp: int = 0, headers: Sequence[Header] = ()
) -> dict[str, Any]:
    """The row of a webhook."""
    return named(WEBHOOKS, webhook_row(Stored("t", 3, offset, timestamp, None, value, headers), INCARNATION))


def result(value: bytes | None) -> dict[str, Any]:
    """The row of a result."""
    return named(RESULTS, result_row(stored(value, 7, topic="r"), INCARNATION))


def test_a_webhook_has_its_columns() -> None:
    """Numbers among the ids become text; times become microseconds; what has no column is kept as JSON."""
    row = webhook(
        webhook_body("e1", "clicked", campaign_id=7, link_id=1, href="https://x", machine=False, newest={"a": [1]})
    )

    place = {"kafka_topic": "t", "kafka_incarnation": INCARNATION, "kafka_partition": 3, "kafka_offset": 9}
    assert {
        "row_key": "e1",
        "event_id": "e1",
        "object_type": "email",
        "metric": "clicked",
        "happened_at": NOW_S * 1_000_000,
        "person_id": "u-1",
        "delivery_id": "d-1",
        "campaign_id": "7",
        "link_id": "1",
        "href": "https://x",
        "is_machine": False,
        "is_stale": False,
        "data": '{"newest":{"a":[1]}}',
        "received_at": 0,
        **place,
    } == row


def test_addresses_and_contents_stay_on_kafka() -> None:
    """Also where a bounce quotes an address; a person's id is kept, whatever it looks like."""
    told: dict[str, Any] = {
        "identifiers": {"id": "u-1", "email": "ada@example.com", "cio_id": "c1"},
        "recipient": "ada@example.com",
        "subject": "Dear Ada",
        "content": "secret",
        "headers": {"Reply-To": "ada@example.com"},
        "customer_id": "u-1",
        "failure_message": "550 <ada@example.com> unknown",
        "recipients": [{"device_id": "x"}],
        "email_address": "ada@example.com",
    }
    row = webhook(webhook_body("e1", "bounced", **told))

    assert '{"identifiers":{"cio_id":"c1"}}' == row["data"]
    assert "550 <a***m (15)> unknown" == row["failure_message"]
    assert "ada@" not in json.dumps(row)


@pytest.mark.parametrize(
    ("href", "told"),
    [
        ("https://x/a?email=ada@example.com", "https://x/a"),
        ("https://x/a#token=s3cret", "https://x/a"),
        ("//x/a?u=ada%40example.com", "//x/a"),
        ("?u=ada", ""),
        ("https://x/ada%40example.com/out", "https://x/ada@example.com/out"),
        ("mailto:ada@example.com?subject=x", "mailto:a***m (15)"),
        ("tel:+49 170 1234567", "tel:+***7 (15)"),
        ("https://x/" + "a" * 5_000 + "?email=ada@example.com", None),
    ],
)
def test_of_a_link_its_path_is_kept(href: str, told: str | None) -> None:
    """What marks a person is mostly in its query; one that is too long for the column is cut where it is then."""
    row = webhook(webhook_body("e1", "clicked", href=href))

    assert "ada@" not in json.dumps(row)
    assert "email=" not in json.dumps(row)
    assert told is None or "@" in told or told == row["href"]


def test_addresses_in_what_nobody_knew_are_masked() -> None:
    """At any depth, in names too; of a result as well."""
    told = {"see": "ask ada@example.com, +49 170 1234567", "ada@example.com": [{"u": "https://x/?e=ada%40example.com"}]}
    body = json.loads(webhook_body("e1", newest=told)) | {"beside": told}
    row = webhook(json.dumps(body).encode())
    masked = {"see": "ask a***m (15), +***7 (15)", "a***m (15)": [{"u": "https://x/"}]}

    assert {"newest": masked} == json.loads(row["data"])
    assert {"beside": masked} == json.loads(row["more"])
    found = result(result_value(1, detail="no ada@example.com", newest=told))
    assert (masked, "no a***m (15)") == (json.loads(found["data"])["newest"], found["detail"])


def test_fields_that_are_not_of_their_kind_stay_in_the_json() -> None:
    """Nothing is refused, nothing lost."""
    row = webhook(
        b'{"event_id": "e", "timestamp": "soon", "metric": 5, "data": {"machine": "yes", "campaign_id": [1]}, "v": 2}'
    )

    assert {"machine": "yes", "campaign_id": [1]} == json.loads(row["data"])
    assert {"timestamp": "soon", "metric": 5, "v": 2} == json.loads(row["more"])
    assert {"happened_at", "metric", "is_machine", "campaign_id"}.isdisjoint(row)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (None, "null"),
        (b"", "not_understood"),
        (b"\xff\x00", "not_understood"),
        (b"[]", "not_understood"),
        (b'{"event_id": ""}', "not_understood"),
        (b'{"event_id": "e", "a":' + b"[" * 200 + b"]" * 200 + b"}", "not_understood"),
    ],
)
def test_what_cannot_be_read_has_a_fault(value: bytes | None, fault: str) -> None:
    """And is named by its place and its bytes."""
    row = webhook(value)

    assert fault == row["fault"]
    assert row["row_key"].startswith(f"{INCARNATION}/3/9/")
    assert webhook(value)["row_key"] == row["row_key"] != webhook(value, offset=10)["row_key"]


def test_brackets_in_a_text_are_not_deep() -> None:
    """Only nesting is."""
    assert "fault" not in webhook(webhook_body("e", note="[]" * 500))


def test_staleness_comes_from_the_header() -> None:
    """The receiver judged it."""
    assert webhook(webhook_body("e"), headers=[("cio.stale", b"true")])["is_stale"]


@pytest.mark.parametrize("timestamp", [-1, 2**62])
def test_a_time_that_no_calendar_has_is_none(timestamp: int) -> None:
    """Kafka takes any."""
    assert "received_at" not in webhook(webhook_body("e"), timestamp=timestamp)


def test_a_result_has_its_columns() -> None:
    """Named by what it is a result of; a replay's also by where its record was first."""
    origin = {"topic": "domain-events", "partition": 1, "offset": 2, "more": 1}
    row = result(result_value(5, event_id="ULID", origin=origin, latency_ms=3, attempts=1, status=200, newest=True))

    assert f"domain-events/0/5@{NOW_S * 1_000_000}" == row["row_key"]
    assert ("domain-events", 1, 2) == (row["origin_topic"], row["origin_partition"], row["origin_offset"])
    assert ("ULID", "event", 3, 1, 200) == (
        row["event_id"],
        row["operations"],
        row["latency_ms"],
        row["attempts"],
        row["status"],
    )
    assert NOW_S * 1_000_000 + 500_000 == row["processed_at"]
    assert {"origin": {"more": 1}, "newest": True} == json.loads(row["data"])


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"no",
        b"[]",
        b"{}",
        b'{"outcome": "dead"}',
        b'{"outcome": "dead", "source": {"topic": "t", "partition": true}}',
    ],
)
def test_what_is_no_result_has_a_fault(value: bytes | None) -> None:
    """But keeps what can be read of it."""
    row = result(value)

    assert ("null" if value is None else "no_result") == row["fault"]
    assert row["row_key"].startswith(f"{INCARNATION}/0/7/")
    assert ("dead" if value and b"dead" in value else None) == row.get("outcome")


def test_columns_have_names_of_their_own() -> None:
    """And every table ends with where its rows came from."""
    for table in TABLES:
        assert len(set(table.names)) == len(table.names)
        assert ("kafka_topic", "kafka_incarnation", "kafka_partition", "kafka_offset", "received_at") == table.names[
            -5:
        ]
        assert {table.day, *table.cluster} <= set(table.names)
