"""The sandbox against the official OpenAPI: every call of it, whole, and with each of its parts spoilt."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from streams.sandbox.app import create_app
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World
from tests.track_openapi import NOT_SIMULATED, Call, Schema, calls, endpoints

# By e-mail, because a person named by id cannot be given another id.
PATH_PARTS = {"identifier": "ada%40example.com", "device_id": "t-1", "segment_id": "7"}
WRONG: list[Any] = [None, True, 5, 5.5, "robot", "", [], [5], {}, {"something": 5}]
"""One of each type; whether it is wrong in its place, the OpenAPI says."""

NAMES = ("id", "email", "cio_id", "object_id", "cio_object_id")
"""Nobody is named twice."""

WITH_BODY = [call for call in calls() if call.schema is not None]
V2 = [call for call in calls() if call.path == "/api/v2/entity"]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a new sandbox, as it is by default."""
    options = SandboxOptions()
    app = create_app(World(options=options), options=options)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", auth=("site", "key")) as made:
        yield made


async def ask(client: httpx.AsyncClient, call: Call, body: object = None) -> httpx.Response:
    """Make a call, with a body where it has one."""
    path = call.path.format_map(PATH_PARTS)
    if call.schema is None:
        return await client.request(call.method, path)
    return await client.request(call.method, path, json=body)


def example(schema: Schema) -> Any:  # noqa: ANN401 - any JSON
    """Build a body with every part that the schema names; of alternatives, the first."""
    if "oneOf" in schema:
        return example(schema["oneOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "object":
        return {name: example(part) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema["items"])]
    if "pattern" in schema and schema["pattern"].startswith("^"):
        return "0" * 26
    return {"integer": 7, "boolean": True}.get(kind, "words") if isinstance(kind, str) else "words"


def spoilt(body: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON
    """Yield copies of a body, each with one part left out, replaced or added, and where that was."""
    for wrong in WRONG:
        yield f"= {wrong!r}", wrong
    for name in NAMES if isinstance(body, dict) else ():
        yield f" with {name}", {name: "more"} | body
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, part in parts:
        if isinstance(body, dict):
            yield f".{key} left out", {name: value for name, value in body.items() if name != key}
        for place, other in spoilt(part):
            yield f".{key}{place}", {**body, key: other} if isinstance(body, dict) else [other]


def is_documented_refusal(call: Call, answer: httpx.Response) -> bool:
    """Whether an answer is a 400 in the form that the call documents."""
    if answer.status_code != 400:
        return False
    shown = answer.json()
    if call.path == "/api/v1/merge_customers":
        return isinstance(shown["meta"]["error"], str)
    if call.path.startswith("/api/v1/"):
        return all(isinstance(error, str) for error in shown["meta"]["errors"])
    return [{"reason", "field", "message"}] == [set(error) for error in shown["errors"]]


def test_every_endpoint_is_simulated_or_named() -> None:
    """What the OpenAPI has and the sandbox has not is written down, and nothing is missed unseen."""
    simulated = {f"{call.method} {call.path}" for call in calls()} | {"POST /api/v2/batch"}

    assert endpoints() == simulated | NOT_SIMULATED
    assert {"person merge", "object identify_anonymous", "delivery event"} < {call.name for call in calls()}


@pytest.mark.parametrize("call", calls(), ids=str)
async def test_a_valid_call_is_accepted(client: httpx.AsyncClient, call: Call) -> None:
    """A call with every documented part is a 200."""
    body = None if call.schema is None else example(call.schema)
    answer = await ask(client, call, body)

    assert call.schema is None or call.allows(body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("call", WITH_BODY, ids=str)
async def test_what_the_openapi_refuses_is_refused(client: httpx.AsyncClient, call: Call) -> None:
    """Each required part left out and each part of a wrong type is a 400 in the documented form; the rest is a 200."""
    assert call.schema is not None
    refused, wrong = 0, []
    for place, body in spoilt(example(call.schema)):
        answer = await ask(client, call, body)
        refused += answer.status_code == 400
        is_right = answer.status_code == 200 if call.allows(body) else is_documented_refusal(call, answer)
        if not is_right:
            wrong.append(f"{place}: {answer.status_code} {answer.text.strip()}")

    assert wrong == []
    assert refused > 5


@pytest.mark.parametrize("call", V2, ids=str)
async def test_a_batch_refuses_the_same_items(client: httpx.AsyncClient, call: Call) -> None:
    """In a batch each of them is named by its index, once, and the others are accepted."""
    assert call.schema is not None
    items = [body for _, body in spoilt(example(call.schema))]
    answer = await client.post("/api/v2/batch", json={"batch": items})
    errors = answer.json()["errors"]

    assert answer.status_code == 207
    assert {"batch_index", "reason", "field", "message"} == set(errors[0])
    assert [error["batch_index"] for error in errors] == [
        index for index, item in enumerate(items) if not call.allows(item)
    ]


@pytest.mark.parametrize("body", WRONG, ids=repr)
async def test_a_batch_is_an_object_with_an_array(client: httpx.AsyncClient, body: object) -> None:
    """Anything but `{"batch": [...]}` is a 400 without index."""
    for sent in (body, {"batch": body}):
        answer = await client.post("/api/v2/batch", json=sent)

        if sent not in ({"batch": []}, {"batch": [5]}):
            assert is_documented_refusal(V2[0], answer)
