"""Who may call the App API of the sandbox, how often, from which region, and how its calls go wrong."""

from typing import Any

import httpx
import pytest

from tests.unit.app_sandbox import EMAIL, NOW, Sandbox

IDS = {"ids": ["u-1"], "id_ignore_missing": True}
TRIGGERS = "/v1/campaigns/12/triggers"
PROBE = "/v1/transactional"


async def statuses(sandbox: Sandbox, method: str, path: str, *, count: int) -> list[int]:
    """Make a call so many times at once."""
    body = EMAIL if "send" in path else IDS
    return [(await sandbox.client.request(method, path, json=body)).status_code for _ in range(count)]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer app-key", 200),
        ("bearer app-key", 200),
        ("Bearer track-key", 401),
        ("Bearer ", 401),
        ("", 401),
        (httpx.BasicAuth("site", "app-key")._auth_header, 401),
    ],
)
async def test_only_the_app_key_is_accepted_and_only_as_a_bearer(authorization: str, status: int) -> None:
    """The Track API's credentials are of another kind; a wrong key sends nothing."""
    sandbox = Sandbox(app_api_key="app-key", track_api_key="track-key")
    answers = [
        await sandbox.client.request(method, path, json=EMAIL, headers={"authorization": authorization})
        for method, path in (("POST", "/v1/send/email"), ("GET", PROBE))
    ]

    assert [answer.status_code for answer in answers] == [status, status]
    assert len(await sandbox.outbox()) == (status == 200)
    if status == 401:
        assert [list(answer.json()) for answer in answers] == [["meta"], ["errors"]]


@pytest.mark.parametrize("name", ["workspaces", "transactional", "broadcasts"])
async def test_a_read_changes_nothing(name: str) -> None:
    """It shows that host and key are right."""
    sandbox = Sandbox()
    answer = await sandbox.client.get(f"/v1/{name}")

    assert (answer.status_code, len(sandbox.world.people), await sandbox.outbox()) == (200, 0, [])


async def test_a_bearer_is_no_credential_of_the_track_api() -> None:
    """Each API has its own kind."""
    assert (await Sandbox().client.post("/api/v2/batch", json={"batch": []})).status_code == 401


async def test_the_app_key_changes_while_it_runs() -> None:
    """A revoked key is refused until it is accepted again; the key is never shown."""
    sandbox = Sandbox()
    seen = []
    for key in ("another", "app-key", None):
        changed = await sandbox.client.put("/sandbox/account", json={"app_api_key": key})
        seen.append(((await sandbox.send()).status_code, changed.json()["app_api_key"]))

    assert seen == [(401, "**********"), (200, "**********"), (200, None)]


@pytest.mark.parametrize(
    ("call", "limits", "count", "retry_after", "named"),
    [
        (("GET", PROBE), {}, 10, "1", "10 requests per 1s"),
        (("GET", "/v1/broadcasts/12/triggers"), {"app_limit_per_s": 2}, 2, "1", "2 requests per 1s"),
        (("POST", "/v1/send/email"), {"send_limit_per_s": 3}, 3, "1", "3 requests per 1s"),
        (("POST", TRIGGERS), {}, 1, "10", "1 requests per 10s"),
        (("POST", TRIGGERS), {"broadcast_every_s": 2.5}, 1, "3", "1 requests per 2.5s"),
    ],
)
async def test_a_limit_is_a_429_that_says_when(
    call: tuple[str, str], limits: dict[str, Any], count: int, retry_after: str, named: str
) -> None:
    """What exceeds it has the documented body and header, and fits again after that time."""
    sandbox = Sandbox()
    await sandbox.client.put("/sandbox/faults", json=limits)
    within = await statuses(sandbox, *call, count=count)
    answer = await sandbox.client.request(*call, json=EMAIL)
    sandbox.now += int(retry_after)

    assert within == [200] * count
    assert (answer.status_code, answer.headers["retry-after"]) == (429, retry_after)
    assert answer.json() == {"errors": [{"detail": f"rate limited to {named} (reference sandbox)", "status": "429"}]}
    assert await statuses(sandbox, *call, count=1) == [200]


