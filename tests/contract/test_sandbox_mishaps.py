"""Every kind of fault on a real socket: what a client sees of it, and what was applied."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from schemas.failure_model import SANDBOX_FAULTS
from streams.sandbox.serve import running_sandbox

IDENTIFY = {"type": "person", "action": "identify", "attributes": {"plan": "pro"}}
BATCH = {"batch": [{**IDENTIFY, "identifiers": {"id": f"u-{number}"}} for number in range(3)]}
ALL = ["u-0", "u-1", "u-2"]
SLOW_S = 0.3

Check = Callable[[httpx.Response], bool]


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Yield a client of a served sandbox, which follows no redirect."""
    with running_sandbox() as url, httpx.Client(base_url=url, auth=("site", "key"), timeout=5) as made:
        yield made


@dataclass(frozen=True)
class Seen:
    """A status, or the error of a client that gets none; more about the answer; and who is there afterwards."""

    what: int | type[httpx.TransportError]
    check: Check = lambda _answer: True
    applied: tuple[str, ...] = ()


def is_html(answer: httpx.Response) -> bool:
    """Whether a page came."""
    return answer.headers["content-type"].startswith("text/html") and "<html>" in answer.text


def names_the_version(answer: httpx.Response) -> bool:
    """Whether the error is in the envelope of Track v2."""
    (error,) = answer.json()["errors"]
    return bool(error.keys() == {"reason", "field", "message"})


def is_unauthorised(answer: httpx.Response) -> bool:
    """Whether it is the one for wrong credentials."""
    return bool(answer.json()["meta"]["error"])


def is_elsewhere(answer: httpx.Response) -> bool:
    """Whether it leads to the host of the other region, path and query as they were."""
    told = {"errors": [{"detail": "wrong datacenter", "status": str(answer.status_code)}]}
    location = "https://track-eu.customer.io/api/v2/batch?from=test"
    return answer.headers["location"] == location and answer.json() == told


def body_is(body: bytes) -> Check:
    """Whether the body is this, to the byte."""
    return lambda answer: answer.content == body


def names(*indexes: int) -> Check:
    """Whether the errors name these items."""
    return lambda answer: [error["batch_index"] for error in answer.json()["errors"]] == list(indexes)


def is_cut_off(answer: httpx.Response) -> bool:
    """Whether JSON begins and does not end, in a body that is as long as announced."""
    return answer.content.startswith(b'{"errors":[{') and not answer.content.rstrip().endswith(b"}")


EXPECTED = {
    "slow": Seen(200, body_is(b"{}\n"), applied=(*ALL,)),
    "slow_body": Seen(200, body_is(b"{}\n"), applied=(*ALL,)),
    "drop": Seen(200, body_is(b"{}\n")),
    "errors_in_200": Seen(200, names(0), applied=("u-1", "u-2")),
    "index_out_of_range": Seen(207, names(3), applied=(*ALL,)),
    "index_twice": Seen(207, names(0, 0), applied=(*ALL,)),
    "truncated_207": Seen(207, is_cut_off, applied=(*ALL,)),
    **{status: Seen(int(status), names_the_version) for status in ("400", "413", "422", "404", "403", "429")},
    **{status: Seen(int(status), names_the_version) for status in ("408", "500")},
    **{status: Seen(int(status), is_html) for status in ("502", "503", "504", "522", "524")},
    **{status: Seen(int(status), is_elsewhere) for status in ("301", "307", "308")},
    "401": Seen(401, is_unauthorised),
    "reset_before": Seen(httpx.ReadError),
    "reset_after": Seen(httpx.ReadError, applied=(*ALL,)),
    "hang": Seen(httpx.ReadError),
    "cut_body": Seen(httpx.RemoteProtocolError, applied=(*ALL,)),
    "html": Seen(200, is_html),
    "empty": Seen(200, body_is(b""), applied=(*ALL,)),
    "truncated": Seen(200, body_is(b"{"), applied=(*ALL,)),
}


def switch(client: httpx.Client, **faults: Any) -> None:  # noqa: ANN401 - the faults' own
    """Let everything go wrong so, quickly."""
    client.put("/sandbox/faults", json={"rate": 1, "slow_s": SLOW_S, "hang_s": 0.1} | faults).raise_for_status()


def applied(client: httpx.Client) -> tuple[str, ...]:
    """Who is there."""
    return tuple(each for each in ALL if client.get(f"/sandbox/people/{each}").status_code == 200)


def test_every_kind_is_expected() -> None:
    """A new kind of the failure model without a line here fails."""
    assert set(EXPECTED) == set(SANDBOX_FAULTS)


