"""The receiver and the import as commands, on a real Kafka: what is answered 2xx is on the topic."""

import asyncio
import gzip
import json
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import orjson
import pytest

from streams.kafka.clients import connected_admin
from streams.kafka.topic_plan import PERSON_STATUS, WEBHOOKS
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration.webhook_process import READY, ReceiverProcess, Traffic, environment, headers_of, stored
from tests.scraped import is_as_declared
from tests.webhook_client import Connection, ask, make_body, make_request, signed_headers
from tests.webhook_openapi import official_payloads

ROUTED = {"unsubscribed", "bounced", "spammed", "cio_subscription_preferences_changed"}


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give topics of our own."""
    return settings_factory()


async def send_all(port: int, bodies: list[bytes]) -> set[int]:
    """By several connections; the answers."""

    async def send(part: list[bytes]) -> set[int]:
        async with await Connection.open(port) as connection:
            return {await connection.ask(make_request(body)) for body in part}

    return set().union(*await asyncio.gather(*(send(bodies[first::20]) for first in range(20))))


def run(settings: Settings, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        env=environment(settings, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_official_payload_is_stored_and_routed(settings: Settings, tmp_path: Path) -> None:
    """Byte for byte, keyed by the person, described by headers; a person's status once more, without e-mail."""
    payloads = [tree | {"event_id": name} for name, tree in official_payloads().items()]
    bodies = [json.dumps(tree).encode() for tree in payloads]
    with ReceiverProcess(settings, tmp_path / "log") as receiver:
        receiver.wait_until_it_says(READY)
        assert {200} == asyncio.run(send_all(receiver.port, bodies))
        with urlopen(f"http://127.0.0.1:{receiver.port}/metrics") as page:
            assert is_as_declared(page.read().decode(), "webhooks")
        assert 0 == receiver.stop()

    webhooks, statuses = stored(settings, WEBHOOKS), stored(settings, PERSON_STATUS)
    expected = sorted(tree["event_id"] for tree in payloads if tree["metric"] in ROUTED)
    assert sorted(bodies) == sorted(record.value() or b"" for record in webhooks)
    assert {b"42"} == {record.key() for record in (*webhooks, *statuses)}
    assert {record.partition() for record in webhooks} == {record.partition() for record in statuses}
    assert {"cio.event_id", "cio.object_type", "cio.metric", "cio.timestamp"} == set().union(*map(headers_of, webhooks))
    assert expected == sorted(orjson.loads(record.value() or b"")["event_id"] for record in statuses)
    assert not [record for record in statuses if b"@" in (record.value() or b"")]


def test_a_kill_loses_nothing_that_was_answered(settings: Settings, tmp_path: Path) -> None:
    """Under load, with kill -9; and so with SIGTERM, which ends it in good order."""
    for name in ("killed", "asked"):
        with ReceiverProcess(settings, tmp_path / name) as receiver:
            receiver.wait_until_it_says(READY)

            async def load(receiver: ReceiverProcess = receiver, name: str = name) -> Traffic:
                traffic = Traffic(receiver.port)
                sending = asyncio.create_task(traffic.send())
                while len(traffic.taken) < 300:  # noqa: ASYNC110 - the traffic tells nobody
                    await asyncio.sleep(0.01)
                end = receiver.kill if name == "killed" else receiver.stop
                await asyncio.to_thread(end)
                await sending
                return traffic

            traffic = asyncio.run(load())
            assert (receiver.code == 0) is (name == "asked")
        for topic in (WEBHOOKS, PERSON_STATUS):
            found = {orjson.loads(record.value() or b"")["event_id"] for record in stored(settings, topic)}
            assert traffic.taken - found == set()
        assert set(traffic.statuses) <= {200, 0}


def test_what_is_larger_than_its_topic_takes_does_not_block(settings: Settings, tmp_path: Path) -> None:
    """Kafka refuses it, so its beginning is stored; others that come with it are whole."""
    with ReceiverProcess(settings, tmp_path / "log", WEBHOOK_BODY_MAX_BYTES="4000000") as receiver:
        receiver.wait_until_it_says(READY)
        large = make_body(data={"content": "x" * 3_000_000})

        async def together() -> list[int]:
            requests = [make_request(body) for body in (make_body(), large, make_body())]
            return await asyncio.gather(*(ask(receiver.port, request) for request in requests))

        assert [200, 200, 200] == asyncio.run(together())
    found = sorted(
        (len(record.value() or b""), headers_of(record).get("cio.fault")) for record in stored(settings, WEBHOOKS)
    )
    assert found == [(len(make_body()), None), (len(make_body()), None), (65_536, b"too_large")]


def test_a_key_rotates_in_its_file(settings: Settings, tmp_path: Path) -> None:
    """No call is refused while both are in it."""
    path, body = tmp_path / "key", make_body()
    path.write_text("old\n")
    with ReceiverProcess(settings, tmp_path / "log", CUSTOMERIO_WEBHOOK_SIGNING_KEY_FILE=str(path)) as receiver:
        receiver.wait_until_it_says(READY)
        for keys, signing in (("old", "old"), ("old\nnew", "new"), ("old\nnew", "old"), ("new", "new")):
            path.write_text(keys)
            assert 200 == asyncio.run(ask(receiver.port, make_request(body, signed_headers(body, key=signing))))
        assert not receiver.said("old")


def test_an_export_is_imported(settings: Settings, tmp_path: Path) -> None:
    """A folder's files, also compressed ones; statuses only when they are asked for."""
    bodies = [make_body(event_id=f"e{number}", metric="spammed") for number in range(20)]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([*bodies[:10], b"", b"not json"]))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"\r\n".join(bodies[10:])))
    (tmp_path / "c.txt").write_text("something else")

    done = run(settings, "webhooks", "import", str(tmp_path), "--json")

    assert (done.returncode, "nothing was routed" in done.stderr) == (0, True)
    told = json.loads(done.stdout)
    assert (told["files"], told["written"], told["with_fault"], told["empty"], told["routed"]) == (2, 21, 1, 1, 0)
    assert sorted([*bodies, b"not json"]) == sorted(record.value() or b"" for record in stored(settings, WEBHOOKS))
    assert list(stored(settings, PERSON_STATUS)) == []
    routed = run(settings, "webhooks", "import", str(tmp_path / "a.jsonl"), "--with-routes")
    assert (routed.returncode, "10 routed" in routed.stdout) == (0, True)
    assert 10 == len(stored(settings, PERSON_STATUS))


def test_without_its_topic_it_does_not_start(settings_factory: SettingsFactory) -> None:
    """One line says what to run; so does the check, for a route's."""
    done = run(settings_factory(create=False), "webhooks")

    assert done.returncode == 1
    assert "cio-streams topics create" in done.stderr.splitlines()[-1]


def test_a_route_to_a_topic_that_is_not_there_is_a_fault(settings: Settings, tmp_path: Path) -> None:
    """Of the start and of the check."""
    routes = {"routes": [{"name": "r", "topic": "elsewhere", "metrics": ["sent"], "fields": ["event_id"]}]}
    path = tmp_path / "routes.yaml"
    path.write_text(json.dumps(routes))  # JSON is YAML

    for command in ("webhooks", "check"):
        done = run(settings, command, WEBHOOK_ROUTES=str(path))
        assert done.returncode == 1
        assert "route r: topic" in done.stderr
    connected_admin(settings)  # nothing was created
