"""`cio-streams dlq replay` of what was replayed before: counted, in the order of the records, wherever letters lie."""

import os
import subprocess

import pytest

from schemas.dead_letter import NAMED, REPLAYS
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration import dlq_stage as stage
from tests.integration.dlq_stage import dlq
from tests.integration.letter_mix import change


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give one partition."""
    return settings_factory(topic_partitions=1)


def write(settings: Settings, *origins: int) -> None:
    """Write letters of records of one person that stood there."""
    stage.write_letters(settings, [stage.letter_of(change("u-1", offset=each, plan=f"{each}")) for each in origins])


def replayed(settings: Settings, name: str = NAMED) -> list[str | None]:
    """A header of each replay, in their order."""
    return [stage.header(copy.headers, name) for copy in stage.copies(settings)]


def test_a_letter_is_not_replayed_more_than_so_often(settings: Settings) -> None:
    """Each replay counts, whatever was decided: in the copy, in the list, and against the limit."""
    write(settings, 0)
    ends = [dlq(settings, "replay", "0/0", "--again", "--yes", MAX_REPLAYS="2") for _ in range(3)]
    (listed,) = stage.told(dlq(settings, "list", "--json"))
    forced = dlq(settings, "replay", "0/0", "--again", "--force", "--yes", MAX_REPLAYS="2")

    assert [0, 0, 1, 0] == [each.returncode for each in (*ends, forced)]
    assert "0 of 0 letters replayed\n" in ends[-1].stdout
    assert "1 letter left: parked" in ends[-1].stderr
    assert ("replayed", 2) == (listed["state"], listed["replays"])
    assert ["1", "2", "3"] == replayed(settings, REPLAYS)
    assert [1, 2, 3] == [decision.replays for _, decision in stage.decisions(settings)]


def test_letters_are_replayed_in_the_order_of_their_records(settings: Settings) -> None:
    """What died again lies last, and goes first all the same: nothing is superseded by what came after it."""
    write(settings, 20, 30, 10)

    rehearsed = stage.told(dlq(settings, "replay", "--all", "--what-if", "--json"))
    first = dlq(settings, "replay", "--all", "--limit", "1", "--yes")
    rest = dlq(settings, "replay", "--all", "--yes")

    assert [("0/2", "delivered"), ("0/0", "delivered"), ("0/1", "delivered")] == [
        (each["letter"], each["verdict"]) for each in rehearsed
    ]
    assert (0, 0) == (first.returncode, rest.returncode)
    assert ["0/2", "0/0", "0/1"] == replayed(settings)


def test_what_a_limit_leaves_is_not_told_as_missing(settings: Settings) -> None:
    """Names that are there are there."""
    write(settings, 0, 1)

    done = dlq(settings, "replay", "0/0", "0/1", "--limit", "1", "--yes")

    assert (0, "") == (done.returncode, done.stderr.partition("\n")[2])
    assert ["0/0"] == replayed(settings)


def test_letters_that_moved_while_it_asked_are_told(settings: Settings) -> None:
    """By an erasure of somebody else: it ends with 1, and does all of it when it is run again."""
    write(settings, 0, 1)
    ours, theirs = os.openpty()
    with subprocess.Popen(
        stage.command("replay", "--all"),
        env=stage.surroundings(settings),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as asking:
        assert asking.stderr
        asked = ""
        while "[y/N]" not in asked:
            asked += asking.stderr.read(1)
        stage.move_letters(settings, 0)
        os.write(ours, b"y\n")
        told, complaint = asking.communicate(timeout=stage.COMMAND_S)
    os.close(ours)
    os.close(theirs)

    again = dlq(settings, "replay", "--all", "--yes")

    assert 1 == asking.returncode
    assert "0 of 2 letters replayed" in told
    assert "Letters of partition 0 have moved" in complaint
    assert "run it again" in complaint
    assert 0 == again.returncode, again.stderr
    assert ["0/0", "0/1"] == replayed(settings)
