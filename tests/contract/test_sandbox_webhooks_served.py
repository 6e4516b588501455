"""The sandbox's webhooks on a real socket, and what it makes of the answers."""

import hmac
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import orjson
import pytest

from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.sandbox.webhook_options import WebhookOptions
from tests.webhook_judge import faults
from tests.webhook_receiver import Answer, Receiver, running_receiver

QUICK = {"delivered": 0, "bounced": 0, "repeated": 0, "step_s": 0, "hurry": 360_000, "retry_s": 0.001, "timeout_s": 0.2}
"""One webhook for each message, at once; an hour is a hundredth of a second, seven days are 1.7 s."""

PATIENCE_S = 15.0
RECEIPT = {"to": "ada@example.com", "identifiers": {"id": "u-1"}, "transactional_message_id": 3}
KEY = "a-signing-key"


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Yield a client of a served sandbox that has no receiver yet."""
    headers = {"authorization": "Bearer app-key"}
    with running_sandbox() as url, httpx.Client(base_url=url, headers=headers, timeout=5) as made:
        yield made


def report(client: httpx.Client, receiver: Receiver, **options: object) -> None:
    """Have it report to a receiver."""
    told = QUICK | {"url": receiver.url, "signing_key": KEY} | options
    client.put("/sandbox/webhooks", json=told).raise_for_status()


def send(client: httpx.Client, count: int = 1) -> None:
    """Send so many messages."""
    for _ in range(count):
        client.post("/v1/send/email", json=RECEIPT).raise_for_status()


def state(client: httpx.Client) -> dict[str, Any]:
    """What the sandbox says about its webhooks."""
    found: dict[str, Any] = client.get("/sandbox/state").json()["webhooks"]
    return found


def wait_for(client: httpx.Client, is_so: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
    """Wait until the state is as wanted."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so(found := state(client)):
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found


def event_ids(receiver: Receiver) -> list[str]:
    """Which came, in order."""
    return [orjson.loads(each.body)["event_id"] for each in receiver.received]


def test_a_webhook_comes_signed_and_as_described(client: httpx.Client) -> None:
    """The signature is that of the bytes as they came."""
    with running_receiver() as receiver:
        report(client, receiver)
        send(client)
        wait_for(client, lambda found: found["sent"] == 1)
    (received,) = receiver.received
    signed = b"v0:" + received.headers["x-cio-timestamp"].encode() + b":" + received.body

    assert received.path == "/webhooks/customerio"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["x-cio-signature"] == hmac.new(KEY.encode(), signed, "sha256").hexdigest()
    assert abs(int(received.headers["x-cio-timestamp"]) - time.time()) < 60
    assert faults(orjson.loads(received.body)) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (503, "503"),
        (500, "500"),
        (301, "301"),
        ("silence", "timeout"),
        ("close", "connection"),
        ("garbage", "connection"),
    ],
)
def test_what_is_no_success_is_tried_again_and_holds_the_others(
    client: httpx.Client, answer: Answer, expected: str
) -> None:
    """They come in their order, after the one that failed has come."""
    with running_receiver(answer, answer) as receiver:
        report(client, receiver)
        send(client, 3)
        found = wait_for(client, lambda found: found["sent"] == 3)
    ids = event_ids(receiver)

    assert found["failures"] == {expected: 2}
    assert ids == [ids[0], ids[0], ids[0], ids[3], ids[4]]
    assert len(set(ids)) == 3


def test_while_one_fails_the_others_are_held(client: httpx.Client) -> None:
    """The state and the page say so, and since when."""
    with running_receiver(*[500] * 100) as receiver:
        report(client, receiver, hurry=1)  # the next try is in an hour
        send(client, 3)
        found = wait_for(client, lambda found: found["waiting"] == 3 and found["failures"] != {})
        page = client.get("/").text

    assert (found["held"], found["sent"], found["failures"]) == (2, 0, {"500": 1})
    assert found["next_try_at"] >= found["failing_since"] + 3_600
    assert "the receiver fails since" in page
    assert len(receiver.received) == 1


