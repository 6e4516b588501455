"""The sandbox's calls of the Track API v1 that change devices, merge people and fill segments, over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from streams.sandbox.app import create_app
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World
from tests.unit.sandbox_operations import NOW

ADA = "/api/v1/customers/u-1"
MERGE = "/api/v1/merge_customers"
SEGMENT = "/api/v1/segments/7"
DEVICE = {"id": "a/b", "platform": "ios", "last_used": 5, "attributes": {"push_enabled": "true", "shoe": "42"}}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a new sandbox."""
    options = SandboxOptions()
    transport = httpx.ASGITransport(app=create_app(World(options=options), options=options, clock=lambda: NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", auth=("site", "key")) as made:
        yield made


async def person(client: httpx.AsyncClient, name: str = "u-1") -> Any:  # noqa: ANN401 - any JSON
    """Return a person as the sandbox shows one."""
    return (await client.get(f"/sandbox/people/{name}")).json()


async def test_a_device_is_added_and_deleted_by_its_token(client: httpx.AsyncClient) -> None:
    """What v1 calls `id` is what v2 calls `token`; in the path it is percent-encoded."""
    added = await client.put(f"{ADA}/devices", json={"device": DEVICE})
    devices = (await person(client))["devices"]
    deleted = await client.delete(f"{ADA}/devices/a%2Fb")

    assert (added.status_code, deleted.status_code) == (200, 200)
    assert devices == [{"token": "a/b", "platform": "ios", "last_used": 5, "attributes": DEVICE["attributes"]}]
    assert (await person(client))["devices"] == []


async def test_a_device_belongs_to_one_call_for_v1_and_v2(client: httpx.AsyncClient) -> None:
    """A device added by v1 is deleted by v2."""
    await client.put(f"{ADA}/devices", json={"device": DEVICE})
    item = {"type": "person", "action": "delete_device", "identifiers": {"id": "u-1"}, "device": {"token": "a/b"}}
    await client.post("/api/v2/entity", json=item)

    assert (await person(client))["devices"] == []


async def test_a_merge_keeps_the_primary(client: httpx.AsyncClient) -> None:
    """The secondary is gone, its segments and what the primary lacked are the primary's."""
    await client.put(ADA, json={"plan": "pro"})
    await client.put("/api/v1/customers/u-2", json={"plan": "free", "city": "London"})
    await client.post(f"{SEGMENT}/add_customers", json={"ids": ["u-2"]})
    answer = await client.post(MERGE, json={"primary": {"id": "u-1"}, "secondary": {"id": "u-2"}})
    ada = await person(client)

    assert (answer.status_code, answer.content) == (200, b"{}\n")
    assert (ada["attributes"], ada["segments"]) == ({"plan": "pro", "city": "London"}, [7])
    assert (await client.get("/sandbox/people/u-2")).status_code == 404


@pytest.mark.parametrize("primary", [None, {}, {"id": "a", "email": "b"}, {"id": "a", "phone": "1"}, {"phone": "1"}])
async def test_a_merge_names_each_side_once(client: httpx.AsyncClient, primary: object) -> None:
    """Anything but one identifier is refused, in the envelope that v1 documents for this call only."""
    answer = await client.post(MERGE, json={"primary": primary, "secondary": {"id": "u-2"}})

    assert answer.status_code == 400
    assert answer.json()["meta"]["error"].startswith("primary ")


async def test_segments_take_people_by_any_identifier(client: httpx.AsyncClient) -> None:
    """`id_type` says what the ids are; whoever is unknown is ignored and not created."""
    await client.put(ADA, json={"email": "ada@example.com"})
    cio_id = (await person(client))["identifiers"]["cio_id"]
    for id_type, name, segment in [("id", "u-1", 1), ("email", "ADA@example.com", 2), ("cio_id", cio_id, 3)]:
        path = f"/api/v1/segments/{segment}/add_customers?id_type={id_type}"
        assert (await client.post(path, json={"ids": [name, "stranger"]})).status_code == 200
    everywhere = (await person(client))["segments"]
    await client.post("/api/v1/segments/2/remove_customers", json={"ids": ["u-1"]})

    assert (everywhere, (await person(client))["segments"]) == ([1, 2, 3], [1, 3])
    assert (await client.get("/sandbox/state")).json()["people"] == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{SEGMENT}/add_customers", {"ids": []}),
        (f"{SEGMENT}/add_customers", {"ids": ["u-1"] * 1001}),
        (f"{SEGMENT}/remove_customers", {"ids": [1]}),
        (f"{SEGMENT}/add_customers?id_type=phone", {"ids": ["u-1"]}),
        ("/api/v1/segments/seven/add_customers", {"ids": ["u-1"]}),
        (f"/api/v1/segments/{'9' * 5000}/add_customers", {"ids": ["u-1"]}),
    ],
)
async def test_segment_calls_may_be_refused(client: httpx.AsyncClient, path: str, body: object) -> None:
    """A segment is a number, and takes 1 to 1000 texts of a known kind."""
    answer = await client.post(path, json=body)

    assert answer.status_code == 400
    assert len(answer.json()["meta"]["errors"]) == 1


async def test_one_topic_can_change_alone(client: httpx.AsyncClient) -> None:
    """A dotted name changes one topic, the object replaces all."""
    name = "cio_subscription_preferences"
    shown = []
    for body in (
        {name: {"topics": {"topic_1": True, "topic_2": True}}},
        {f"{name}.topics.topic_1": False},
        {name: {"topics": {"topic_3": True}}},
        {name: None},
        {f"{name}.topics.topic_4": True},
        {name: {"topics": {"topic_5": True}}, f"{name}.topics.topic_6": True},
    ):
        await client.put(ADA, json=body)
        shown.append((await person(client))["attributes"].get(name, {}).get("topics"))

    assert shown == [
        {"topic_1": True, "topic_2": True},
        {"topic_1": False, "topic_2": True},
        {"topic_3": True},
        None,
        {"topic_4": True},
        {"topic_5": True, "topic_6": True},
    ]


async def test_credentials_are_needed(client: httpx.AsyncClient) -> None:
    """Each of these calls is a 401 without them."""
    for method, path in [("PUT", f"{ADA}/devices"), ("POST", MERGE), ("POST", f"{SEGMENT}/add_customers")]:
        assert (await client.request(method, path, json={}, auth=httpx.Auth())).status_code == 401
