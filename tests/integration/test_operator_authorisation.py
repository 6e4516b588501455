"""An operator with exactly the rights that the commands need, on a broker with users; with one less, a clear line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

import pytest

from streams.settings import Settings
from tests.integration.dlq_stage import letter_of, publish, write_letters
from tests.integration.guarded_cluster import OPERATOR, Cluster, Guard, Permission, guarded_cluster, make_settings
from tests.integration.watch_stage import letters, opened, until, watching
from tests.unit.input_records import InputRecord, make_upsert

COMMAND_S: Final = 60
INPUTS: Final = ("user-changes", "domain-events", "transactional-messages", "broadcast-triggers")
LEDGERS: Final = ("customerio-ledger-people", "customerio-ledger-events", "customerio-ledger-sends")
LETTERS: Final = ("customerio-dlq", "customerio-dlq-decisions", "customerio-replay")
WRITTEN: Final = ("customerio-dlq-decisions", "customerio-replay")
NEEDED: Final[tuple[Permission, ...]] = (
    *(("READ", name) for name in (*INPUTS, *LEDGERS, *LETTERS, "customerio-results")),
    *(("WRITE", name) for name in WRITTEN),
    ("DESCRIBE", "group"),
    ("WRITE", "ids of dlq"),
)
LIST: Final = "dlq list"
SHOW: Final = "dlq show 0/3"
REPLAY: Final = "dlq replay 0/0 --again --yes"
DISCARD: Final = "dlq discard 0/1 --yes --reason-note test"
AUDIT: Final = "audit"
WHY: Final = "why user-changes/0/0"

Prepared = tuple[Cluster, Settings, Guard]


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared]:
    """Give two records with their letters, one of which was replayed, and an operator who may do what is needed."""
    with guarded_cluster() as cluster:
        settings, guard = make_settings(cluster, OPERATOR)
        record = make_upsert(key=b"u-1")
        publish(settings, [record] * 2)
        topic = settings.topic(record.topic)
        placed = [InputRecord(topic=topic, offset=at, key=b"u-1", value=record.value) for at in range(4)]
        write_letters(settings, [letter_of(each) for each in placed])
        guard.allow(NEEDED)
        found = cluster, settings, guard
        assert run(found, "dlq replay 0/3 --yes").returncode == 0  # there is something to read on each topic
        yield found


def run(prepared: Prepared, command: str) -> subprocess.CompletedProcess[str]:
    """Run it as the operator."""
    cluster, settings, _ = prepared
    own = {"APP_ID": settings.app_id, "TOPIC_PREFIX": settings.topic_prefix, **cluster.as_user(OPERATOR)}
    return subprocess.run(
        [sys.executable, "-m", "streams", *command.split()],
        env={**os.environ, **own},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_S,
    )


def test_these_rights_are_enough(prepared: Prepared) -> None:
    """For everything but an erasure, which needs more."""
    done = {each: run(prepared, each) for each in (LIST, REPLAY, SHOW, DISCARD, AUDIT, WHY)}
    codes = {each: found.returncode for each, found in done.items()}

    assert {LIST: 0, REPLAY: 0, SHOW: 0, DISCARD: 0, AUDIT: 1, WHY: 0} == codes, [each.stderr for each in done.values()]
    assert "4 of 4 records have no result" in done[AUDIT].stderr  # no worker runs: it has read everything
    assert "1 of 1 letter replayed" in done[REPLAY].stdout
    assert "letters discarded: 1" in done[DISCARD].stdout
    assert "customerio-replay/0/" in done[WHY].stdout


@pytest.mark.parametrize(
    ("permission", "command"),
    [
        *((("READ", name), AUDIT) for name in (*INPUTS, "customerio-results")),
        (("READ", "customerio-replay"), SHOW),
        (("READ", "customerio-dlq"), LIST),
        (("READ", "customerio-dlq-decisions"), LIST),
        *((("READ", name), SHOW) for name in LEDGERS),
        (("WRITE", "customerio-replay"), REPLAY),
        (("WRITE", "customerio-dlq-decisions"), "dlq discard 0/2 --yes --reason-note test"),
        (("WRITE", "ids of dlq"), "dlq discard 0/2 --yes --reason-note test"),
        (("DESCRIBE", "group"), AUDIT),
        (("READ", "user-changes"), WHY),
        (("DESCRIBE", "group"), WHY),
    ],
)
def test_what_is_refused_is_told_in_one_line(prepared: Prepared, permission: Permission, command: str) -> None:
    """With its name, so that it can be allowed."""
    _, settings, guard = prepared
    guard.forbid(permission)
    done = run(prepared, command)
    guard.allow([permission])
    names = {"group": settings.app_id, "ids of dlq": f"{settings.app_id}-dlq-0"}

    assert 1 == done.returncode, done.stdout
    (line,) = done.stderr.splitlines()[-1:]
    assert names.get(permission[1], settings.topic(permission[1])) in line
    assert "authoriz" in line.lower() or "allow" in line.lower()
    assert "Traceback" not in done.stderr


def test_the_watch_needs_to_read_two_topics(prepared: Prepared) -> None:
    """And no group: it joins none."""
    cluster, _, _ = prepared
    settings, guard = make_settings(cluster, OPERATOR)
    letters(settings, 2)
    guard.allow([("READ", "customerio-dlq"), ("READ", "customerio-dlq-decisions")])
    own = {name.lower(): value for name, value in cluster.as_user(OPERATOR).items()}
    with watching(settings.with_changes(**own)) as watch:
        until(lambda: sum(opened(watch).values()) == 2)
