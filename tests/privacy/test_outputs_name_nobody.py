"""Whatever goes through us, no output names anybody, but those that are there to do so."""

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
import typer
from typer.core import TyperGroup

from streams.cli import app
from streams.kafka.clients import connected_admin
from streams.settings import Settings
from tests.conftest import delete_topics
from tests.logging_state import logging_as_before
from tests.otlp_collector import collector
from tests.privacy import plays
from tests.privacy.echoing_api import echoing_api
from tests.privacy.marks import MARK, found
from tests.privacy.stage import Stage

TRACES: Final = "traces"
PROCESSES: Final = {
    "worker": "JSON, and everything a library says at debug",
    "worker's pages": "livez, readyz, metrics, while a flood is held",
    "worker that crashes": "for people, with stacks",
    TRACES: "what a worker exports",
    "webhooks": "forged requests and unknown addresses too",
    "webhooks' pages": "as the worker's",
    "warehouse": "as long as it runs",
    "warehouse's pages": "as the worker's",
    "warehouse --once": "to its end",
    "dlq watch": "until it has read everything",
    "dlq watch's pages": "as the worker's",
    "up": "what it shows",
    "logs of up": "what all that it starts has logged",
    "sandbox": "what it prints",
}
"""Outputs of processes: they name no person, also by an id that reaches nobody."""

COMMANDS: Final = {
    "topics create": "",
    "topics check": "",
    "check": "",
    "acls": "",
    "publish": "a file with lines that cannot be read",
    "publish --json": "from standard input",
    "dlq resume": "",
    "dlq list": "",
    "dlq list --json": "",
    "dlq stats": "",
    "dlq stats --json": "",
    "dlq show": "",
    "dlq show --json": "",
    "dlq replay --all --what-if": "",
    "dlq replay --all --what-if --json": "",
    "dlq replay": "",
    "dlq edit --check": "",
    "dlq edit": "",
    "dlq discard": "",
    "dlq erase --what-if": "",
    "webhooks import": "an export with lines that cannot be read",
    "webhooks import --json": "",
    "report": "",
    "report --json": "",
    "report --html": "",
    "the page of report": "",
    "audit": "",
    "audit --json": "",
    **{" ".join(("why", *each)): "" for each in plays.WHYS},
}
"""Outputs of commands: they may name ids that look like one and reach nobody, so that a person can go on from there."""

REVEALING: Final = {"dlq show --reveal": "it was asked to"}
"""Outputs that name people, and why. So do the topics themselves, the warehouse, and the sandbox's own pages."""

UNPLAYED: Final = {"kafka": "runs Kafka's own program, which is given no record here; `up` starts the same"}


@pytest.fixture(scope="module")
def outputs(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Give the texts of all outputs, by name, after everything was played once."""
    prefix = f"p{uuid.uuid4().hex[:10]}."
    settings = Settings(kafka_bootstrap_servers=kafka, topic_prefix=prefix, app_id=f"{prefix}app", topic_partitions=2)
    folder: Path = tmp_path_factory.mktemp("outputs")
    with logging_as_before(), echoing_api() as api, collector() as collected:
        stage = Stage(settings, api, folder)
        plays.prepare(stage)
        plays.deliver(stage, collected.url)
        plays.receive(stage)
        plays.look(stage)
        plays.run_up(stage)
        plays.stand_in(stage)
        plays.crash(stage)
        stage.outputs[TRACES] = "\n".join(str(span) for span in collected.spans)

    yield stage.outputs
    delete_topics(connected_admin(settings), (prefix,))


def commands(command: object, name: str = "") -> Iterator[str]:
    """All that there are, by the words that start them."""
    if isinstance(command, TyperGroup):
        for word, each in command.commands.items():
            yield from commands(each, f"{name} {word}".strip())
        if not (name and command.invoke_without_command):
            return
    yield name


def test_every_command_is_played() -> None:
    """A new one has to be put among these, or say why it cannot put anything out."""
    played = (*PROCESSES, *COMMANDS)
    found_commands = set(commands(typer.main.get_command(app)))
    left = {
        name
        for name in found_commands
        if name not in UNPLAYED and not any(each == name or each.startswith(f"{name} ") for each in played)
    }

    assert {"dlq show", "worker"} <= found_commands
    assert set() == left


def test_every_output_is_among_those_that_are_looked_at(outputs: Mapping[str, str]) -> None:
    """And none of them is empty for want of a play."""
    assert {*PROCESSES, *COMMANDS, *REVEALING} == set(outputs)
    assert [] == [name for name, text in outputs.items() if not text.strip()]


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_names_nobody(name: str, outputs: Mapping[str, str]) -> None:
    """Neither by what reaches somebody nor by an id."""
    assert [] == found(outputs[name], ids_too=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_names_nobody(name: str, outputs: Mapping[str, str]) -> None:
    """By anything that reaches somebody, or that only they have."""
    assert [] == found(outputs[name], ids_too=False)


def test_a_crash_is_told_with_its_stack(outputs: Mapping[str, str]) -> None:
    """Both exceptions, and where they were raised, but not what they say."""
    text = outputs["worker that crashes"]

    assert [] == [part for part in ("KeyError: ***", "ValueError: ***", "in _send", "in fail") if part not in text]


@pytest.mark.parametrize("name", REVEALING)
def test_the_marks_are_there(name: str, outputs: Mapping[str, str]) -> None:
    """Else nothing could have been found."""
    assert MARK in outputs[name].lower()
