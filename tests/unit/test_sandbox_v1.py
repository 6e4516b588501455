"""The sandbox's rules for calls of the Track API v1, in its own words."""

from typing import Any

import pytest

from streams.sandbox.operation import Identifier, RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.track_v1 import read_anonymous_event, read_event, read_identify, read_path_identifier

ADA = Identifier("id", "u-1")


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("u-1", ADA),
        ("a%2Fb%20c%252Fd+e", Identifier("id", "a/b c%2Fd+e")),
        ("ada%40example.com", Identifier("email", "ada@example.com")),
        ("cio_0300", Identifier("cio_id", "0300")),
        ("%C3%A9", Identifier("id", "é")),
    ],
)
def test_path_identifiers_are_decoded_once(segment: str, expected: Identifier) -> None:
    """A path's identifier is percent-decoded once, and its shape tells its kind."""
    assert expected == read_path_identifier(segment)


@pytest.mark.parametrize("segment", ["%FF", "x" * 151])
def test_path_identifiers_may_be_refused(segment: str) -> None:
    """An identifier that is not UTF-8, or over 150 bytes, is refused."""
    with pytest.raises(RefusedError):
        read_path_identifier(segment)


def test_identify_reads_reserved_keys() -> None:
    """`_timestamp` and `_update` steer the update and are no attributes."""
    operation = read_identify(
        ADA, {"plan": "pro", "_timestamp": 7, "_update": True, "cio_relationships": {}}, options=SandboxOptions()
    )

    assert (operation.attributes, operation.timestamp, operation.is_update_only) == ({"plan": "pro"}, 7, True)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "request body must be a JSON object"),
        ({"id": 5}, "id attribute must be a string value"),
        ({"id": ""}, "id attribute cannot be an empty string"),
        ({"id": "u-2"}, "id attribute and identifier are not the same value"),
        ({"email": 5}, "email attribute must be a string value"),
        ({f"a{n}": n for n in range(301)}, "cannot identify more than 300 attributes in one request"),
        ({"é" * 76: 1}, "attribute name cannot be longer than 150 bytes"),
        ({"token": "é" * 501}, "value for attribute 'token' cannot be longer than 1000 bytes"),
        ({"_timestamp": "now"}, "_timestamp must be an integer"),
    ],
)
def test_identify_refuses_in_the_documented_words(body: object, message: str) -> None:
    """Each broken rule of an identify has its documented message."""
    with pytest.raises(RefusedError) as refused:
        read_identify(ADA, body, options=SandboxOptions())

    assert message == refused.value.refusal.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "event name must not be blank"),
        ({"name": 5}, "event name must not be blank"),
        ({"name": "é" * 51}, "event name cannot be longer than 100 bytes"),
        ({"name": "sale", "data": []}, "event data must be a hash"),
        ({"name": "sale", "data": {"text": "x" * 100_000}}, "event data cannot be longer than 100000 bytes"),
        ({"name": "sale", "id": "x"}, "id must be a valid ULID"),
        ({"name": "sale", "timestamp": 1e12}, "timestamp must be an integer"),
    ],
)
def test_event_refuses_in_the_documented_words(body: dict[str, Any], message: str) -> None:
    """Each broken rule of an event has its documented message."""
    with pytest.raises(RefusedError) as refused:
        read_event(ADA, body, options=SandboxOptions())

    assert message == refused.value.refusal.message


def test_page_and_screen_are_events_of_their_own_type() -> None:
    """`type` page and screen are kept, any other text is an event."""
    types = ["page", "screen", "video", "event"]
    actions = [read_event(ADA, {"name": "a", "type": each}, options=SandboxOptions()).action for each in types]

    assert actions == ["page", "screen", "event", "event"]


def test_an_anonymous_event_belongs_to_its_anonymous_id() -> None:
    """`POST /events` names nobody but an anonymous id, or nobody at all."""
    options = SandboxOptions()
    operation = read_anonymous_event({"name": "visit", "anonymous_id": "anon-1"}, options=options)

    assert ("anonymous", Identifier("anonymous_id", "anon-1")) == (operation.kind, operation.identifier)
    assert read_anonymous_event({"name": "invite"}, options=options).identifier.value == ""


@pytest.mark.parametrize("anonymous_id", [5, "x" * 151])
def test_an_anonymous_id_is_a_short_text(anonymous_id: object) -> None:
    """An anonymous id that is no text, or over 150 bytes, is refused."""
    with pytest.raises(RefusedError):
        read_anonymous_event({"name": "visit", "anonymous_id": anonymous_id}, options=SandboxOptions())
