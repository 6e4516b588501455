"""What roles need is told for kafka-acls.sh, by the names that the settings give."""

import json
import shlex

import pytest

from streams.__main__ import run
from streams.kafka.roles import ROLES, Role, rights_of, shell_lines
from streams.kafka.topic_plan import plan
from streams.settings import Settings

pytestmark = pytest.mark.usefixtures("own_environment")


def make_settings() -> Settings:
    """With names of its own."""
    return Settings(kafka_bootstrap_servers="kafka:9093", topic_prefix="dev.", app_id="app")


def test_one_line_for_all_on_which_the_same_is_allowed() -> None:
    """With both names in full, and quoted for a shell."""
    lines = shell_lines(rights_of("warehouse", routed=[]), make_settings(), principal="User:CN=a b")

    begin = "kafka-acls.sh --bootstrap-server kafka:9093 --command-config admin.properties --add"
    begin += " --allow-principal 'User:CN=a b' --operation Read"
    assert [
        f"{begin} --topic dev.customerio-webhooks --topic dev.customerio-results",
        f"{begin} --group app-warehouse",
    ] == list(lines)


def test_transactional_ids_are_a_prefix() -> None:
    """For each process has one of its own."""
    *_, line = shell_lines(rights_of("operator", routed=[]), make_settings(), principal="User:o")

    assert line.endswith("--operation Write --transactional-id app-dlq- --resource-pattern-type prefixed")


@pytest.mark.parametrize("role", ROLES)
def test_every_right_is_told_once(role: Role) -> None:
    """Also where several operations share a line."""
    rights = rights_of(role, routed=["customerio-person-status"])
    told = []
    for line in shell_lines(rights, make_settings(), principal="User:o"):
        words = shlex.split(line)[8:]
        pairs = [pair for pair in zip(words[::2], words[1::2], strict=True) if pair[0] != "--resource-pattern-type"]
        operations = [value for option, value in pairs if option == "--operation"]
        told += [(each, *pair) for pair in pairs if pair[0] != "--operation" for each in operations]

    expected = [
        (each.operation.title().replace("_", ""), f"--{each.kind}", each.full_name(make_settings())) for each in rights
    ]
    assert sorted(expected) == sorted(told)


def test_whoever_makes_the_topics_may_make_all_of_the_plan() -> None:
    """A topic that is added to the plan is added here."""
    created = {right.name for right in ROLES["topic-admin"] if right.operation == "CREATE"}

    assert set(plan(make_settings())) == created


def test_webhooks_may_write_where_they_are_routed(capsys: pytest.CaptureFixture[str]) -> None:
    """By the command, which reads the routes."""
    assert 0 == run(["acls", "webhooks", "--principal", "User:w", "--json"])
    told = json.loads(capsys.readouterr().out)

    assert ("webhooks", "User:w") == (told["role"], told["principal"])
    assert [
        {"operation": "WRITE", "kind": "topic", "name": name, "is_prefix": False}
        for name in ("customerio-webhooks", "customerio-person-status")
    ] == told["acls"]


def test_an_unknown_role_is_wrong_usage() -> None:
    """And so is nobody to allow it to."""
    assert 2 == run(["acls", "king", "--principal", "User:k"])
    assert 2 == run(["acls", "worker"])
