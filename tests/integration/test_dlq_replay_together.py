"""`cio-streams dlq replay` disturbed: interrupted and run again, by two at once, while workers are killed."""

import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from schemas.dead_letter import NAMED
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration import dlq_stage as stage
from tests.integration.letter_mix import change
from tests.integration.troubled_stage import READY
from tests.integration.worker_process import WorkerProcess, environment

WAIT_S: Final = 30.0
LETTERS: Final = 600
PARTITIONS: Final = 2


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give two partitions with dead letters of as many persons."""
    settings = settings_factory(topic_partitions=PARTITIONS)
    people = (change(f"u-{number}", partition=number % PARTITIONS, plan="pro") for number in range(LETTERS))
    stage.write_letters(settings, (stage.letter_of(person) for person in people))
    return settings


def start(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    """Begin to replay all letters."""
    return subprocess.Popen(
        stage.command("replay", "--all", "--yes", *arguments),
        env=stage.surroundings(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_copies(settings: Settings, count: int) -> None:
    """Wait until so many lie there."""
    deadline = time.monotonic() + WAIT_S
    while len(stage.copies(settings)) < count:
        assert time.monotonic() < deadline, "nothing is replayed"
        time.sleep(0.05)


def assert_replayed_once(settings: Settings) -> None:
    """Every letter has one copy and one decision, and lies in its order."""
    names = [f"{partition}/{offset}" for partition in range(PARTITIONS) for offset in range(LETTERS // PARTITIONS)]
    assert names == [stage.header(copy.headers, NAMED) for copy in stage.copies(settings)]
    assert names == [name for name, _ in stage.decisions(settings)]


@pytest.mark.parametrize("options", [("--limit", "500"), ("--again", "--limit", "500")])
def test_what_it_advises_goes_on_where_it_was(settings: Settings, options: tuple[str, ...]) -> None:
    """What was replayed before is not replayed a second time, and no more letters than were wanted."""
    wanted, before = 500 if "--limit" in options else LETTERS, 0
    if "--again" in options:
        stage.dlq(settings, "replay", "--all", "--yes")
        before = LETTERS
    running = start(settings, *options, "--rate", "200")
    wait_for_copies(settings, before + 1)
    running.send_signal(signal.SIGINT)
    _, complaint = running.communicate(timeout=WAIT_S)
    count = len(stage.copies(settings)) - before
    advice = complaint.splitlines()[-1].partition(" with ")[2].removesuffix(" for the rest").split()
    rest = stage.dlq(settings, "replay", "--all", "--yes", *options, *advice)
    times = Counter(stage.header(copy.headers, NAMED) for copy in stage.copies(settings))

    assert 0 < count < wanted
    assert (0, f"{wanted - count} of {wanted - count} letters replayed") == (
        rest.returncode,
        rest.stdout.splitlines()[-1],
    )
    assert before + wanted == sum(times.values())
    assert wanted == sum(count == 1 + bool(before) for count in times.values())


def test_it_may_be_interrupted_and_run_again(settings: Settings) -> None:
    """Ctrl-C ends it between two transactions: what is done is told, and done once."""
    running = start(settings, "--rate", "200")
    wait_for_copies(settings, 1)
    running.send_signal(signal.SIGINT)
    told, complaint = running.communicate(timeout=WAIT_S)
    count = len(stage.copies(settings))

    rest = stage.dlq(settings, "replay", "--all", "--yes")

    assert 1 == running.returncode
    said = f"Interrupted after {count} letters: run it again with --until 20"
    assert complaint.splitlines()[-1].startswith(said)
    assert complaint.endswith("Z for the rest\n")
    assert f"{count} of {LETTERS} letters replayed" in told
    assert 0 < count < LETTERS
    assert f"{LETTERS - count} of {LETTERS - count} letters replayed" in rest.stdout
    assert_replayed_once(settings)


def test_two_operators_never_replay_a_letter_twice(settings: Settings) -> None:
    """Who is overtaken says so and ends; the other one goes on from there."""
    both = [start(settings, "--rate", "1500") for _ in range(2)]
    ends = [(*each.communicate(timeout=WAIT_S), each.returncode) for each in both]

    assert {0, 1} >= {code for _, _, code in ends}
    for _, complaint, code in ends:
        assert (code == 1) is ("Another dlq command has begun on partition" in complaint), complaint
    assert any(code == 0 for _, _, code in ends)
    assert_replayed_once(settings)


def test_each_replay_has_one_result_though_workers_are_killed(settings: Settings, tmp_path: Path) -> None:
    """One dies at once in the middle of it, another takes over."""
    with running_sandbox() as url:
        own = environment(settings, url, TRACK_RATE_PER_S="20")
        with WorkerProcess(own, tmp_path / "first.log") as first:
            first.wait_until_it_says(READY)
            running = start(settings, "--rate", "400")
            wait_for_copies(settings, LETTERS // 4)
        _, complaint = running.communicate(timeout=WAIT_S)
        with WorkerProcess(own, tmp_path / "second.log") as second:
            second.wait_for(lambda: len(stage.results(settings)) >= LETTERS, WAIT_S)

    places = Counter((each["source"]["partition"], each["source"]["offset"]) for each in stage.results(settings))
    assert 0 == running.returncode, complaint
    assert {1} == set(places.values())
    assert {(copy.place.partition, copy.place.offset) for copy in stage.copies(settings)} == set(places)
    assert_replayed_once(settings)
