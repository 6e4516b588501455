"""Evidence: when others' requests speak against one that keeps failing, and when the weather explains it."""

import itertools

import pytest

from streams.customerio.evidence import FAILURES_MAX, REGION_S_MAX, WEATHER_S, Evidence

NOW_S = 1000.0


@pytest.mark.parametrize(
    ("accepted_s", "is_evidence"), [((), False), ((9.0,), False), ((10.0,), True), ((15.0,), True), ((20.0,), False)]
)
def test_only_what_was_sent_in_between_counts(accepted_s: tuple[float, ...], is_evidence: bool) -> None:  # noqa: FBT001
    """Before its first failure the API may have been well, after its last attempt it may be well again."""
    evidence = Evidence(3)
    for sent_s in accepted_s:
        evidence.accepted(sent_s)

    assert evidence.others_accepted(10.0, 20.0) == is_evidence


def test_a_busy_api_does_not_crowd_out_what_was_earlier() -> None:
    """A time-out lasts for seconds in which thousands of requests are accepted."""
    evidence = Evidence(3)
    for n in range(120_000):
        evidence.accepted(n / 1000)

    assert evidence.others_accepted(10.0, 10.1)
    assert evidence.others_accepted(119.9985, float("inf"))


def test_in_fair_weather_attempts_are_enough() -> None:
    """The one first try that the request itself spoiled is no weather."""
    evidence = Evidence(3)
    for n in range(30):
        evidence.first_try(NOW_S, is_accepted=n != 7)

    assert evidence.failures_needed(NOW_S) == 3


@pytest.mark.parametrize(("failed", "needed"), [(2, 3), (6, 5), (11, 7), (26, 14), (50, FAILURES_MAX)])
def test_the_worse_the_weather_the_more_must_fail(failed: int, needed: int) -> None:
    """So many of the last fifty first tries failed: by chance alone, one in ten thousand fails so often in a row."""
    evidence = Evidence(3)
    for n in range(50):
        evidence.first_try(NOW_S, is_accepted=n >= failed)

    assert evidence.failures_needed(NOW_S) == needed


def test_weather_that_is_over_is_forgotten() -> None:
    """Where nobody new comes a record would else be tried a hundred times for what has passed long ago."""
    evidence = Evidence(3)
    for n in range(50):
        evidence.first_try(NOW_S + n, is_accepted=False)
    needed = [evidence.failures_needed(NOW_S + after_s + WEATHER_S) for after_s in (-1, 40, 48, 49)]

    assert needed == [FAILURES_MAX, 97, 23, 3]


def test_what_is_explained_is_no_weather() -> None:
    """A culprit that was found takes its first try along."""
    evidence = Evidence(3)
    for n in range(50):
        evidence.first_try(NOW_S, is_accepted=n >= 3)
    evidence.explained()
    evidence.explained()

    assert evidence.failures_needed(NOW_S) == 3


def test_without_failures_nothing_is_to_be_explained() -> None:
    """It may have gone out of sight since."""
    evidence = Evidence(2)
    evidence.explained()

    assert evidence.failures_needed(NOW_S) == 2


def test_the_region_convicts_ever_more_rarely() -> None:
    """It may answer while no data is taken: each time it is asked half as often, until it was quiet for long."""
    evidence = Evidence(3)
    now_s, times = 0.0, []
    while now_s < 20_000:
        if evidence.may_ask_region(now_s):
            evidence.region_convicted(now_s)
            times.append(now_s)
        now_s += 10

    assert times[:4] == [0, 60, 180, 420]
    assert max(b - a for a, b in itertools.pairwise(times)) == REGION_S_MAX

    evidence.region_convicted(now_s := now_s + 3 * REGION_S_MAX)
    assert evidence.may_ask_region(now_s + 60)
