"""`dlq discard` on a real Kafka: a decision that every machine sees, asked for first, and never over another one."""

import json
import os
import threading
from dataclasses import replace

import pytest

from schemas.dead_letter import LetterName
from schemas.decision import Decision
from schemas.errors import StreamsError
from schemas.record import Stored
from streams.dead_letters.decisions import DecisionWriter, OvertakenError
from streams.dead_letters.discard import Discard
from streams.dead_letters.letters import Letters, MovedError
from streams.dead_letters.selection import Selection
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration.dlq_stage import move_letters
from tests.integration.letters_on_kafka import dlq, told, write_letters
from tests.letters import make_letter
from tests.unit.input_records import InputRecord, make_upsert

REPLAYED = Decision(decision="replayed", at="2026-11-22T11:00:00.000Z", by="eve")
DISCARDED = Decision(decision="discarded", at="2026-11-22T11:00:00.000Z", by="ada", note="test data")
WHY = ("--reason-note", "test data", "--yes")


def letters_of(settings: Settings, count: int, *, replays: int = 0) -> list[Stored]:
    """Letters on both partitions in turn."""
    topic, value = settings.topic("user-changes"), make_upsert().value
    return [
        make_letter(InputRecord(topic=topic, partition=number % 2, offset=number, value=value), replays=replays)
        for number in range(count)
    ]


def states(settings: Settings) -> dict[str, str]:
    """The state of every letter, as another process sees it."""
    return {line["letter"]: line["state"] for line in told(settings, "list")}


def decide(settings: Settings, name: str, decision: Decision) -> None:
    """Decide on a letter as another command does."""
    parsed = LetterName.parse(name)
    with (
        PartitionReader(settings) as reader,
        DecisionWriter(settings, Letters(settings, reader), parsed.partition) as it,
    ):
        it.commit({parsed: decision})


def test_what_a_filter_finds_decided_on_is_counted(settings_factory: SettingsFactory) -> None:
    """Nobody has named those letters, and there may be a million."""
    settings = settings_factory()
    names = write_letters(settings, letters_of(settings, 3))
    for name in names[1:]:
        decide(settings, name, REPLAYED)

    done = dlq(settings, "discard", "--all", *WHY)

    assert (["letters discarded: 1"], ["2 letters were decided on before"]) == (
        done.stdout.splitlines(),
        done.stderr.splitlines(),
    )


def test_a_discarded_letter_is_so_everywhere(settings_factory: SettingsFactory) -> None:
    """With who, when and why; the others stay open, and what is decided on is skipped, not decided on again."""
    settings = settings_factory()
    first, second, third = write_letters(settings, letters_of(settings, 3))
    decide(settings, third, REPLAYED)

    arguments = [(first, third, *WHY, "--by", "ada"), (first, *WHY)]
    done, again = (json.loads(dlq(settings, "discard", *each, "--json", code=1).stdout) for each in arguments)
    (explained,) = told(settings, "show", first)

    skipped = [{"letter": third, "state": "replayed"}]
    assert {"discarded": 1, "letters": [first], "skipped": skipped, "skipped_count": 1} == done
    assert (0, [], [{"letter": first, "state": "discarded"}]) == (
        again["discarded"],
        again["letters"],
        again["skipped"],
    )
    assert {first: "discarded", second: "open", third: "replayed"} == states(settings)
    (decision,) = explained["decisions"]
    assert ("discarded", "ada", "test data") == (decision["decision"], decision["by"], decision["note"])


def test_all_discards_what_is_open_or_parked(settings_factory: SettingsFactory) -> None:
    """On every partition; a filter leaves the others."""
    settings = settings_factory()
    write_letters(settings, [*letters_of(settings, 4), *letters_of(settings, 1, replays=3)])

    (one,) = told(settings, "discard", "--partition", "1", "--offset", "1", *WHY)
    (parked,) = told(settings, "discard", "--state", "parked", *WHY)
    (rest,) = told(settings, "discard", "--all", *WHY)

    assert (["1/0"], ["0/2"], ["0/0", "0/1", "1/1"]) == (one["letters"], parked["letters"], rest["letters"])
    assert (1, 1, 3) == (one["discarded"], parked["discarded"], rest["discarded"])
    assert {"discarded"} == set(states(settings).values())