@pytest.mark.parametrize("kind", SANDBOX_FAULTS)
def test_a_client_sees_what_the_kind_says(client: httpx.Client, kind: str) -> None:
    """The answer or the error, and exactly what was applied; afterwards the sandbox is well again."""
    expected = EXPECTED[kind]
    switch(client, kinds=[kind], count=1)
    if isinstance(expected.what, int):
        answer = client.post("/api/v2/batch?from=test", json=BATCH)
        assert answer.status_code == expected.what
        assert expected.check(answer)
    else:
        with pytest.raises(expected.what):
            client.post("/api/v2/batch?from=test", json=BATCH)
    there, state = applied(client), client.get("/sandbox/state").json()
    (request,) = client.get("/sandbox/requests").text.splitlines()

    assert (there, state["faults"]) == (expected.applied, {kind: 1})
    assert f'"fault":"{kind}"' in request
    assert client.post("/api/v2/batch", json=BATCH).content == b"{}\n"


def first_and_last_s(client: httpx.Client) -> tuple[float, float]:
    """How long the headers took, and all."""
    started = time.monotonic()
    with client.stream("POST", "/api/v2/batch", json=BATCH) as answer:
        headers_s = time.monotonic() - started
        answer.read()
    return headers_s, time.monotonic() - started


def test_a_slow_answer_is_slow_from_its_headers_on(client: httpx.Client) -> None:
    """They come late, and the body with them."""
    switch(client, kinds=["slow"])
    headers_s, all_s = first_and_last_s(client)

    assert headers_s >= SLOW_S
    assert all_s - headers_s < SLOW_S


def test_a_slow_body_trickles(client: httpx.Client) -> None:
    """The headers come at once; no single wait is as long as the whole, so only a time for all notices."""
    switch(client, kinds=["slow_body"])
    headers_s, all_s = first_and_last_s(client)

    assert headers_s < SLOW_S <= all_s
    assert client.post("/api/v2/batch", json=BATCH, timeout=SLOW_S * 0.8).content == b"{}\n"


@pytest.mark.parametrize("kind", ["index_out_of_range", "index_twice", "truncated_207", "empty", "truncated"])
def test_what_is_refused_anyway_is_not_spoilt(client: httpx.Client, kind: str) -> None:
    """A success is spoilt; a refusal stays what it is."""
    switch(client, kinds=[kind])

    assert client.post("/api/v2/batch", json={"batch": {}}).json()["errors"][0]["field"] == "batch"


def test_items_that_are_bad_anyway_are_named_too(client: httpx.Client) -> None:
    """Errors in a 200 name the first item, and each bad one where it stood in the whole batch."""
    switch(client, kinds=["errors_in_200"])
    answer = client.post("/api/v2/batch", json={"batch": [*BATCH["batch"], {"type": "robot"}]})
    request = client.get("/sandbox/requests").text

    assert names(0, 3)(answer)
    assert '"items":4' in request


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/api/v2/entity", BATCH["batch"][0], {"errors"}),
        ("/api/v1/events", {"name": "visit", "anonymous_id": "a-1"}, {"meta"}),
        ("/api/v2/batch", {"batch": BATCH["batch"][:1]}, {"errors"}),
    ],
)
def test_the_only_item_is_refused_in_a_200(client: httpx.Client, path: str, body: Any, told: set[str]) -> None:  # noqa: ANN401 - JSON
    """In the envelope of its version, and nothing is applied."""
    switch(client, kinds=["errors_in_200"])
    answer = client.post(path, json=body)

    assert (answer.status_code, set(answer.json())) == (200, told)
    assert client.get("/sandbox/state").json()["accepted"] == 0


@pytest.mark.parametrize("body", [b"{", b'{"batch":[]}', b"[]"])
def test_where_there_is_no_item_none_is_refused(client: httpx.Client, body: bytes) -> None:
    """It is answered as it would be anyway."""
    usual = client.post("/api/v2/batch", content=body)
    switch(client, kinds=["errors_in_200"])
    answer = client.post("/api/v2/batch", content=body)

    assert (usual.status_code, usual.content) == (answer.status_code, answer.content)


def test_a_batch_that_is_refused_whole_is_not_taken_in_part(client: httpx.Client) -> None:
    """Wrong credentials stay a 401, also where only the first item was to be refused."""
    switch(client, kinds=["errors_in_200"])
    client.put("/sandbox/account", json={"track_api_key": "another"}).raise_for_status()

    assert client.post("/api/v2/batch", json=BATCH).status_code == 401


def test_every_call_can_go_wrong(client: httpx.Client) -> None:
    """Whatever the kind, a call without a body ends one way or another, and the sandbox lives."""
    for kind in SANDBOX_FAULTS:
        switch(client, kinds=[kind], slow_s=0)
        try:
            status: int | None = client.get("/api/v1/accounts/region").status_code
        except httpx.TransportError:
            status = None

        assert status != 500 or kind == "500"
    assert client.get("/sandbox/state").json()["faults"] == dict.fromkeys(SANDBOX_FAULTS, 1)
