"""docker-compose.yml as the tests read it, and the command line's own parser for what a page or a service says."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import typer
import typer.main
import yaml
from typer.core import TyperGroup

from streams.cli import app
from streams.settings import Settings, load_settings
from tests.deploy.dockerfile import ROOT, stages

COMPOSE: Final = ROOT / "docker-compose.yml"
IMAGE: Final = "customerio-streams"
OF_THE_IMAGE: Final = {"HEALTH_URL"}
"""What deploy/Dockerfile reads, and no setting."""

Service = Mapping[str, Any]


def services() -> dict[str, Service]:
    """All services by name, what they share filled in."""
    found: dict[str, Service] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def processes() -> dict[str, Service]:
    """Those that run our image."""
    return {name: each for name, each in services().items() if each["image"] == IMAGE}


def environment(service: Service) -> dict[str, str]:
    """What a process of ours is given, by its image and by the file."""
    given: dict[str, str] = service.get("environment", {})
    return {name: value for each in stages()[-1] if each.word == "ENV" for name, value in each.pairs.items()} | given


def settings(service: Service) -> Settings:
    """What a process makes of it, checked as at its start."""
    return load_settings(environment(service), needs_track=service["command"] == ["worker"])


def parse(words: Sequence[str]) -> str:
    """Give the name of the command that these words are, with options and arguments checked; empty if they are none.

    By the very objects that parse the command line, up to where the command would run.
    """
    command: Any = typer.main.get_command(app)
    context, rest, names = None, list(words), list[str]()
    try:
        while True:
            context = command.make_context(command.name or "", rest, parent=context)
            left = [*context._protected_args, *context.args]
            if not (isinstance(command, TyperGroup) and left):
                return " ".join(names)
            name, command, rest = command.resolve_command(context, left)
            names.append(str(name))
    except typer.TyperException:
        return ""
