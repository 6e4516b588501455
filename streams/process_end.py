"""How this process ends in bounded time, whatever hangs: the event loop, a library's thread, or who reads the log.

So everything here is done in threads, and nothing is waited for without a bound; and where not even a thread of
Python's can go on, since a library keeps the interpreter's lock, the system's own timer ends the process.
"""

import os
import signal
import threading
import time
from collections.abc import Callable

import structlog

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LAST_WORDS_S = 1.0
LAST_RESORT_S = LAST_WORDS_S + 1.0

log = structlog.get_logger()


def on_signal(act: Callable[[], None]) -> None:
    """Call `act` in a thread at the first SIGTERM or SIGINT: the event loop might not get round to it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # for every thread from now on, so that the one below gets them

    def wait() -> None:
        signal.sigwait(SIGNALS)
        act()

    in_background(wait, "signals")


def end_at_last(seconds: float, code: int) -> None:
    """End then at the latest: executor threads are joined at exit otherwise, and a library's may hang.

    With `code`; or by SIGALRM, `LAST_RESORT_S` later, where a library keeps the interpreter's lock.
    """

    def end() -> None:
        time.sleep(seconds)
        end_now(code, lambda: log.warning("something hangs, ending now", after_s=seconds))

    # A signal that nobody handles: the kernel acts on it without us.
    signal.setitimer(signal.ITIMER_REAL, seconds + LAST_RESORT_S)
    in_background(end, "deadline")


def end_now(code: int, say: Callable[[], None]) -> None:
    """Say why, and end even if nobody takes the words."""
    in_background(say, "last words").join(LAST_WORDS_S)
    os._exit(code)


def in_background(work: Callable[[], None], name: str) -> threading.Thread:
    """Start a thread that nobody waits for at exit."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