def test_one_letter_that_is_not_there_stops_all(settings_factory: SettingsFactory) -> None:
    """One line, and nothing is written."""
    settings = settings_factory()
    (name,) = write_letters(settings, letters_of(settings, 1))
    (line,) = dlq(settings, "discard", name, "0/9", *WHY, code=1).stderr.splitlines()

    assert "no letter 0/9" in line
    assert {name: "open"} == states(settings)


def test_a_letter_that_comes_after_the_question_is_not_discarded(settings_factory: SettingsFactory) -> None:
    """Nor is one that somebody else has decided on in between."""
    settings = settings_factory()
    first, _, third = write_letters(settings, letters_of(settings, 3))
    with PartitionReader(settings) as reader:
        work = Discard(settings, Letters(settings, reader), Selection(reason="rejected", states=frozenset({"open"})))
        work.look()
        decide(settings, third, REPLAYED)
        (late,) = write_letters(settings, letters_of(settings, 1))
        work.write(DISCARDED)

    assert (2, [(LetterName.parse(third), "replayed")]) == (work.discarded.count, work.discarded.skipped)
    assert ("discarded", "replayed", "open") == tuple(states(settings)[name] for name in (first, third, late))


def test_letters_that_moved_meanwhile_are_told(settings_factory: SettingsFactory) -> None:
    """An erasure has written them anew: it does not look as if all were discarded; run again, it finds them."""
    settings = settings_factory(topic_partitions=1)
    names = write_letters(settings, [replace(each, partition=0) for each in letters_of(settings, 3)])
    with PartitionReader(settings) as reader:
        work = Discard(settings, Letters(settings, reader), Selection())
        work.look()
        move_letters(settings, 0)
        with pytest.raises(MovedError, match="run it again"):
            work.write(DISCARDED)
    untouched = states(settings)

    (done,) = told(settings, "discard", "--all", *WHY)

    assert (0, 3) == (work.discarded.count, done["discarded"])
    assert dict.fromkeys(names, "open") == untouched


def test_two_at_once_discard_each_letter_once(settings_factory: SettingsFactory) -> None:
    """One of them may be told that it was overtaken; together they leave nothing open and write nothing twice."""
    settings = settings_factory()
    names = write_letters(settings, letters_of(settings, 40))
    works: list[Discard] = []
    trouble: list[StreamsError] = []

    def work() -> None:
        with PartitionReader(settings) as reader:
            mine = Discard(settings, Letters(settings, reader), Selection())
            works.append(mine)
            mine.look()
            try:
                mine.write(DISCARDED)
            except OvertakenError as error:
                trouble.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with PartitionReader(settings) as reader:
        letters = Letters(settings, reader)
        written = [str(name) for partition in (0, 1) for name, _ in letters.history(partition)]

    assert sorted(set(written)) == sorted(written)
    assert len(written) == sum(work.discarded.count for work in works)
    assert set(written) == set(names) or trouble


def test_a_person_is_asked_and_may_say_no(settings_factory: SettingsFactory) -> None:
    """On a terminal; then nothing is written, and it ends with 1."""
    settings = settings_factory()
    (name,) = write_letters(settings, letters_of(settings, 1))
    ours, theirs = os.openpty()
    try:
        os.write(ours, b"n\n")
        done = dlq(settings, "discard", "--all", "--reason-note", "x", code=1, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)

    assert "Discard 1 letter (1 rejected)?" in done.stderr
    assert ("", {name: "open"}) == (done.stdout.strip(), states(settings))
