"""How a signal ends `up`."""

import signal
import threading

import pytest

from schemas.errors import UnavailableError
from streams.up.signals import StopAsked, StopSignals, run_interruptibly

TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("number", TAKEN)
def test_a_signal_interrupts_whatever_is_being_done(number: signal.Signals) -> None:
    """Ctrl-C, a service manager and a closed window all mean the same."""
    signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    StopSignals().install()

    with pytest.raises(StopAsked):
        signal.raise_signal(number)


def test_sigint_counts_also_where_the_shell_has_had_it_ignored() -> None:
    """A script's `cio-streams up &` can be ended with `kill -INT`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    StopSignals().install()

    with pytest.raises(StopAsked):
        signal.raise_signal(signal.SIGINT)


def test_nohup_is_respected() -> None:
    """Whoever ignores hanging up means it."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    StopSignals().install()

    signal.raise_signal(signal.SIGHUP)

    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_second_signal_does_not_disturb_the_stopping() -> None:
    """Impatience leaves no process behind."""
    signals = StopSignals()
    with pytest.raises(StopAsked):
        signals.handle(signal.SIGINT, None)

    signals.handle(signal.SIGINT, None)


def test_a_signal_during_the_end_after_a_failure_changes_nothing() -> None:
    """The exit code stays that of the failure."""
    signals = StopSignals()
    signals.ignore_further()

    signals.handle(signal.SIGINT, None)
    signals.check()


def test_a_signal_whose_exception_got_lost_is_found_at_the_next_check() -> None:
    """A library's callback may swallow any exception."""
    signals = StopSignals()
    with pytest.raises(StopAsked):
        signals.handle(signal.SIGINT, None)

    with pytest.raises(StopAsked):
        signals.check()


def test_without_a_signal_a_check_passes() -> None:
    """It is made ten times a second."""
    StopSignals().check()


def test_blocking_work_gives_its_result() -> None:
    """It is done in another thread."""
    assert run_interruptibly(threading.current_thread) is not threading.current_thread()


def test_blocking_work_gives_its_error() -> None:
    """As if it had been called directly."""

    def fail() -> None:
        raise UnavailableError("Kafka does not answer")

    with pytest.raises(UnavailableError, match="does not answer"):
        run_interruptibly(fail)


def test_a_signal_is_not_kept_waiting_by_work_that_blocks() -> None:
    """A Kafka that does not answer is waited for inside a C library, where no exception gets in."""
    StopSignals().install()
    answer = threading.Event()

    def wait() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        answer.wait(60)

    with pytest.raises(StopAsked):
        run_interruptibly(wait)
    answer.set()
