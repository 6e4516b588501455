"""What one change means, given what was last delivered."""

import pytest

from agents.steps.decide import Settled, after_action, after_settled, decide, operations
from agents.steps.translate_change import translate_change
from schemas.person_state import UNKNOWN, PersonState
from schemas.replayed import Replayed
from schemas.translated import Change
from tests.builders import make_change, make_deletion
from tests.unit.input_records import InputRecord

OUT = {"marketing": False, "transactional": False}
IN = {"marketing": True}


def change(record: InputRecord) -> Change:
    """The translated change of a record that is good."""
    translated = translate_change(record)
    assert isinstance(translated, Change)
    return translated


PLAIN = change(make_change(plan="pro"))
OPT_OUT = change(make_change(preferences=OUT))
OPT_IN = change(make_change(preferences=IN))
DELETION = change(make_deletion())
DELIVERED = after_action(PLAIN, "identify", UNKNOWN)
OPTED_OUT = after_action(OPT_OUT, "opt_out", UNKNOWN)
DELETED = after_action(DELETION, "delete", UNKNOWN)


def word(what: Settled | str) -> str:
    """The decision in one word or two."""
    return what if isinstance(what, str) else f"{what.outcome}:{what.reason}"


@pytest.mark.parametrize(
    ("made", "state", "expected"),
    [
        (PLAIN, UNKNOWN, "identify"),
        (PLAIN, DELIVERED, "duplicate:fingerprint"),
        (PLAIN, OPTED_OUT, "skipped:user_opted_out"),
        (PLAIN, DELETED, "skipped:user_deleted"),
        (OPT_OUT, UNKNOWN, "opt_out"),
        (OPT_OUT, DELIVERED, "opt_out"),
        (OPT_OUT, OPTED_OUT, "duplicate:fingerprint"),
        (OPT_OUT, DELETED, "skipped:user_deleted"),
        (OPT_IN, UNKNOWN, "identify"),
        (OPT_IN, OPTED_OUT, "opt_in"),
        (OPT_IN, DELETED, "skipped:user_deleted"),
        (DELETION, UNKNOWN, "delete"),
        (DELETION, DELIVERED, "delete"),
        (DELETION, OPTED_OUT, "delete"),
        (DELETION, DELETED, "duplicate:fingerprint"),
    ],
)
def test_every_kind_meets_every_state(made: Change, state: PersonState, expected: str) -> None:
    """The contract's table, row by row."""
    assert expected == word(decide(made, state))


@pytest.mark.parametrize(
    "preferences",
    [None, {}, {"marketing": None}, {"marketing": False}, {"marketing": False, "transactional": None}],
)
def test_only_a_true_preference_opts_in_again(preferences: dict[str, object] | None) -> None:
    """An opted-out user stays so while no preference is true, whatever else the upsert says."""
    made = change(make_change(plan="pro", preferences=preferences))

    assert word(decide(made, OPTED_OUT)) == "skipped:user_opted_out"


@pytest.mark.parametrize(
    ("version", "expected"),
    [(6, "superseded:older_version"), (7, "identify"), (8, "identify"), (None, "identify")],
)
def test_only_a_strictly_lower_version_is_superseded(version: int | None, expected: str) -> None:
    """Equal versions and records without one are judged on what they say."""
    made = PLAIN._replace(version=version)

    assert expected == word(decide(made, PersonState(version=7)))


@pytest.mark.parametrize(
    ("occurred_ms", "expected"),
    [(6_999, "superseded:older_timestamp"), (7_000, "identify"), (None, "identify")],
)
def test_only_a_strictly_earlier_time_is_superseded(occurred_ms: int | None, expected: str) -> None:
    """Times order changes to the millisecond, where both have one."""
    made = PLAIN._replace(occurred_ms=occurred_ms)

    assert expected == word(decide(made, PersonState(occurred_ms=7_000)))


