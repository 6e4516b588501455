"""What is read from a webhook's body, and that nothing in one is refused."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.webhook import TEXT_CHARS_MAX, TIMESTAMP_S_MAX, Webhook, is_understood, parse_webhook

DATA = {"customer_id": "42", "delivery_id": "RPIL", "identifiers": {"id": "42", "email": None, "cio_id": "d9c1"}}
TREE = {"event_id": "01E4", "object_type": "email", "metric": "sent", "timestamp": 1613063089, "data": DATA}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("event_id", "object_type", "object_type_type", "metric", "timestamp", "data")


def parsed(**changes: object) -> Webhook:
    """The usual webhook with these fields instead."""
    webhook = parse_webhook(orjson.dumps(TREE | changes))
    assert webhook is not None
    return webhook


def test_a_webhook_is_read() -> None:
    """All that a record's headers, key and routes need, and the rest as it is."""
    expected = Webhook(
        event_id="01E4", object_type="email", metric="sent", timestamp_s=1613063089, person_id="42", data=DATA
    )

    assert expected == parsed()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"7", b"\xff\xfe", b'{"a": NaN}', b"[" * 9000])
def test_what_is_no_json_object_is_none(body: bytes) -> None:
    """Also what is cut short, not UTF-8, or nested without end."""
    assert parse_webhook(body) is None
    assert not is_understood(parse_webhook(body))


@pytest.mark.parametrize("event_id", [None, "", 7, [], {}, "x" * (TEXT_CHARS_MAX + 1)])
def test_without_an_event_id_it_is_not_understood(event_id: object) -> None:
    """Nobody could tell a repeat of it."""
    webhook = parsed(event_id=event_id)

    assert webhook.event_id is None
    assert not is_understood(webhook)
    assert is_understood(parsed())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"identifiers": {"id": "u-1"}, "customer_id": "c"}, "u-1"),
        ({"identifiers": {"id": 42}}, "42"),
        ({"identifiers": {"id": None}, "customer_id": "c"}, "c"),
        ({"identifiers": {"id": ""}, "customer_id": ""}, None),
        ({"identifiers": ["id"], "customer_id": 7}, "7"),
        ({"identifiers": {"email": "ada@example.com"}}, None),
        ({"identifiers": {"id": "x" * 1001}}, None),
        ({}, None),
        (["u-1"], None),
        (None, None),
    ],
)
def test_the_person_is_the_identifiers_id_else_the_customer_id(data: object, expected: str | None) -> None:
    """An e-mail address is no id, and a huge id is nobody's."""
    assert expected == parsed(data=data).person_id


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (0, 0),
        (1613063089.9, 1613063089),
        (TIMESTAMP_S_MAX, None),
        (-1, None),
        ("1613063089", None),
        (True, None),
        (None, None),
    ],
)
def test_the_time_is_in_seconds(timestamp: object, expected: int | None) -> None:
    """What cannot be one is not taken for one."""
    assert expected == parsed(timestamp=timestamp).timestamp_s


def test_the_object_type_may_stand_under_its_misspelt_name() -> None:
    """The published specification has `object_type_type` for changed subscription preferences."""
    assert parsed(object_type=None, object_type_type="customer").object_type == "customer"


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), ANY_JSON, max_size=8))
def test_any_object_is_read(tree: dict[str, Any]) -> None:
    """Whatever stands in the fields, reading does not raise."""
    webhook = parse_webhook(orjson.dumps(tree))

    assert webhook is not None
    assert isinstance(webhook.data, dict)


@given(st.binary())
def test_any_bytes_are_read(body: bytes) -> None:
    """As is whatever else may come."""
    parse_webhook(body)
