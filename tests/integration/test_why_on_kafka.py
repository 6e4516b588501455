"""`cio-streams why` in a process of its own, on a real Kafka: the story of records that ended in different ways."""

from typing import Final

import pytest

from schemas import dead_letter
from schemas.dead_letter import LetterName
from schemas.decision import Decision, decision_key, encode_decision
from schemas.person_state import PersonState, pack
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration.recorded_history import History, run, run_json

CHANGES: Final = "user-changes"
RESULTS: Final = "customerio-results"
EMAIL: Final = "ada@example.com"
VALUE: Final = b'{"type": "user.upserted", "user": {"id": "u-1", "email": "ada@example.com"}}'


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give topics of our own."""
    return settings_factory()


@pytest.fixture
def history(settings: Settings) -> History:
    """Give two records on partition 1, the second of which is dead."""
    made = History(settings)
    made.publish(CHANGES, 4, key=EMAIL.encode(), value=VALUE, partition=1)
    made.commit(CHANGES, 2, partition=1)
    made.conclude([(CHANGES, 1, 0)], user_id=EMAIL)
    made.conclude([(CHANGES, 1, 1)], outcome="dead", reason="rejected", status=400, detail="email: is bad")
    made.bury((CHANGES, 1, 1))
    return made


def replay(history: History) -> None:
    """Replay the dead one, as `dlq replay` and a worker do; the replay's place is 1/0."""
    settings = history.settings
    origin = {"topic": settings.topic(CHANGES), "partition": 1, "offset": 1}
    headers = [
        (name, str(text).encode())
        for name, text in (
            (dead_letter.TOPIC, origin["topic"]),
            (dead_letter.PARTITION, origin["partition"]),
            (dead_letter.OFFSET, origin["offset"]),
            (dead_letter.REPLAYS, 1),
        )
    ]
    history.write("customerio-replay", [{"partition": 1, "key": b"u-1", "value": VALUE, "headers": headers}])
    decision = Decision(decision="replayed", at="2026-11-23T10:00:00.000Z", by="ops", note="[fixed] upstream")
    key = decision_key(LetterName(1, 0))
    history.write("customerio-dlq-decisions", [{"partition": 1, "key": key, "value": encode_decision(decision)}])
    history.conclude([("customerio-replay", 1, 0)], origin=origin, processed_at="2026-11-23T10:00:01.000Z")


def test_a_delivered_record(settings: Settings, history: History) -> None:
    """Its result, and what the ledger says of its user now, without personal data; the full name is taken too."""
    old, new = pack(PersonState(version=1)), pack(PersonState(version=17, deleted=True))
    people = [{"partition": 1, "key": EMAIL.encode(), "value": value} for value in (old, new)]
    history.write("customerio-ledger-people", people)

    code, data = run_json(settings, "why", f"{CHANGES}/1/0")
    plain = run(settings, "why", f"{settings.topic(CHANGES)}/1/0")
    revealed = run(settings, "why", f"{CHANGES}/1/0", "--reveal")

    assert (0, 0, 0) == (code, plain.returncode, revealed.returncode)
    assert (settings.topic(CHANGES), 1, 0) == (data["topic"], data["partition"], data["offset"])
    assert (len(EMAIL), len(VALUE), "a***m (15)") == (
        data["record"]["key_bytes"],
        data["record"]["value_bytes"],
        data["record"]["key"],
    )
    assert ["delivered"] == [result["outcome"] for result in data["results"]]
    assert ([], []) == (data["letters"], data["replays"])
    assert (17, True, False) == (data["user"]["version"], data["user"]["deleted"], data["user"]["opted_out"])
    assert "a***m (15): deleted, version 17" in plain.stdout
    assert EMAIL not in plain.stdout + str(data)
    assert f"key {EMAIL}" in revealed.stdout


def test_a_record_that_nobody_has_worked_on(settings: Settings, history: History) -> None:
    """It says how far the group is."""
    assert history.settings == settings

    plain = run(settings, "why", f"{CHANGES}/1/3")
    code, data = run_json(settings, "why", f"{CHANGES}/1/3")

    assert (0, 0, [], 2) == (plain.returncode, code, data["results"], data["next_offset"])
    assert "not yet worked on: the group goes on at 2, 1 offset before it" in plain.stdout


def test_a_dead_record_and_its_replay(settings: Settings, history: History) -> None:
    """Its letter with reason, state and decision; the replay with its own result; asked for by either place."""
    before = run_json(settings, "why", f"{CHANGES}/1/1")[1]
    replay(history)
    after = run_json(settings, "why", f"{CHANGES}/1/1")[1]
    plain = run(settings, "why", "customerio-replay/1/0")

    assert [("1/0", "malformed", "open", None)] == [
        (each["letter"], each["reason"], each["state"], each["decision"]) for each in before["letters"]
    ]
    assert (["dead"], []) == ([each["outcome"] for each in before["results"]], before["replays"])
    (letter,), (copy,) = after["letters"], after["replays"]
    assert ("replayed", "replayed", "ops") == (
        letter["state"],
        letter["decision"]["decision"],
        letter["decision"]["by"],
    )
    assert (["dead"], ["delivered"]) == (
        [each["outcome"] for each in after["results"]],
        [each["outcome"] for each in copy["results"]],
    )
    assert (1, 0) == (copy["partition"], copy["offset"])
    assert settings.topic(f"{CHANGES}/1/1") in plain.stdout
    assert "letter 1/0, by ops: [fixed] upstream" in plain.stdout
    assert "as a replay" in plain.stdout


def test_a_result_from_before_its_records_time_is_found(settings: Settings, history: History) -> None:
    """Publishers may give any time; it is searched for where the group is past the record."""
    history.commit(CHANGES, 3, partition=1)
    history.write(RESULTS, [{"partition": 1, "value": history.result((CHANGES, 1, 2)), "timestamp": 1_000_000}])

    assert ["delivered"] == [each["outcome"] for each in run_json(settings, "why", f"{CHANGES}/1/2")[1]["results"]]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("user-changes/1/5", "does not exist yet: the next record there will be at 5"),
        ("user-changes/1/4", "holds no record"),
        ("user-changes/9/0", "has no partition 9: it has 2"),
        ("customerio-replay/0/0", "does not exist yet"),
    ],
)
def test_an_unknown_place_is_told_in_one_line(settings: Settings, history: History, place: str, said: str) -> None:
    """What is the matter with it."""
    assert history.settings == settings

    done = run(settings, "why", place)
    (line,) = done.stderr.splitlines()

    assert (1, "") == (done.returncode, done.stdout)
    assert said in line


def test_a_record_that_was_deleted(settings: Settings, history: History) -> None:
    """What is left of it is told; where nothing is, it says so."""
    history.delete_before(CHANGES, 3, partition=1)

    code, data = run_json(settings, "why", f"{CHANGES}/1/0")
    nothing = run(settings, "why", f"{CHANGES}/1/2")

    assert (0, None, ["delivered"]) == (code, data["record"], [each["outcome"] for each in data["results"]])
    assert (1, True) == (nothing.returncode, "nothing is left that tells of it" in nothing.stderr)
