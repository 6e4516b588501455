"""Every process and command on a broker that asks for a password over TLS, or for a certificate, and for rights."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from streams.kafka import topic_plan
from streams.kafka.roles import Role, rights_of
from streams.messaging import BlockingQueuedMessaging
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings, load_settings
from tests.integration.dlq_stage import letters, results
from tests.integration.guard import Guard, settings_on
from tests.integration.role_actions import command
from tests.integration.secured_cluster import Secured, secured_cluster
from tests.integration.watch_stage import opened, until, watching
from tests.integration.webhook_process import READY as RECEIVES
from tests.integration.webhook_process import ReceiverProcess, stored
from tests.integration.worker_process import WorkerProcess, environment
from tests.sends import make_message, make_trigger
from tests.unit.input_records import InputRecord, make_event, make_upsert
from tests.webhook_client import ask, make_body, make_request

WAIT_S: Final = 60.0
ROLES_USED: Final[tuple[Role, ...]] = (
    "worker-with-sends",
    "publisher",
    "webhooks",
    "warehouse",
    "dlq-watch",
    "operator",
    "topic-admin",
)
BAD: Final = InputRecord(topic=topic_plan.USER_CHANGES, key=b"u-2", value=b"{")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Give one for the tests of this file."""
    with secured_cluster(tmp_path_factory.mktemp("certificates")) as secured:
        yield secured


class Members:
    """A user for each role, with its rights on topics of their own, and how each comes in."""

    def __init__(self, secured: Secured, show: Callable[[str], Mapping[str, str]], *, prefix: str) -> None:
        self.settings = settings_on(secured.bootstrap)
        self._show = show
        for role in ROLES_USED:
            Guard(self.settings, prefix + role).allow(rights_of(role, routed=[topic_plan.PERSON_STATUS]))

    def environment(self, role: Role) -> dict[str, str]:
        """What makes a process one of the role."""
        own = {"APP_ID": self.settings.app_id, "TOPIC_PREFIX": self.settings.topic_prefix, "TOPIC_PARTITIONS": "2"}
        return own | dict(self._show(role))


@pytest.fixture(params=["password", "certificate"])
def members(request: pytest.FixtureRequest, secured: Secured) -> Members:
    """Give them by either; of those with a password the publisher has the shorter hash."""
    if request.param == "certificate":
        return Members(secured, secured.by_certificate, prefix="CN=")
    for role in ROLES_USED:
        secured.know(role)
    mechanisms = {"publisher": "SCRAM-SHA-256"}
    return Members(
        secured, lambda role: secured.by_password(role, mechanism=mechanisms.get(role, "SCRAM-SHA-512")), prefix=""
    )


def run_as(members: Members, role: Role, *lines: str) -> None:
    """Run commands in this process."""
    before = dict(os.environ)
    os.environ.update(members.environment(role))
    try:
        for line in lines:
            command(line)(members.settings)
    finally:
        os.environ.clear()
        os.environ.update(before)


def publish_all(members: Members, folder: Path) -> int:
    """Put a record on each input topic, by the command and from code; how many."""
    records = [make_upsert(key=b"u-1"), make_event(key=b"u-1"), make_message(), make_trigger(), BAD]
    for number, record in enumerate(records):
        (folder / str(number)).write_bytes(record.value or b"")
    run_as(members, "publisher", *(f"publish {each.topic} {folder / str(at)}" for at, each in enumerate(records)))
    with BlockingQueuedMessaging(load_settings(members.environment("publisher"))) as queued:
        queued.enqueue_identify("u-3", plan="pro")
    return len(records) + 1


def test_everything_works(members: Members, tmp_path: Path) -> None:
    """Each by a user that has the rights of its role, and no more."""
    settings, sends = members.settings, {"CUSTOMERIO_APP_API_KEY": "key"}
    with ExitStack() as started:
        url = started.enter_context(running_sandbox())
        own = sends | {"CUSTOMERIO_APP_URL": url} | members.environment("worker-with-sends")
        worker = started.enter_context(WorkerProcess(environment(settings, url, **own), tmp_path / "worker.log"))
        receiver = started.enter_context(
            ReceiverProcess(settings, tmp_path / "receiver.log", **members.environment("webhooks"))
        )
        run_as(members, "topic-admin", "topics create", "topics check")
        published = publish_all(members, tmp_path)
        worker.wait_for(lambda: len(results(settings)) >= published, WAIT_S)
        run_as(members, "operator", "dlq list", "dlq stats", f"dlq replay {_letter(settings)} --yes")
        worker.wait_for(lambda: len(results(settings)) > published, WAIT_S)
        run_as(members, "operator", "audit", f"why {_place(settings)}")
        receiver.wait_until_it_says(RECEIVES)
        body = make_body(event_id="e-1", metric="bounced", data={"identifiers": {"id": "u-1"}})
        assert 200 == asyncio.run(ask(receiver.port, make_request(body)))
        assert (0, 0) == (worker.stop(), receiver.stop())
    own = members.environment("warehouse") | {"WAREHOUSE": f"duckdb:{tmp_path / 'w.duckdb'}", "WAREHOUSE_PORT": "0"}
    with WorkerProcess(own, tmp_path / "loader.log", command=("streams", "warehouse", "--once")) as loader:
        loader.wait_for(lambda: loader.code is not None, WAIT_S)
        assert 0 == loader.code, loader.last_words
    with watching(load_settings(members.environment("dlq-watch"))) as watch:
        until(lambda: sum(opened(watch).values()) == 1)

    assert 1 == len(stored(settings, topic_plan.PERSON_STATUS))
    assert {"dead": 2, "delivered": published - 1} == Counter(each["outcome"] for each in results(settings))


def _letter(settings: Settings) -> str:
    (letter,) = letters(settings)
    return f"{letter.place.partition}/{letter.place.offset}"


def _place(settings: Settings) -> str:
    source = results(settings)[0]["source"]
    return f"{source['topic']}/{source['partition']}/{source['offset']}"
