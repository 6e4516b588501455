"""The sandbox's rules for operations of the Track API v2."""

from typing import Any

import pytest

from streams.sandbox.operation import Identifier, Operation, Refusal
from streams.sandbox.options import SandboxOptions
from streams.sandbox.track_v2 import read_item

ULID = "01J8Z3K4M5N6P7Q8R9S0T1V2W3"


def make_item(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - anything may stand in an item
    """Build an identify, with the given fields instead of the usual ones; None leaves a field out."""
    item = {"type": "person", "action": "identify", "identifiers": {"id": "u-1"}, "attributes": {"plan": "pro"}}
    return {name: value for name, value in (item | fields).items() if value is not None}


def refusal_of(item: object) -> Refusal:
    """Read an item that must be refused."""
    refusal = read_item(item, options=SandboxOptions())
    assert isinstance(refusal, Refusal)
    return refusal


def operation_of(item: object, *, options: SandboxOptions | None = None) -> Operation:
    """Read an item that must be accepted."""
    operation = read_item(item, options=options or SandboxOptions())
    assert isinstance(operation, Operation)
    return operation


def test_identify_is_read() -> None:
    """An identify keeps its identifier, attributes and timestamp; unknown fields are tolerated."""
    item = make_item(timestamp=1_700_000_000, something_new=True)

    expected = Operation(
        kind="person",
        action="identify",
        identifier=Identifier("id", "u-1"),
        attributes={"plan": "pro"},
        timestamp=1_700_000_000,
    )
    assert expected == operation_of(item)


def test_a_numeric_id_is_taken_as_text() -> None:
    """Ids may be strings or numbers."""
    assert Identifier("id", "42") == operation_of(make_item(identifiers={"id": 42})).identifier


def test_reserved_attributes_steer_and_are_not_stored() -> None:
    """`_update` and `_timestamp` are read out of the attributes."""
    operation = operation_of(make_item(attributes={"plan": "pro", "_update": True, "_timestamp": 5}))

    assert (operation.is_update_only, operation.timestamp, operation.attributes) == (True, 5, {"plan": "pro"})


def test_the_items_own_timestamp_counts() -> None:
    """Before the one among the attributes, which is v1's."""
    assert operation_of(make_item(timestamp=7, attributes={"_timestamp": 5})).timestamp == 7


def test_milliseconds_begin_at_a_hundred_billion_seconds() -> None:
    """The year 5138 is the last; a time before 1970 is one too."""
    for seconds in (99_999_999_999, -1):
        assert operation_of(make_item(timestamp=seconds)).timestamp == seconds
    assert refusal_of(make_item(timestamp=100_000_000_000)).message == "must be in unix seconds, not milliseconds"


def test_a_merge_has_no_identifiers() -> None:
    """A merge names its two people at the top level."""
    item = {"type": "person", "action": "merge", "primary": {"id": "a"}, "secondary": {"email": "b@example.com"}}
    operation = operation_of(item)

    assert (Identifier("id", "a"), Identifier("email", "b@example.com")) == (operation.identifier, operation.secondary)


@pytest.mark.parametrize(
    "item",
    [
        make_item(action="delete"),
        make_item(action="suppress"),
        make_item(action="unsuppress"),
        make_item(action="page", name="home"),
        make_item(action="screen", name="home", id=ULID),
        make_item(action="add_device", device={"token": "t", "platform": "ios"}),
        make_item(action="delete_device", device={"token": "t"}),
        make_item(action="add_relationships", cio_relationships=[{}]),
        make_item(type="object", identifiers={"object_type_id": "1", "object_id": "acme"}),
        make_item(type="object", identifiers={"cio_object_id": "x"}, action="delete"),
        make_item(
            type="delivery",
            action="event",
            name="opened",
            identifiers={"id": "RPIy"},
            attributes={"device_token": "t"},
        ),
    ],
)
def test_every_kind_of_operation_is_known(item: dict[str, Any]) -> None:
    """The documented types and actions are accepted."""
    assert item["action"] == operation_of(item).action


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ("text", ""),
        (make_item(type="robot"), "type"),
        (make_item(type=["person"]), "type"),
        (make_item(action="mobile"), "action"),
        (make_item(type="object", action="suppress"), "action"),
        (make_item(identifiers=None), "identifiers"),
        (make_item(identifiers={}), "identifiers"),
        (make_item(identifiers={"id": "a", "email": "a@example.com"}), "identifiers"),
        (make_item(identifiers={"anonymous_id": "a"}), "identifiers"),
        (make_item(identifiers=["id"]), "identifiers"),
        (make_item(identifiers={"id": ""}), "identifiers.id"),
        (make_item(identifiers={"id": True}), "identifiers.id"),
        (make_item(identifiers={"id": "é" * 76}), "identifiers.id"),
        (make_item(attributes=[1]), "attributes"),
        (make_item(attributes={f"a{n}": n for n in range(301)}), "attributes"),
        (make_item(attributes={"é" * 76: 1}), "attributes"),
        (make_item(attributes={"email": 5}), "attributes.email"),
        (make_item(timestamp="1700000000"), "timestamp"),
        (make_item(timestamp=1.5), "timestamp"),
        (make_item(timestamp=1_700_000_000_000), "timestamp"),
        (make_item(action="event"), "name"),
        (make_item(action="event", name="  "), "name"),
        (make_item(action="event", name="é" * 51), "name"),
        (make_item(action="event", name="sale", id="not-a-ulid"), "id"),
        (make_item(action="add_device", device={"id": "v1 calls it id"}), "device.token"),
        (make_item(action="add_device", device={"token": "t", "platform": ["ios"]}), "device.platform"),
        (make_item(action="add_relationships"), "cio_relationships"),
        (
            make_item(cio_relationships=[{"relationship_attributes": {"city": "x" * 1001}}]),
            "cio_relationships.0.relationship_attributes.city",
        ),
        (make_item(attributes={"id": True}), "attributes.id"),
        (make_item(action="merge", primary={"id": "a"}), "secondary"),
        (make_item(type="object", identifiers={"object_id": "acme"}), "identifiers"),
        (make_item(type="delivery", action="event", name="seen"), "name"),
    ],
)
def test_a_broken_rule_names_the_field(item: object, field: str) -> None:
    """What breaks a rule is refused, with the field that breaks it."""
    assert field == refusal_of(item).field


