"""Topics as the command line takes them."""

import pytest
import typer

from streams.cli.input_topics import AUDITED, short_name
from streams.settings import Settings

SETTINGS = Settings(topic_prefix="staging.")


@pytest.mark.parametrize("text", ["user-changes", "staging.user-changes"])
def test_short_and_full_names_are_taken(text: str) -> None:
    """Every command takes what another has printed."""
    assert "user-changes" == short_name(text, SETTINGS)


@pytest.mark.parametrize("text", ["nope", "customerio-replay", "production.user-changes", ""])
def test_another_topic_is_wrong_usage_that_names_those_there_are(text: str) -> None:
    """A mistyped one must not look like one without letters."""
    with pytest.raises(typer.BadParameter, match="give one of user-changes, domain-events"):
        short_name(text, SETTINGS)


def test_what_workers_write_themselves_is_audited_too() -> None:
    """Replays have results like inputs."""
    assert "customerio-replay" == short_name("customerio-replay", SETTINGS, AUDITED)
