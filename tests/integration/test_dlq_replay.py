"""`cio-streams dlq replay` in a subprocess, on a real Kafka: what it copies, decides, leaves and refuses."""

import json
import os
import subprocess
from datetime import datetime

import pytest

from schemas.dead_letter import NAMED, REPLAY_NOTE, REPLAYS
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration import dlq_stage as stage
from tests.integration.dlq_stage import dlq
from tests.integration.letter_mix import change
from tests.unit.input_records import InputRecord


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give two partitions."""
    return settings_factory(topic_partitions=2)


def write(settings: Settings, count: int, *, replays: int = 0) -> None:
    """Put so many letters on the first partition."""
    records = (change(f"u-{number}", plan="pro") for number in range(count))
    letters = (stage.letter_of(record, replays=replays) for record in records)
    stage.write_letters(settings, letters)


def replayed(settings: Settings) -> list[str | None]:
    """The names of the letters whose copies lie on the replay topic, in their order."""
    return [stage.header(copy.headers, NAMED) for copy in stage.copies(settings)]


def test_letters_are_copied_byte_for_byte_in_their_order(settings: Settings) -> None:
    """Each to its own partition, with a decision that says who and why; a second run finds nothing to do."""
    odd = [("trace", b"\xff\x00"), ("cio.replays", b"77")]
    records = [
        InputRecord(partition=1, key=b"\x00\xff", value=b"{\xff", headers=odd, offset=5),
        InputRecord(partition=1, key=b"u-1", value=None, offset=6),
        InputRecord(partition=0, key=None, value=b"", offset=7),
    ]
    letters = [stage.letter_of(record, "malformed") for record in records]
    stage.write_letters(settings, letters)

    done = dlq(settings, "replay", "--all", "--yes", "--reason-note", "mended", "--by", "ada")
    again = dlq(settings, "replay", "--all", "--yes", "--json")

    assert (0, 0) == (done.returncode, again.returncode), done.stderr + again.stderr
    assert [(0, None, b""), (1, b"\x00\xff", b"{\xff"), (1, b"u-1", None)] == [
        (copy.place.partition, copy.key, copy.value) for copy in stage.copies(settings)
    ]
    first = next(copy for copy in stage.copies(settings) if copy.place.partition == 1)
    added = ((REPLAYS, b"1"), (NAMED, b"1/0"), (REPLAY_NOTE, b"mended"))
    assert (*letters[0][3][:-1], *added) == first.headers
    assert {("replayed", "ada", "mended")} == {(d.decision, d.by, d.note) for _, d in stage.decisions(settings)}
    assert [
        {
            "selected": 0,
            "replayed": 0,
            "parked": 0,
            "skipped": 0,
            "left": {"replayed": 3},
            "what_if": {},
            "is_interrupted": False,
        }
    ] == stage.told(again)


def test_names_and_filters_narrow_and_a_limit_ends(settings: Settings) -> None:
    """The rest stays open; what was replayed is left, and told, unless it is to be replayed again."""
    write(settings, 9)

    for arguments in (["0/7", "0/2"], ["--user", "u-4"], ["--all", "--limit", "2"], ["0/7", "--again"]):
        assert dlq(settings, "replay", *arguments, "--yes").returncode == 0
    left = dlq(settings, "replay", "0/7", "0/3", "--what-if", "--json")

    assert ["0/2", "0/7", "0/4", "0/0", "0/1", "0/7"] == replayed(settings)
    assert ["0/3"] == [each["letter"] for each in stage.told(left)]
    named = dlq(settings, "replay", "0/7", "--yes")

    assert [
        "1 letter left: replayed already (--again takes what was): 0/7",
        f"Records still wait for workers on {settings.topic('customerio-replay')}/0: they may change this",
    ] == left.stderr.splitlines()
    assert (1, "Not replayed, as said: 0/7") == (named.returncode, named.stderr.splitlines()[-1])


def test_what_was_replayed_too_often_is_parked(settings: Settings) -> None:
    """It is written down and told; `--force` replays it all the same, and counts on."""
    write(settings, 1, replays=3)
    write(settings, 1, replays=2)

    rehearsed = dlq(settings, "replay", "--all", "--what-if", "--json")
    before = stage.decisions(settings)
    done = dlq(settings, "replay", "--all", "--yes")
    once_more = dlq(settings, "replay", "--all", "--yes")
    forced = dlq(settings, "replay", "0/0", "--yes", "--force")

    assert ["0/1"] == [each["letter"] for each in stage.told(rehearsed)]
    assert [] == before
    assert "1 letter left: parked, for replayed too often (--force takes what is): 0/0" in done.stderr
    assert "1 of 1 letter replayed, 1 parked\n" in done.stdout
    assert "0 of 0 letters replayed\n" in once_more.stdout
    assert forced.returncode == 0, forced.stderr
    assert [("0/0", "parked"), ("0/1", "replayed"), ("0/0", "replayed")] == [
        (name, decision.decision) for name, decision in stage.decisions(settings)
    ]
    assert [("0/1", "3"), ("0/0", "4")] == [
        (stage.header(copy.headers, NAMED), stage.header(copy.headers, REPLAYS)) for copy in stage.copies(settings)
    ]


def test_what_cannot_be_done_writes_nothing(settings: Settings) -> None:
    """Off a terminal nobody can be asked, and a letter that is not there is no letter to pass over."""
    write(settings, 1)

    unasked = dlq(settings, "replay", "--all")
    missing = dlq(settings, "replay", "0/0", "0/1", "9/9", "--yes")

    assert (2, 1) == (unasked.returncode, missing.returncode)
    assert "--yes" in unasked.stderr
    assert "There is no letter 0/1, 9/9: `cio-streams dlq list`" in missing.stderr
    assert missing.stderr.endswith("; nothing was written\n")
    assert ([], []) == (stage.copies(settings), stage.decisions(settings))


def test_data_is_on_stdout_and_holds_nothing_personal(settings: Settings) -> None:
    """Of a thousand letters only the first are shown; programs get all."""
    stage.write_letters(
        settings, [stage.letter_of(change(f"ada-{n}@example.com", email=n), "malformed") for n in range(30)]
    )

    shown = dlq(settings, "replay", "--all", "--what-if")
    listed = dlq(settings, "replay", "--all", "--what-if", "--json")

    assert "example" not in shown.stdout + shown.stderr + listed.stdout + listed.stderr
    assert "… and 10 more" in shown.stdout
    assert "30 letters: 30 would fail again" in shown.stdout
    assert "" == listed.stderr
    assert [
        {"letter": f"0/{n}", "verdict": "dead", "reason": "malformed", "detail": "user.email: must be a string"}
        for n in range(30)
    ] == stage.told(listed)


def test_even_if_older_overrules_newer_data(settings: Settings) -> None:
    """In the rehearsal as in the copy."""
    newer, older = change("u-1", version=2, plan="pro"), change("u-1", version=1, plan="free")
    stage.write_letters(settings, [stage.letter_of(newer), stage.letter_of(older)])
    verdicts = [
        [each["verdict"] for each in stage.told(dlq(settings, "replay", "--all", "--what-if", "--json", *more))]
        for more in ([], ["--even-if-older"])
    ]

    dlq(settings, "replay", "--all", "--yes", "--even-if-older")

    assert [["delivered", "superseded"], ["delivered", "delivered"]] == verdicts
    assert ["1", "1"] == [stage.header(copy.headers, "cio.even_if_older") for copy in stage.copies(settings)]


def test_a_rate_is_kept(settings: Settings) -> None:
    """A quarter of a second's worth goes at once, and the rest waits for its turn."""
    write(settings, 10)

    done = dlq(settings, "replay", "--all", "--yes", "--rate", "20")

    times = [datetime.fromisoformat(decision.at) for _, decision in stage.decisions(settings)]
    assert done.returncode == 0, done.stderr
    assert [0.0] * 5 == [(each - times[0]).total_seconds() for each in times[:5]]
    assert (times[5] - times[0]).total_seconds() >= 0.2