def test_versions_decide_before_times() -> None:
    """A newer version with an older time counts, and an older version with a newer time does not."""
    state = PersonState(version=7, occurred_ms=7_000)

    assert word(decide(PLAIN._replace(version=8, occurred_ms=1), state)) == "identify"
    assert word(decide(PLAIN._replace(version=6, occurred_ms=9_999), state)) == "superseded:older_version"


@pytest.mark.parametrize("kind", [PLAIN, OPT_OUT, OPT_IN, DELETION])
@pytest.mark.parametrize("state", [DELIVERED, OPTED_OUT, DELETED])
def test_superseded_is_judged_first(kind: Change, state: PersonState) -> None:
    """Before duplicate, deleted and opted out."""
    made = kind._replace(version=1)

    assert word(decide(made, state._replace(version=2))) == "superseded:older_version"


def test_a_duplicate_moves_version_and_time_on() -> None:
    """What comes between the first and its repeat is superseded from then on."""
    state = DELIVERED._replace(version=7, occurred_ms=7_000)
    repeat = PLAIN._replace(version=9, occurred_ms=9_000)
    settled = decide(repeat, state)
    assert isinstance(settled, Settled)

    assert after_settled(repeat, settled, state) == state._replace(version=9, occurred_ms=9_000)


def test_a_duplicate_moves_nothing_back() -> None:
    """A newer version with an older time leaves the highest time known."""
    state = DELIVERED._replace(version=7, occurred_ms=7_000)
    repeat = PLAIN._replace(version=9, occurred_ms=5_000)
    settled = decide(repeat, state)
    assert isinstance(settled, Settled)

    assert after_settled(repeat, settled, state) == state._replace(version=9)


@pytest.mark.parametrize("state", [OPTED_OUT, DELETED])
def test_what_is_skipped_or_superseded_moves_nothing(state: PersonState) -> None:
    """The very same state, so that nothing is written for it."""
    for made in (PLAIN._replace(version=9), PLAIN._replace(occurred_ms=-1)):
        settled = decide(made, state._replace(occurred_ms=0))
        assert isinstance(settled, Settled)

        assert after_settled(made, settled, state) is state


def test_a_duplicate_that_moves_nothing_keeps_the_very_state() -> None:
    """The replay of what was delivered writes nothing to the ledger."""
    again = PLAIN._replace(replayed=Replayed(PLAIN.record.offset, even_if_older=False))
    settled = decide(again, DELIVERED)
    assert isinstance(settled, Settled)

    assert after_settled(again, settled, DELIVERED) is DELIVERED


def test_the_time_sent_never_falls() -> None:
    """A newer version with an older time is sent with the last timestamp, else Customer.io would ignore it."""
    state = after_action(PLAIN._replace(time_s=90), "identify", PersonState(sent_s=100, occurred_ms=100_000))

    assert state.sent_s == 100


def test_what_an_action_leaves_behind() -> None:
    """Opt-out and deletion are flags of their own; a deletion ends an opt-out."""
    flags = [
        (state.opted_out, state.deleted)
        for state in (DELIVERED, OPTED_OUT, DELETED, after_action(DELETION, "delete", OPTED_OUT))
    ]

    assert flags == [(False, False), (True, False), (False, True), (False, True)]


def test_an_unsuppress_alone_delivers_nothing() -> None:
    """After it the identify of the same change is still to be sent, even if it says what was delivered before."""
    state = after_action(OPT_IN, "opt_in", OPTED_OUT._replace(fingerprint=OPT_IN.fingerprint))

    assert word(decide(OPT_IN, state)) == "identify"


def test_operations_name_what_is_done() -> None:
    """A result lists both operations of what takes two."""
    assert [operations(each) for each in (PLAIN, OPT_OUT, DELETION)] == [
        ("identify",),
        ("suppress",),
        ("suppress", "delete"),
    ]
    assert operations(OPT_IN, opting_in=True) == ("unsuppress", "identify")
