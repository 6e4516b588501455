"""What goes wrong with a send on a real socket: what a client sees, and whether the message went out."""

from collections.abc import Iterator

import httpx
import pytest

from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox

EMAIL = {"identifiers": {"id": "u-1"}, "to": "ada@example.com", "transactional_message_id": 3}
BROKEN = (httpx.ReadError, httpx.RemoteProtocolError)
"""A reset reaches a client as either, depending on who notices first."""


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Yield a client of a served sandbox, with the App key."""
    headers = {"authorization": "Bearer app-key"}
    with (
        running_sandbox(SandboxOptions(app_api_key="app-key")) as url,
        httpx.Client(base_url=url, headers=headers, timeout=5) as made,
    ):
        yield made


def switch(client: httpx.Client, kind: str) -> None:
    """Let the next send go wrong so, quickly."""
    faults = {"rate": 1, "kinds": [kind], "paths": ["/v1/send/"], "count": 1, "hang_s": 0.1, "slow_s": 0.2}
    client.put("/sandbox/faults", json=faults).raise_for_status()


def sent(client: httpx.Client) -> int:
    """How many messages went out."""
    return len(client.get("/sandbox/outbox").text.splitlines())


@pytest.mark.parametrize(("kind", "count"), [("reset_before", 0), ("hang", 0), ("reset_after", 1), ("cut_body", 1)])
def test_a_broken_connection_says_nothing_about_the_message(client: httpx.Client, kind: str, count: int) -> None:
    """The client cannot tell these apart; the outbox can."""
    switch(client, kind)
    with pytest.raises(BROKEN):
        client.post("/v1/send/email", json=EMAIL)

    assert sent(client) == count
    assert client.post("/v1/send/email", json=EMAIL).json()["delivery_id"]


@pytest.mark.parametrize(("kind", "count"), [("html", 0), ("empty", 1), ("truncated", 1)])
def test_a_success_may_be_unreadable(client: httpx.Client, kind: str, count: int) -> None:
    """A 200 without a delivery id, of a message that went out or did not."""
    switch(client, kind)
    answer = client.post("/v1/send/email", json=EMAIL)

    assert answer.status_code == 200
    assert b'"delivery_id":"sandbox-000000000001","queued_at"' not in answer.content
    assert sent(client) == count


@pytest.mark.parametrize(("kind", "status", "count"), [("503", 503, 0), ("524", 524, 0), ("slow", 200, 1)])
def test_a_send_that_fails_is_not_sent_and_a_slow_one_is(
    client: httpx.Client, kind: str, status: int, count: int
) -> None:
    """The proxy speaks HTML here too."""
    switch(client, kind)
    answer = client.post("/v1/send/email", json=EMAIL)

    assert answer.status_code == status
    assert sent(client) == count
    assert ("<html>" in answer.text) == (status != 200)


def test_a_client_that_gives_up_does_not_take_its_message_back(client: httpx.Client) -> None:
    """A time-out after the message was sent is no failure to send."""
    switch(client, "slow")
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/send/email", json=EMAIL, timeout=0.05)

    assert sent(client) == 1
