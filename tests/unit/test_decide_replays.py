"""What a replayed change means: as the live one, but for the topic's order, which it may have lost."""

import pytest

from agents.steps.decide import Settled, after_action, after_settled, decide
from agents.steps.translate_change import translate_change
from schemas.person_state import PersonState
from schemas.replayed import Replayed
from schemas.translated import Change
from tests.builders import make_change

OLDER, NEWER = 5, 9  # offsets on either side of …
DELIVERED = PersonState(bytes(16), offset=7)  # … the last delivered one's


def live(offset: int = OLDER) -> Change:
    """A change that comes from its own topic."""
    change = translate_change(make_change(offset=offset, plan="pro"))
    assert isinstance(change, Change)
    return change


def replayed(
    offset: int = OLDER, *, version: int | None = None, occurred_ms: int | None = None, even_if_older: bool = False
) -> Change:
    """A change whose first offset was this one."""
    return live(1_000)._replace(version=version, occurred_ms=occurred_ms, replayed=Replayed(offset, even_if_older))


def word(change: Change, state: PersonState) -> str:
    """The decision in a word or three."""
    what = decide(change, state)
    return what if isinstance(what, str) else f"{what.outcome}:{what.reason}{f': {what.detail}' if what.detail else ''}"


SUPERSEDED = "superseded:older_timestamp: a later record of the topic was delivered"


@pytest.mark.parametrize(("offset", "expected"), [(OLDER, SUPERSEDED), (7, "identify"), (NEWER, "identify")])
def test_without_version_and_time_the_topics_order_decides(offset: int, expected: str) -> None:
    """Only what is strictly before the last delivered change is superseded."""
    assert word(replayed(offset), DELIVERED) == expected


def test_an_offset_that_is_not_known_supersedes_nothing() -> None:
    """As in entries that older workers have written."""
    assert word(replayed(), DELIVERED._replace(offset=None)) == "identify"


def test_a_live_change_is_never_compared_by_offset() -> None:
    """A topic that was made anew starts again at 0."""
    assert word(live(OLDER), DELIVERED) == "identify"


@pytest.mark.parametrize(
    ("version", "offset", "expected"),
    [
        (3, NEWER, "superseded:older_version"),
        (4, OLDER, SUPERSEDED),
        (4, NEWER, "identify"),
        (5, OLDER, "identify"),
        (None, OLDER, SUPERSEDED),
    ],
)
def test_versions_decide_and_a_tie_is_the_topics(version: int | None, offset: int, expected: str) -> None:
    """A newer version is newer wherever it stands."""
    assert word(replayed(offset, version=version), DELIVERED._replace(version=4)) == expected


@pytest.mark.parametrize(
    ("occurred_ms", "offset", "expected"),
    [
        (39, NEWER, "superseded:older_timestamp"),
        (40, OLDER, SUPERSEDED),
        (40, NEWER, "identify"),
        (41, OLDER, "identify"),
        (None, OLDER, SUPERSEDED),
    ],
)
def test_times_decide_and_a_tie_is_the_topics(occurred_ms: int | None, offset: int, expected: str) -> None:
    """A later time is later wherever it stands."""
    assert word(replayed(offset, occurred_ms=occurred_ms), DELIVERED._replace(occurred_ms=40)) == expected


def test_equal_versions_are_a_tie_whatever_the_times_say() -> None:
    """As for live changes, times are looked at only without versions."""
    state = DELIVERED._replace(version=4, occurred_ms=40)

    assert word(replayed(OLDER, version=4, occurred_ms=99), state) == SUPERSEDED
    assert word(replayed(NEWER, version=4, occurred_ms=1), state) == "identify"


@pytest.mark.parametrize(("version", "occurred_ms"), [(None, None), (1, None), (None, 1)])
def test_whoever_insists_is_not_superseded(version: int | None, occurred_ms: int | None) -> None:
    """By nothing; what is not to be sent for other reasons is not sent."""
    state = DELIVERED._replace(version=4, occurred_ms=40)
    change = replayed(version=version, occurred_ms=occurred_ms, even_if_older=True)

    assert word(change, state) == "identify"
    assert word(change, state._replace(deleted=True)) == "skipped:user_deleted"


def test_superseded_is_judged_before_everything_else() -> None:
    """A repeat of the last delivered one that stands before it, too."""
    change = replayed()
    state = DELIVERED._replace(fingerprint=change.fingerprint)

    assert word(change, state) == SUPERSEDED
    assert word(change, state._replace(deleted=True)) == SUPERSEDED


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (live(OLDER), OLDER),
        (live(NEWER), NEWER),
        (replayed(NEWER), NEWER),
        (replayed(OLDER, version=5), OLDER),  # newer than the last one by its version
        (replayed(OLDER, even_if_older=True), 7),
    ],
)
def test_what_was_not_superseded_tells_the_offset(change: Change, expected: int) -> None:
    """Delivered or a duplicate: the newest there is stands there. What was sent although it is older ages nothing."""
    state = DELIVERED._replace(version=4)
    known = state._replace(fingerprint=change.fingerprint)
    settled = decide(change, known)
    assert isinstance(settled, Settled)

    assert after_action(change, "identify", state).offset == expected
    assert after_settled(change, settled, known).offset == expected


def test_versions_that_tie_after_a_replay_are_ordered_by_the_topic() -> None:
    """A replay that was newer by its version does not make one of the same version that stands after it look older."""
    state = after_action(replayed(OLDER, version=5), "identify", DELIVERED._replace(version=4))

    assert word(replayed(OLDER + 1, version=5), state._replace(fingerprint=bytes(16))) == "identify"


def test_a_replay_tells_the_offset_where_none_is_known() -> None:
    """From then on other replays are held against it."""
    assert after_action(replayed(OLDER), "identify", PersonState()).offset == OLDER
