"""The sandbox's calls over HTTP, without a network: what is accepted, and the exact answers."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from streams.sandbox.app import create_app
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World

IDENTIFY = {"type": "person", "action": "identify", "identifiers": {"id": "u-1"}, "attributes": {"plan": "pro"}}


def make_client(**options: Any) -> httpx.AsyncClient:  # noqa: ANN401 - options' own
    """Build a client of a new sandbox."""
    chosen = SandboxOptions(**options)
    app = create_app(World(options=chosen), options=chosen, clock=lambda: 1_700_000_000.5)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox", auth=("site", "key"))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a sandbox that keeps its log."""
    async with make_client(keep_log=True) as made:
        yield made


async def test_success_is_answered_to_the_byte(client: httpx.AsyncClient) -> None:
    """An accepted request is answered with `{}` and a line feed, under the headers of the real one."""
    answer = await client.post("/api/v2/entity", json=IDENTIFY)

    assert (answer.status_code, answer.content) == (200, b"{}\n")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache, no-store, must-revalidate, max-age=0"
    assert tuple(answer.headers[name] for name in ("access-control-allow-origin", "status", "content-length")) == (
        "*",
        "200 OK",
        "3",
    )


async def test_a_good_batch_is_a_200(client: httpx.AsyncClient) -> None:
    """A batch without bad items, also an empty one, is answered like any success."""
    for batch in ([IDENTIFY, IDENTIFY], []):
        answer = await client.post("/api/v2/batch", json={"batch": batch})

        assert (answer.status_code, answer.content) == (200, b"{}\n")


async def test_a_bad_item_makes_a_207_and_the_others_count(client: httpx.AsyncClient) -> None:
    """A 207 names each bad item once, by its index; the others are applied."""
    batch = [{"type": "robot"}, IDENTIFY, {**IDENTIFY, "attributes": {"city": "x" * 1001}}]
    answer = await client.post("/api/v2/batch", json={"batch": batch})

    assert answer.status_code == 207
    assert [(error["batch_index"], error["field"]) for error in answer.json()["errors"]] == [
        (0, "type"),
        (2, "attributes.city"),
    ]
    assert {"batch_index", "reason", "field", "message"} == set(answer.json()["errors"][0])
    assert (await client.get("/sandbox/people/u-1")).status_code == 200
    state = (await client.get("/sandbox/state")).json()
    assert (state["accepted"], state["refused"]) == (1, 2)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"batch":{}}', b"[]", b'{"batch":[NaN]}', b'{"batch":["\\ud800"]}', b'{"batch":["\xff"]}']
)
async def test_a_malformed_batch_is_refused_whole(client: httpx.AsyncClient, body: bytes) -> None:
    """What is not strict JSON, or has no batch, is a 400 without index, and nothing of it counts."""
    answer = await client.post("/api/v2/batch", content=body)

    assert answer.status_code == 400
    assert {"reason", "field", "message"} == set(answer.json()["errors"][0])


async def test_a_batch_of_500_kb_is_the_largest(client: httpx.AsyncClient) -> None:
    """A batch is measured as it was sent; one byte more is refused whole."""
    body = orjson.dumps({"batch": [IDENTIFY]})
    full = body + b" " * (500_000 - len(body))

    assert (await client.post("/api/v2/batch", content=full)).status_code == 200
    assert (await client.post("/api/v2/batch", content=full + b" ")).status_code == 400
    assert (await client.get("/sandbox/state")).json()["accepted"] == 1


async def test_the_status_of_an_oversized_request_is_an_option() -> None:
    """Customer.io does not document whether it is a 400 or a 413."""
    async with make_client(oversize_status=413) as client:
        assert (await client.post("/api/v2/entity", content=b" " * 32_001)).status_code == 413


async def test_an_entity_that_is_invalid_is_a_400(client: httpx.AsyncClient) -> None:
    """A single operation is refused in the same words, without an index."""
    answer = await client.post("/api/v2/entity", json={**IDENTIFY, "action": "mobile"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "action")


async def test_v1_calls_act_on_the_person_in_the_path(client: httpx.AsyncClient) -> None:
    """Identify, event, suppress, unsuppress and delete work as a user would try them with curl."""
    path = "/api/v1/customers/a%2Fb%40c%20d"
    calls = [
        await client.put(path, json={"plan": "pro"}),
        await client.post(f"{path}/events", json={"name": "sale", "data": {"total": 1}}),
        await client.post(f"{path}/suppress"),
        await client.put(path, json={"plan": "pro"}),
        await client.post(f"{path}/unsuppress"),
        await client.delete(path),
    ]
    log = [orjson.loads(line) for line in (await client.get("/sandbox/log")).text.splitlines()]

    assert {(200, b"{}\n")} == {(call.status_code, call.content) for call in calls}
    assert {"a/b@c d"} == {entry["identifier"]["email"] for entry in log}
    assert [entry["why"] for entry in log] == [None, None, None, "suppressed", None, "unknown_person"]


async def test_v1_refusals_have_the_v1_envelope(client: httpx.AsyncClient) -> None:
    """A v1 call answers a broken rule with `meta.errors`."""
    answer = await client.post("/api/v1/events", json={"anonymous_id": "anon-1"})

    assert (answer.status_code, answer.json()) == (400, {"meta": {"errors": ["event name must not be blank"]}})


async def test_an_anonymous_event_is_counted(client: httpx.AsyncClient) -> None:
    """`POST /api/v1/events` takes an event of an anonymous id."""
    await client.post("/api/v1/events", json={"name": "visit", "anonymous_id": "anon-1"})

    assert (await client.get("/sandbox/state")).json()["anonymous_events"] == 1


async def test_the_region_is_told() -> None:
    """`/accounts/region` answers with the region of the account."""
    async with make_client(region="eu") as client:
        region = (await client.get("/api/v1/accounts/region")).json()

    assert region == {"url": "https://track-eu.customer.io", "region": "eu", "environment_id": 1}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer abc",
        "Basic",
        "Basic !!",
        "Basic é",
        f"Basic {base64.b64encode(b':key').decode()}",
        f"Basic {base64.b64encode(b'site:').decode()}",
    ],
)
async def test_credentials_are_needed(client: httpx.AsyncClient, header: str) -> None:
    """Without a site id and a key a call is a 401 and has no effect."""
    headers = {b"authorization": header.encode()}
    answer = await client.post("/api/v2/batch", json={"batch": [IDENTIFY]}, headers=headers, auth=httpx.Auth())

    assert answer.status_code == 401
    assert (await client.get("/sandbox/state")).json()["accepted"] == 0


async def test_exact_credentials_may_be_demanded() -> None:
    """With credentials in the options, others are a 401; the URL-safe alphabet of base64 is accepted."""
    async with make_client(site_id="??>>", track_api_key="k") as client:
        right = base64.urlsafe_b64encode(b"??>>:k").decode()
        wrong = base64.b64encode(b"other:k").decode()
        path = "/api/v1/accounts/region"

        answers = [
            await client.get(path, headers={"authorization": f"Basic {token}"}, auth=httpx.Auth())
            for token in (right, wrong)
        ]

    assert [answer.status_code for answer in answers] == [200, 401]


async def test_unknown_calls_are_a_404(client: httpx.AsyncClient) -> None:
    """A path that is not simulated is a 404, a wrong method a 405, a trailing slash no redirect."""
    statuses = [
        (await client.get("/api/v1/nothing")).status_code,
        (await client.get("/api/v2/batch")).status_code,
        (await client.post("/api/v2/batch/")).status_code,
    ]

    assert statuses == [404, 405, 404]