def test_nobody_listening_is_a_connection_that_failed(client: httpx.Client) -> None:
    """It is told when somebody listens again, here at another address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client.put("/sandbox/webhooks", json=QUICK | {"url": f"http://127.0.0.1:{port}/"}).raise_for_status()
    send(client)
    wait_for(client, lambda found: found["failures"].get("connection", 0) > 0)
    with running_receiver() as receiver:
        report(client, receiver)
        wait_for(client, lambda found: found["sent"] == 1)

    assert len(receiver.received) == 1


def test_after_seven_days_a_webhook_is_given_up(client: httpx.Client) -> None:
    """The others then have their turn."""
    with running_receiver(*[500] * 1_000) as receiver:
        report(client, receiver, hurry=1_000_000)  # seven days are 0.6 s
        send(client)
        wait_for(client, lambda found: found["given_up"] == 1)
        receiver.answers.clear()
        send(client)
        found = wait_for(client, lambda found: found["sent"] == 1)
    first, *_, last = event_ids(receiver)

    assert (found["given_up"], found["waiting"], found["failing_since"]) == (1, 0, None)
    assert first != last


@pytest.mark.parametrize("signs_anew", [True, False])
def test_a_retry_is_signed_anew_or_not(client: httpx.Client, *, signs_anew: bool) -> None:
    """Either way the signature fits its time and the body."""
    with running_receiver(503) as receiver:
        report(client, receiver, signs_anew=signs_anew, retry_s=1.1, hurry=1)  # in another second
        send(client)
        wait_for(client, lambda found: found["sent"] == 1)
    times = {each.headers["x-cio-timestamp"] for each in receiver.received}
    signatures = {each.headers["x-cio-signature"] for each in receiver.received}

    assert len(receiver.received) == 2
    assert (len(times) > 1, len(signatures) > 1) == (signs_anew, signs_anew)


def test_a_repeat_comes_twice(client: httpx.Client) -> None:
    """Byte for byte the same body."""
    with running_receiver() as receiver:
        report(client, receiver, repeated=1)
        send(client)
        found = wait_for(client, lambda found: found["sent"] == 2)
    first, second = receiver.received

    assert found["repeated"] == 1
    assert first.body == second.body


def test_what_got_through_can_be_looked_up(client: httpx.Client) -> None:
    """With how many tries it took."""
    with running_receiver(503) as receiver:
        report(client, receiver)
        send(client)
        wait_for(client, lambda found: found["sent"] == 1)
        lines = client.get("/sandbox/webhooks/sent").text.splitlines()

    assert [orjson.loads(line) for line in lines] == [
        {"event_id": event_ids(receiver)[0], "object_type": "email", "metric": "sent", "tries": 2}
    ]


def test_an_outage_of_the_receiver_can_be_switched_off_and_on(client: httpx.Client) -> None:
    """Without a receiver nothing is prepared; what waited already waits on."""
    with running_receiver(*[503] * 3) as receiver:
        report(client, receiver)
        send(client)
        client.put("/sandbox/webhooks", json={"url": None}).raise_for_status()
        send(client)
        assert state(client)["is_on"] is False
        report(client, receiver)
        wait_for(client, lambda found: found["sent"] == 1)

    assert len(set(event_ids(receiver))) == 1


def test_the_key_is_not_shown(client: httpx.Client) -> None:
    """Whoever may see the switches may not forge webhooks."""
    client.put("/sandbox/webhooks", json={"signing_key": KEY}).raise_for_status()

    assert KEY not in client.get("/sandbox/webhooks").text


def test_a_wrong_option_changes_nothing(client: httpx.Client) -> None:
    """It is named."""
    wrong = {"url": "ftp://x", "opened": 2, "shut": 1, "signing_key": "a b"}
    answer = client.put("/sandbox/webhooks", json=wrong)

    assert answer.status_code == 400
    assert all(name in answer.json()["error"] for name in wrong)
    assert client.get("/sandbox/webhooks").json()["url"] is None


def test_a_sandbox_can_report_from_its_start() -> None:
    """Whatever the options say at the start holds."""
    with running_receiver() as receiver:
        options = WebhookOptions(url=receiver.url, step_s=0, delivered=0, bounced=0, repeated=0)
        headers = {"authorization": "Bearer app-key"}
        with (
            running_sandbox(SandboxOptions(webhooks=options)) as url,
            httpx.Client(base_url=url, headers=headers) as client,
        ):
            send(client)
            wait_for(client, lambda found: found["sent"] == 1)

    assert len(receiver.received) == 1
