"""Records of every kind and every fault, with marks wherever a publisher, a person or Customer.io can put something."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from tests.privacy.marks import ADDRESS, NAME, OPAQUE
from tests.webhook_client import make_body

REFUSED: Final = "to be refused"
FLOOD: Final = 150
HEADERS: Final[Sequence[tuple[str, bytes]]] = (
    (ADDRESS, NAME.encode()),
    ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tracestate", b"zqmark=zqmark"),
)
MALFORMED_TRACE: Final[Sequence[tuple[str, bytes]]] = (("traceparent", ADDRESS.encode()),)


class Given(NamedTuple):
    """One record of an input topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = HEADERS


def _change(user_id: str, **fields: object) -> Given:
    user = {"id": user_id, "email": ADDRESS, "first_name": NAME, **fields}
    return Given("user-changes", user_id.encode(), orjson.dumps({"type": "user.upserted", "user": user}))


def fresh_change(number: int) -> Given:
    """One that was never sent."""
    return _change(f"{OPAQUE}-{number}", plan=NAME)


def _event(data: object, **person: str) -> Given:
    key = next(iter(person.values())).encode()
    return Given("domain-events", key, orjson.dumps({"name": NAME, **person, "data": {NAME: data, ADDRESS: ADDRESS}}))


def _message(message_id: str, **fields: object) -> Given:
    value: dict[str, Any] = {
        "message_id": f"{message_id} {ADDRESS}",
        "channel": "email",
        "to": ADDRESS,
        "transactional_message_id": 3,
        "identifiers": {"email": ADDRESS},
        "message_data": {NAME: NAME},
        **fields,
    }
    return Given("transactional-messages", ADDRESS.encode(), orjson.dumps(value))


def _trigger(name: str, **fields: object) -> Given:
    value = {"trigger_id": f"{name} {ADDRESS}", "broadcast_id": 12, "audience": {"emails": [ADDRESS]}, **fields}
    return Given("broadcast-triggers", ADDRESS.encode(), orjson.dumps(value))


CHANGES: Final = (
    _change(ADDRESS, attributes={NAME: NAME}),
    _change(ADDRESS, attributes={NAME: NAME}),  # a duplicate
    _change(OPAQUE, plan=ADDRESS),
    _change("zqid-1-refused", plan=REFUSED, attributes={ADDRESS: NAME}),
    _change(ADDRESS, attributes={ADDRESS: "x" * 1_001}),
    _change(ADDRESS, attributes={NAME: "x" * 40_000}),
    _change(ADDRESS, **{ADDRESS: NAME}),
    Given("user-changes", NAME.encode(), _change(ADDRESS).value),  # key and id disagree
    Given("user-changes", ADDRESS.encode(), b'{"' + ADDRESS.encode()),
    Given("user-changes", ADDRESS.encode(), b"\xff" + ADDRESS.encode()),
    Given("user-changes", ADDRESS.encode(), orjson.dumps({"type": NAME, "user": ADDRESS}), MALFORMED_TRACE),
    Given("user-changes", ADDRESS.encode(), orjson.dumps({"type": "user.deleted", "user_id": ADDRESS})),
    Given("user-changes", OPAQUE.encode(), None),  # a tombstone
)
EVENTS: Final = (
    _event(NAME, user_id=f"2 {ADDRESS}"),
    _event(REFUSED, user_id=f"2 {ADDRESS}"),
    _event(NAME, anonymous_id=ADDRESS),
    _event(REFUSED, anonymous_id=NAME),
    Given("domain-events", ADDRESS.encode(), orjson.dumps({ADDRESS: NAME})),
)
SENDS: Final = (
    _message("good"),
    _message("refused", message_data={NAME: REFUSED}),
    _message("bad", **{ADDRESS: 1}),
    _trigger("good", data={NAME: NAME}),
    _trigger("refused", data={NAME: REFUSED}),
    _trigger("bad", **{ADDRESS: 1}),
)
RECORDS: Final = (*CHANGES, *EVENTS, *SENDS)
FLOODING: Final = tuple(_event(f"{REFUSED} {number}", user_id=f"{number} {ADDRESS}") for number in range(FLOOD))

_IDENTIFIERS: Final = {"id": ADDRESS, "email": ADDRESS, "cio_id": "zqmark"}
WEBHOOKS: Final = (
    make_body(event_id=f"1 {ADDRESS}", data={"identifiers": _IDENTIFIERS, "recipient": ADDRESS, "subject": NAME}),
    make_body(event_id=f"2 {ADDRESS}", metric=NAME, object_type=ADDRESS, data={NAME: ADDRESS}),
    make_body(event_id=f"3 {ADDRESS}", timestamp=ADDRESS),
    orjson.dumps({ADDRESS: NAME}),
    b'{"' + ADDRESS.encode(),
    b"\xff" + ADDRESS.encode(),
    make_body(data={NAME: ADDRESS * 50_000}),
)
