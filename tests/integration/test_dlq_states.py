"""`--state` narrows every command that takes it, on a real Kafka, and `show` says whether a replay takes a letter."""

from typing import Final

import pytest

from schemas.decision import Decision, DecisionKind
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration.letters_on_kafka import dlq, told, write_letters
from tests.integration.test_dlq_discard import decide
from tests.letters import make_letter
from tests.unit.input_records import InputRecord, make_upsert

DECIDED: Final[dict[str, DecisionKind]] = {"0/1": "replayed", "0/2": "edited", "0/3": "discarded", "0/4": "parked"}
STATES: Final = {
    "open": ["0/0", "0/6"],
    "replayed": ["0/1", "0/2"],
    "discarded": ["0/3"],
    "parked": ["0/4", "0/5"],
}
AMBIGUOUS: Final = "0/6"


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give letters in every state; 0/5 is parked for its replays alone, 0/6 is of a send that may have gone out."""
    settings = settings_factory(topic_partitions=1)
    changes, sends = settings.topic("user-changes"), settings.topic("transactional-messages")
    value = make_upsert().value
    records = [InputRecord(topic=changes, offset=number, key=b"u-1", value=value) for number in range(6)]
    write_letters(
        settings,
        [
            *(make_letter(each, replays=3 if each.offset == 5 else 0) for each in records),
            make_letter(InputRecord(topic=sends, key=b"u-1", value=b"{}"), "ambiguous_send"),
        ],
    )
    for name, kind in DECIDED.items():
        replays = 1 if kind in {"replayed", "edited"} else 0
        decide(settings, name, Decision(decision=kind, at="2026-11-22T11:00:00.000Z", by="eve", replays=replays))
    return settings


def test_what_only_looks_is_narrowed(settings: Settings) -> None:
    """To the letters in that state, for people and programs."""
    listed = {each: sorted(line["letter"] for line in told(settings, "list", "--state", each)) for each in STATES}
    counted = {each: told(settings, "stats", "--state", each)[0] for each in STATES}
    (count, *_) = dlq(settings, "stats", "--state", "discarded").stdout.splitlines()

    assert STATES == listed
    assert {each: len(names) for each, names in STATES.items()} == {
        each: found["total"] for each, found in counted.items()
    }
    assert all(found["total"] == found["by_state"][each] for each, found in counted.items())
    assert "1 dead letter, 0 open" == count


def test_a_replay_is_narrowed(settings: Settings) -> None:
    """Within what its rules take: a state is no permission."""
    rehearsed = {
        (state, rule): sorted(line["letter"] for line in told(settings, "replay", "--state", state, "--what-if", *rule))
        for state, rule in (
            *(("open", ()), ("open", ("--even-if-sent",)), ("replayed", ()), ("replayed", ("--again",))),
            *(("discarded", ("--again",)), ("parked", ()), ("parked", ("--force",))),
        )
    }

    assert {
        ("open", ()): ["0/0"],
        ("open", ("--even-if-sent",)): STATES["open"],
        ("replayed", ()): [],
        ("replayed", ("--again",)): STATES["replayed"],
        ("discarded", ("--again",)): STATES["discarded"],
        ("parked", ()): [],
        ("parked", ("--force",)): STATES["parked"],
    } == rehearsed


def test_show_says_whether_a_replay_takes_it(settings: Settings) -> None:
    """As it is, without an option."""
    names = sorted(name for those in STATES.values() for name in those)

    assert {name: name == "0/0" for name in names} == {
        line["letter"]: line["taken"] for line in told(settings, "show", *names)
    }
