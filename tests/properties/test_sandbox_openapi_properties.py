"""Whatever body the official OpenAPI allows, the sandbox accepts; and refuses what is spoilt in it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from streams.sandbox.operation import Identifier, Operation, RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.track_v1 import (
    read_added_device,
    read_anonymous_event,
    read_event,
    read_identify,
    read_merge,
    read_segment,
)
from streams.sandbox.track_v2 import read_item
from tests.track_openapi import Call, Schema, calls

OPTIONS = SandboxOptions()
EMAIL = Identifier("email", "ada@example.com")
READERS: dict[str, Callable[[object], object]] = {
    "PUT /api/v1/customers/{identifier}": lambda body: read_identify(EMAIL, body, options=OPTIONS),
    "PUT /api/v1/customers/{identifier}/devices": lambda body: read_added_device(EMAIL, body),
    "POST /api/v1/customers/{identifier}/events": lambda body: read_event(EMAIL, body, options=OPTIONS),
    "POST /api/v1/events": lambda body: read_anonymous_event(body, options=OPTIONS),
    "POST /api/v1/merge_customers": read_merge,
    "POST /api/v1/segments/{segment_id}/add_customers": lambda body: read_segment("7", body, id_type="id", action="a"),
    "POST /api/v1/segments/{segment_id}/remove_customers": lambda body: read_segment(
        "7", body, id_type="id", action="a"
    ),
}
WITH_BODY = [call for call in calls() if call.schema is not None]

UNKNOWN_NAMES = st.text(alphabet="xyzé_", min_size=1, max_size=5)
KNOWN_NAMES = st.sampled_from(["id", "email", "phone", "cio_id", "object_type_id", "object_id", "cio_object_id"])
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=20)
WRONG = SCALARS | st.lists(SCALARS, max_size=1) | st.dictionaries(UNKNOWN_NAMES, SCALARS, max_size=1)


def is_accepted(call: Call, body: object) -> bool:
    """Whether the sandbox's rules let the body of a call pass."""
    if call.name not in READERS:
        return isinstance(read_item(body, options=OPTIONS), Operation)
    try:
        READERS[call.name](body)
    except RefusedError:
        return False
    return True


def bodies(schema: Schema) -> st.SearchStrategy[Any]:
    """Draw whatever a schema allows, of the few words that the Track API's are written in."""
    kind = schema.get("type")
    if "oneOf" in schema:
        return st.one_of([bodies(each) for each in schema["oneOf"]])
    if isinstance(kind, list):
        return st.one_of([bodies(schema | {"type": each}) for each in kind])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return BY_TYPE[kind](schema)


def _objects(schema: Schema) -> st.SearchStrategy[Any]:
    parts = {name: bodies(part) for name, part in schema.get("properties", {}).items()}
    required = {name: parts.pop(name) for name in schema.get("required", [])}
    known = st.fixed_dictionaries(required, optional=parts)
    if "maxProperties" in schema:
        return known
    unknown = st.dictionaries(UNKNOWN_NAMES, bodies(schema.get("additionalProperties", {})), max_size=2)
    return st.builds(lambda some, others: some | others, known, unknown)


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(str(schema["pattern"]), fullmatch=True)
    # A limit is in bytes, of which a character has up to four.
    size_max = schema.get("maxLength", 200) // 4
    return st.text(st.characters(codec="utf-8"), min_size=schema.get("minLength", 0), max_size=size_max)


BY_TYPE: dict[str | None, Callable[[Schema], st.SearchStrategy[Any]]] = {
    None: lambda _: SCALARS | st.lists(SCALARS, max_size=2),
    "object": _objects,
    "array": lambda schema: st.lists(bodies(schema["items"]), min_size=schema.get("minItems", 0), max_size=3),
    "string": _texts,
    "integer": lambda schema: st.integers(-(2**53), schema.get("maximum", 2**53)),
    "number": lambda _: NUMBERS,
    "boolean": lambda _: st.booleans(),
    "null": lambda _: st.none(),
}
BODIES = {call.name: bodies(call.schema) for call in calls() if call.schema is not None}


def spoil(data: st.DataObject, body: Any) -> Any:  # noqa: ANN401 - any JSON
    """Leave out, replace or add one part of a body, at any depth."""
    way = data.draw(st.integers(0, 5))
    if not isinstance(body, dict | list) or not body or way == 0:
        return data.draw(WRONG)
    if isinstance(body, dict) and way == 1:
        return data.draw(st.dictionaries(KNOWN_NAMES, WRONG, min_size=1, max_size=1)) | body
    key = data.draw(st.sampled_from(sorted(body) if isinstance(body, dict) else range(len(body))))
    if isinstance(body, list):
        return [*body[:key], spoil(data, body[key]), *body[key + 1 :]]
    others = {name: part for name, part in body.items() if name != key}
    return others if data.draw(st.booleans()) else others | {key: spoil(data, body[key])}


@pytest.mark.parametrize("call", WITH_BODY, ids=str)
@given(data=st.data())
def test_what_the_openapi_allows_is_accepted(call: Call, data: st.DataObject) -> None:
    """Any body that fits the schema is accepted."""
    body = data.draw(BODIES[call.name])

    assert call.allows(body)
    assert is_accepted(call, body)


@pytest.mark.parametrize("call", WITH_BODY, ids=str)
@given(data=st.data())
def test_what_the_openapi_does_not_allow_is_refused(call: Call, data: st.DataObject) -> None:
    """A body with one part spoilt is refused, unless it still fits the schema."""
    body = spoil(data, data.draw(BODIES[call.name]))
    assume(not call.allows(body))

    assert not is_accepted(call, body)
