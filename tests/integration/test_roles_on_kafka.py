"""Each role with exactly the rights that are listed for it, on a secured broker; with one less, a clear line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from schemas.errors import StreamsError
from streams.kafka import topic_plan
from streams.kafka.clients import connected_admin
from streams.kafka.roles import ROLES, Right, Role, rights_of
from streams.settings import Settings, load_settings
from tests.integration.dlq_stage import dlq, letter_of, publish, write_letters
from tests.integration.guard import Guard, settings_on
from tests.integration.role_actions import action, command, conclude
from tests.integration.secured_cluster import Secured, secured_cluster
from tests.sends import make_message, make_trigger
from tests.unit.input_records import InputRecord, make_event, make_upsert

ROUTED: Final = [topic_plan.PERSON_STATUS]
APP_KEY: Final = {"CUSTOMERIO_APP_API_KEY": "key"}
INCLUDED: Final[Mapping[Role, Role]] = {
    "worker-with-sends": "worker",
    "reader": "auditor",
    "operator": "reader",
    "topic-admin": "checker",
}
"""Who has all rights of another role has them for the same things: they are proven there."""

ALSO: Final[Mapping[Role, Sequence[str]]] = {
    "reader": ("dlq stats", "why user-changes/0/0"),
    "operator": ("dlq discard 0/1 --yes --reason-note test",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Users called as their roles, on topics that hold something; `made` are others, which may be deleted."""

    secured: Secured
    settings: Settings
    made: Settings
    records: Path
    guards: Mapping[Role, Guard]

    def environment(self, role: Role) -> dict[str, str]:
        """What makes this process one of the role."""
        settings = self.made if role in ("checker", "topic-admin") else self.settings
        own = {"APP_ID": settings.app_id, "TOPIC_PREFIX": settings.topic_prefix, "TOPIC_PARTITIONS": "2"}
        return self.secured.by_password(role) | own | (APP_KEY if role == "worker-with-sends" else {})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a user for each role, with its rights."""
    records = tmp_path_factory.mktemp("records")
    for record in (make_upsert(key=b"u-1"), make_event(key=b"u-1"), make_message(), make_trigger()):
        (records / record.topic).write_bytes(record.value or b"")
    with secured_cluster(tmp_path_factory.mktemp("certificates")) as secured:
        settings, made = settings_on(secured.bootstrap), settings_on(secured.bootstrap)
        guards = {}
        for role in ROLES:
            secured.know(role)
            guards[role] = Guard(made if role in ("checker", "topic-admin") else settings, role)
            guards[role].allow(rights_of(role, routed=ROUTED))
        fill(settings)
        yield World(secured=secured, settings=settings, made=made, records=records, guards=guards)


def fill(settings: Settings) -> None:
    """Put something on each topic that is read."""
    record = make_upsert(key=b"u-1")
    publish(settings, [record] * 2)
    topic = settings.topic(record.topic)
    placed = [InputRecord(topic=topic, offset=at, key=b"u-1", value=record.value) for at in range(4)]
    write_letters(settings, [letter_of(each) for each in placed])
    conclude(settings.with_changes(customerio_app_api_key="key"))
    assert dlq(settings, "replay", "0/3", "--yes").returncode == 0


def proven() -> Iterator[tuple[Role, Right]]:
    """Each right of each role, once."""
    for role in ROLES:
        included = rights_of(INCLUDED[role], routed=ROUTED) if role in INCLUDED else []
        yield from ((role, right) for right in rights_of(role, routed=ROUTED) if right not in included)


def become(world: World, role: Role, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Be of this role from now on."""
    environment = world.environment(role)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(environment)


def delete(settings: Settings, topic: str) -> None:
    """Let a topic (full name) be missing, so that it is to be created."""
    admin = connected_admin(settings)
    for gone in admin.delete_topics([topic]).values():
        gone.result()


@pytest.mark.parametrize("role", ROLES)
def test_these_rights_are_enough(world: World, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    """For everything that is refused below with one less."""
    settings = become(world, role, monkeypatch)
    actions = [action(role, right, world.records) for right in rights_of(role, routed=ROUTED)]
    for act in dict.fromkeys([*actions, *map(command, ALSO.get(role, ()))]):
        act(settings)


@pytest.mark.parametrize(("role", "right"), list(proven()), ids=str)
def test_without_one_of_them_it_fails_with_its_name(
    world: World, role: Role, right: Right, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, so that it can be allowed."""
    settings = become(world, role, monkeypatch)
    name = right.full_name(settings)
    if right.operation == "CREATE":
        delete(world.made, name)
    with world.guards[role].without(right), pytest.raises(StreamsError) as raised:
        action(role, right, world.records)(settings)

    if right.operation == "CREATE":
        action(role, right, world.records)(settings)  # now it is created
    said = str(raised.value)
    assert name in said
    assert "authoriz" in said.lower() or "allow" in said.lower()
    assert "\n" not in said