def test_without_kafka_it_fails_in_one_line(settings: Settings) -> None:
    """The address that was tried is named."""
    nowhere = settings.with_changes(kafka_bootstrap_servers="127.0.0.1:1")

    done = dlq(nowhere, "replay", "--all", "--yes", "--json")

    assert (1, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
    assert "127.0.0.1:1" in done.stderr


def test_before_there_are_topics_it_says_what_to_run(settings_factory: SettingsFactory) -> None:
    """One line, exit code 1."""
    done = dlq(settings_factory(create=False), "replay", "--all", "--what-if", "--json")

    assert 1 == done.returncode
    assert "cio-streams topics create" in done.stderr
    assert [] == [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("answer", "code", "written"), [(b"n\n", 1, 0), (b"y\n", 0, 1)])
def test_on_a_terminal_it_asks(settings: Settings, answer: bytes, code: int, written: int) -> None:
    """After the summary, and writes nothing when the answer is no."""
    write(settings, 1)
    ours, theirs = os.openpty()
    os.write(ours, answer)

    done = subprocess.run(
        stage.command("replay", "0/0"), env=stage.surroundings(settings), stdin=theirs, capture_output=True, check=False
    )

    os.close(ours)
    os.close(theirs)
    assert code == done.returncode, done.stderr
    assert b"1 letter: 1 would be delivered" in done.stdout
    assert b"Replay 1 letter? [y/N]:" in done.stderr
    assert written == len(stage.copies(settings))
