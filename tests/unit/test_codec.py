import orjson
import pytest

from schemas.codec import Malformed, decode_domain_event, decode_user_change
from schemas.domain_event import DomainEvent
from schemas.user_change import UserDeleted, UserUpserted


def test_a_change_is_decoded() -> None:
    """The kind of a change is its class."""
    assert isinstance(decode_user_change(b'{"type":"user.upserted","user":{"id":"u-1"}}'), UserUpserted)
    assert isinstance(decode_user_change(b'{"type":"user.deleted","user_id":"u-1"}'), UserDeleted)


def test_an_event_is_decoded() -> None:
    """An event of the contract's shape comes out as one."""
    assert decode_domain_event(b'{"name":"n","user_id":"u-1"}') == DomainEvent(name="n", user_id="u-1")


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"id": 1.5}, "user.id: must be a string or an integer"),
        ({"id": ""}, "user.id: must not be empty"),
        ({"email": 1}, "user.email: must be a string"),
        ({"preferences": {"marketing": 1}}, "user.preferences.marketing: must be true or false"),
        ({"preferences": []}, "user.preferences: must be an object"),
        ({"preferences": {"sms": True}}, "user.preferences.sms: unknown field"),
        ({"attributes": None}, "user.attributes: must be an object"),
        ({"attributes": {"plan": "x", "email": "x"}}, "user.attributes: must not hold email, which is reserved"),
        ({"created_at": True}, "user.created_at: must be ISO 8601 with an offset, or unix seconds"),
        ({"createdAt": "x"}, "user.createdAt: must be ISO 8601 with an offset, or unix seconds"),
        ({"first_name": "A", "firstName": "A"}, "user.firstName: given as first_name too"),
        ({"last_name": None, "lastName": None}, "user.lastName: given as last_name too"),
        ({"created_at": 1, "createdAt": 1}, "user.createdAt: given as created_at too"),
        ({"user.upserted": 1}, "user.user.upserted: unknown field"),
        ({"n\x00" + "x" * 60: 1}, "user.n\N{REPLACEMENT CHARACTER}" + "x" * 48 + ": unknown field"),
    ],
)
def test_a_fault_of_a_user_names_its_field(fields: dict[str, object], detail: str) -> None:
    """The detail is the path and what was expected, never what was there."""
    decoded = decode_user_change(orjson.dumps({"type": "user.upserted", "user": {"id": "u-1", **fields}}))

    assert isinstance(decoded, Malformed)
    assert detail == decoded.detail


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b"null", "value: must be an object"),
        (b"[]", "value: must be an object"),
        (b"{}", "type: must be user.upserted or user.deleted"),
        (b'{"type":"secret"}', "type: must be user.upserted or user.deleted"),
        (b'{"type":["user.deleted"]}', "type: must be user.upserted or user.deleted"),
        (b'{"type":"user.deleted"}', "user_id: is missing"),
        (b'{"type":"user.deleted","user_id":"u","user":{}}', "user: unknown field"),
        (b'{"type":"user.upserted"}', "user: is missing"),
        (b'{"type":"user.upserted","user":null}', "user: must be an object"),
        (b'{"type":"user.upserted","user":{"id":"u"},"version":1.0}', "version: must be an integer"),
        (b'{"type":"user.upserted","user":{"id":"u"},"version":true}', "version: must be an integer"),
        (b'{"type":"user.upserted","user":{"id":"u"},"firstName":1}', "firstName: unknown field"),
        (b"{", "value: is not JSON (character 1)"),
    ],
)
def test_a_fault_of_a_change_names_its_field(value: bytes, detail: str) -> None:
    """The union's tag is no part of the path."""
    decoded = decode_user_change(value)

    assert isinstance(decoded, Malformed)
    assert detail == decoded.detail


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b"[]", "value: must be an object"),
        (b'{"name":1,"user_id":"u"}', "name: must be a string"),
        (b'{"name":" ","user_id":"u"}', "name: must not be blank"),
        (b'{"name":"n","user_id":null}', "user_id: must be a string or an integer"),
        (b'{"name":"n"}', "value: needs exactly one of user_id and anonymous_id"),
        (b'{"name":"n","user_id":"u","data":null}', "data: must be an object"),
        (b'{"name":"n","user_id":"u","data":[]}', "data: must be an object"),
        (b'{"name":"n","user_id":"u","id":""}', "id: must not be empty"),
        (b'{"name":"n","user_id":"u","type":"event"}', "type: unknown field"),
        (b'{"name":"n","user_id":"u","occurred_ms":1}', "occurred_ms: unknown field"),
    ],
)
def test_a_fault_of_an_event_names_its_field(value: bytes, detail: str) -> None:
    """Events are as strict as changes."""
    decoded = decode_domain_event(value)

    assert isinstance(decoded, Malformed)
    assert detail == decoded.detail


@pytest.mark.parametrize(
    ("value", "user_id"),
    [
        (b'{"type":"user.upserted","user":{"id":"u-1","zzz":1}}', "u-1"),
        (b'{"type":"nonsense","user_id":7}', "7"),
        (b'{"type":"nonsense","anonymous_id":"a-1"}', "a-1"),
        (b'{"type":"nonsense","user":{"id":true},"user_id":1.5}', None),
        (b'{"type":"nonsense","user":[],"user_id":""}', None),
        (b'{"type":"nonsense","user_id":"' + b"x" * 1001 + b'"}', None),
        (b"[]", None),
        (b"{", None),
    ],
)
def test_a_malformed_value_still_tells_whose_it_is(value: bytes, user_id: str | None) -> None:
    """The id is read where it can be, so that the dead letter can be found by it."""
    decoded = decode_user_change(value)

    assert isinstance(decoded, Malformed)
    assert user_id == decoded.user_id


def test_a_field_without_a_name_is_named_as_the_value() -> None:
    """JSON allows empty names."""
    decoded = decode_user_change(b'{"type":"user.deleted","user_id":"u-1","":{}}')

    assert decoded == Malformed(detail="value: unknown field", user_id="u-1")
