"""How fast letters go, and what a signal does."""

import signal
import time

import pytest

from streams.dead_letters.pace import Pace


def test_without_a_rate_nothing_waits() -> None:
    """A transaction may be as large as its other bounds let it."""
    pace = Pace()
    started = time.monotonic()

    assert all(pace.wait(1_000) for _ in range(100))
    assert time.monotonic() - started < 1
    assert pace.at_once > 1_000


def test_a_rate_is_kept_between_batches() -> None:
    """The first goes at once, the next when the first is paid for."""
    pace = Pace(100.0)
    started = time.monotonic()

    assert [True] * 3 == [pace.wait(10) for _ in range(3)]
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("rate", "at_once"), [(0.5, 1), (4, 1), (100, 25)])
def test_a_rate_goes_smoothly(rate: float, at_once: int) -> None:
    """A quarter of a second's worth in one go, at least one letter."""
    assert at_once == Pace(rate).at_once


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_only_ends_the_pace(number: signal.Signals) -> None:
    """What is being written is written; the second signal is as it ever was."""
    before = signal.getsignal(number)
    with Pace(0.001) as pace:
        assert pace.wait(1)

        signal.raise_signal(number)

        assert before == signal.getsignal(number)
        assert not pace.wait(1)
    assert pace.is_over
    assert before == signal.getsignal(number)