async def test_each_limit_counts_for_itself() -> None:
    """Sends are not limited by default, a trigger counts for no other limit, and zero lifts a limit."""
    sandbox = Sandbox()
    seen = [
        await statuses(sandbox, "POST", "/v1/send/email", count=20),
        await statuses(sandbox, "POST", TRIGGERS, count=2),
        await statuses(sandbox, "GET", PROBE, count=11),
    ]
    await sandbox.client.put("/sandbox/faults", json={"broadcast_every_s": 0, "app_limit_per_s": 0})
    lifted = [await statuses(sandbox, "POST", TRIGGERS, count=3), await statuses(sandbox, "GET", PROBE, count=20)]

    assert seen == [[200] * 20, [200, 429], [200] * 10 + [429]]
    assert lifted == [[200] * 3, [200] * 20]
    assert sandbox.now == NOW


async def test_the_time_of_a_retry_may_be_another() -> None:
    """As with every 429 of the sandbox."""
    sandbox = Sandbox()
    await sandbox.client.put("/sandbox/faults", json={"retry_after_s": 77})
    await statuses(sandbox, "POST", TRIGGERS, count=1)

    assert (await sandbox.client.post(TRIGGERS, json=IDS)).headers["retry-after"] == "77"


@pytest.mark.parametrize("status", [301, 307, 308])
async def test_an_account_of_the_other_region_is_redirected_to_its_app_host(status: int) -> None:
    """With the body that was seen; nothing is sent."""
    sandbox = Sandbox(account_region="eu", wrong_region_status=status)
    answer = await sandbox.send()

    assert (answer.status_code, answer.headers["location"]) == (status, "https://api-eu.customer.io/v1/send/email")
    assert answer.json() == {"errors": [{"detail": "wrong datacenter", "status": str(status)}]}
    assert await sandbox.outbox() == []


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("500", 500, b'{"meta":{"error":"internal server error (reference sandbox)"}}\n'),
        ("429", 429, b'{"meta":{"error":"too many requests (reference sandbox)"}}\n'),
        ("401", 401, b'{"meta":{"error":"Unauthorized request"}}\n'),
        ("errors_in_200", 200, b'{"meta":{"error":"refused as a fault of the sandbox"}}\n'),
        ("drop", 200, b'{"delivery_id":"dropped-000000000001","queued_at":1700000000}\n'),
    ],
)
async def test_a_fault_has_the_form_of_the_app_api_and_sends_nothing(kind: str, status: int, body: bytes) -> None:
    """A fault is drawn for these calls as for those of the Track API."""
    sandbox = Sandbox()
    await sandbox.client.put("/sandbox/faults", json={"rate": 1, "kinds": [kind], "paths": ["/v1/send"], "count": 1})
    answer = await sandbox.send()

    assert (answer.status_code, answer.content) == (status, body)
    assert await sandbox.outbox() == []
    assert (await sandbox.send()).status_code == 200


async def test_a_dropped_trigger_is_answered_like_any() -> None:
    """And a fault of another call has the general envelope."""
    sandbox = Sandbox()
    await sandbox.client.put("/sandbox/faults", json={"rate": 1, "kinds": ["drop"]})
    dropped = await sandbox.client.post(TRIGGERS, json=IDS)
    await sandbox.client.put("/sandbox/faults", json={"kinds": ["500"]})
    failed = await sandbox.client.get(PROBE)

    assert dropped.json() == {"id": 1}
    assert failed.json() == {"errors": [{"detail": "internal server error (reference sandbox)", "status": "500"}]}


async def test_a_fault_is_aimed_at_one_message() -> None:
    """By what its body contains; a spoilt answer of one that was sent is a 200 without a readable body."""
    sandbox = Sandbox()
    await sandbox.client.put("/sandbox/faults", json={"rate": 1, "kinds": ["truncated"], "containing": '"u-2"'})
    sent = [await sandbox.send(EMAIL | {"identifiers": {"id": each}}) for each in ("u-1", "u-2")]

    assert [answer.content.endswith(b"}\n") for answer in sent] == [True, False]
    assert len(await sandbox.outbox()) == 2


async def test_requests_of_the_app_api_are_noted() -> None:
    """Also those that a limit stopped, and without the key."""
    sandbox = Sandbox()
    await statuses(sandbox, "POST", TRIGGERS, count=2)
    requests = (await sandbox.client.get("/sandbox/requests")).text
    state = (await sandbox.client.get("/sandbox/state")).json()

    assert state["faults"] == {"broadcast_limit": 1}
    assert requests.count(TRIGGERS) == 2
    assert "app-key" not in requests


async def test_what_is_not_simulated_is_a_404_in_the_envelope_of_its_kind() -> None:
    """A send over a channel that there is not, and another call."""
    client = Sandbox().client
    answers = [await client.post("/v1/send/fax", json={}), await client.get("/v1/nothing")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert [list(answer.json()) for answer in answers] == [["meta"], ["errors"]]
