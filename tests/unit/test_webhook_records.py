"""What a webhook becomes on Kafka, by which routes, and that nothing in one can prevent it."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.settings import Settings
from streams.webhooks.records import FIELD_CHARS_MAX, Drafting, Drafts
from streams.webhooks.routes import Route, load_routes
from tests.webhook_client import make_body
from tests.webhook_openapi import official_payloads

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EVERYTHING = Route(
    name="all",
    topic="elsewhere",
    metrics=["bounced", "cio_subscription_preferences_changed"],
    key="event_id",
    fields=["event_id", "delivery_id", "trigger_event_id", "failure_message", "preferences"],
)


def drafts(body: bytes, *routes: Route) -> Drafts:
    """By the packaged routes, unless others are given."""
    settings = Settings(topic_prefix="t.")
    return Drafting(settings, routes or load_routes(settings)).draft(body)


def routed(body: bytes, *routes: Route) -> list[dict[str, Any]]:
    """The values of the routed records."""
    return [orjson.loads(each.value) for each in drafts(body, *routes).records[1:]]


def test_a_bounce_is_a_status_of_its_person() -> None:
    """With the fields that the route names, and no others."""
    own, status = drafts(make_body(metric="bounced")).records

    assert (own.topic, own.route, status.topic, status.route) == (
        "t.customerio-webhooks",
        None,
        "t.customerio-person-status",
        "person-status",
    )
    assert own.key == status.key == b"42"
    assert orjson.loads(status.value) == {
        "person_id": "42",
        "object_type": "email",
        "metric": "bounced",
        "timestamp": 1613063089,
        "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
        "delivery_id": "RPILAgUBcRhIBqSfeiIwdIYJKxTY",
        "preferences": None,
    }


@pytest.mark.parametrize("metric", ["sent", "opened", "subscribed", None, 7])
def test_other_metrics_are_no_status(metric: object) -> None:
    """They are on the topic of webhooks alone."""
    assert routed(make_body(metric=metric)) == []


def test_an_object_type_may_be_asked_for() -> None:
    """Of those that are named."""
    route = EVERYTHING.model_copy(update={"object_types": ["sms"]})

    assert [len(routed(make_body(metric="bounced", object_type=kind), route)) for kind in ("sms", "email")] == [1, 0]


def test_without_a_person_a_status_is_counted_and_not_routed() -> None:
    """Its own record has the event's id for a key."""
    made = drafts(make_body(metric="bounced", data={"identifiers": {"id": None}}))

    assert (len(made.records), made.records[0].key, made.unrouted) == (
        1,
        b"01E4C4CT6YDC7Y5M7FE1GWWPQJ",
        ["person-status"],
    )


def test_changed_preferences_are_read() -> None:
    """Customer.io puts them into a text; of other webhooks that text is a message, and private."""
    data = {"identifiers": {"id": "42"}, "content": '{"topics":{"topic_1":true}}'}

    (changed,) = routed(make_body(metric="cio_subscription_preferences_changed", data=data))
    (bounced,) = routed(make_body(metric="bounced", data=data))
    assert (changed["preferences"], bounced["preferences"]) == ({"topics": {"topic_1": True}}, None)


@pytest.mark.parametrize("content", ["{", "[" * 400 + "]" * 400, f'"{"x" * FIELD_CHARS_MAX}"', 7, None])
def test_preferences_that_cannot_be_read_are_null(content: object) -> None:
    """The status is routed all the same."""
    (status,) = routed(
        make_body(metric="cio_subscription_preferences_changed", data={"customer_id": "1", "content": content})
    )

    assert status["preferences"] is None


@pytest.mark.parametrize("value", [["x"], {"x": 1}, "x" * (FIELD_CHARS_MAX + 1), None])
def test_a_field_that_is_not_of_its_kind_is_null(value: object) -> None:
    """A routed record stays small, and of the shape that its readers know."""
    (record,) = routed(make_body(metric="bounced", data={"failure_message": value}), EVERYTHING)

    assert record["failure_message"] is None


@pytest.mark.parametrize("name", sorted(official_payloads()))
def test_every_official_payload_is_understood(name: str) -> None:
    """All its headers are there, and a key."""
    tree = official_payloads()[name]
    made = drafts(orjson.dumps(tree))

    assert made.fault is None
    assert made.records[0].key == b"42"
    assert dict(made.records[0].headers)["cio.metric"] == tree["metric"].encode()
    assert len(made.records[0].headers) == 4


@given(
    st.dictionaries(st.sampled_from(["event_id", "data", "timestamp"]), ANY_JSON),
    st.dictionaries(
        st.sampled_from(["identifiers", "customer_id", "content", "delivery_id", "failure_message"]), ANY_JSON
    ),
    st.sampled_from(EVERYTHING.metrics),
)
def test_nothing_prevents_a_record(changes: dict[str, Any], data: dict[str, Any], metric: str) -> None:
    """Whatever the fields hold."""
    body = orjson.dumps({"event_id": "e", "data": data} | changes | {"metric": metric})
    made = drafts(body, EVERYTHING, *load_routes(Settings()))

    assert made.records[0].value == body
    assert all(orjson.loads(record.value) is not None for record in made.records)
