"""How the command line takes topics: by their short name or their full one; any other is wrong usage."""

from collections.abc import Sequence
from typing import Final

import typer

from streams.kafka import topic_plan
from streams.settings import Settings

AUDITED: Final = (*topic_plan.INPUTS, topic_plan.REPLAY)
"""What workers read."""


def short_name(text: str, settings: Settings, known: Sequence[str] = topic_plan.INPUTS) -> str:
    """Give the short name of one of the `known` topics.

    Raises:
        typer.BadParameter: it is none of them.
    """
    name = text.removeprefix(settings.topic_prefix)
    if name not in known:
        raise typer.BadParameter(f"there is no topic {text!r} here: give one of {', '.join(known)}")
    return name