def test_a_long_value_has_the_observed_message() -> None:
    """A value over 1,000 bytes, a nested one by its JSON, is refused in the words seen from Customer.io."""
    expected = "property value cannot be longer than 1000 bytes"
    for value in ("é" * 501, ["x" * 997]):
        refusal = refusal_of(make_item(attributes={"city": value}))

        assert ("invalid", "attributes.city", expected) == (refusal.reason, refusal.field, refusal.message)


def test_limits_are_reached_without_refusal() -> None:
    """Values, names and ids of exactly their limits in bytes are accepted."""
    attributes = {"é" * 75: "é" * 500, "nested": ["x" * 996]}

    assert attributes == operation_of(make_item(identifiers={"id": "é" * 75}, attributes=attributes)).attributes


def test_an_item_over_32_kb_is_refused() -> None:
    """An item is measured as its JSON, in bytes."""
    event = make_item(action="event", name="sale", attributes={"text": ""})
    room = 32_000 - len('{"type":"person","action":"event","identifiers":{"id":"u-1"},"attributes":{"text":""},')
    room -= len('"name":"sale"}')
    event["attributes"] = {"text": "x" * room}
    operation_of(event)
    event["attributes"] = {"text": "x" * (room + 1)}

    assert refusal_of(event).message == "cannot be larger than 32000 bytes"


def test_deep_nesting_is_refused() -> None:
    """Nesting that cannot be written again is refused, not a crash."""
    nested: list[Any] = []
    for _ in range(300):
        nested = [nested]

    assert (
        refusal_of(make_item(action="event", name="sale", attributes={"a": nested})).message == "is nested too deeply"
    )


def test_a_malformed_ulid_may_be_accepted_without_deduplication() -> None:
    """What Customer.io does with an id that is no ULID is undocumented, so it is an option."""
    item = make_item(action="event", name="sale", id="evt-1")

    assert operation_of(item, options=SandboxOptions(rejects_malformed_ulid=False)).event_id is None


def test_ulids_are_the_same_in_any_case() -> None:
    """A ULID is read case-insensitively."""
    assert operation_of(make_item(action="event", name=" sale ", id=ULID.lower())).event_id == ULID
