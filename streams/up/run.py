"""Runs `up` from its start to its end: the one place that says what a signal, a failure and a clean end mean."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from streams.settings import Settings
from streams.up.child import ChildFailedError
from streams.up.plan import make_plan
from streams.up.screen import Screen
from streams.up.signals import StopAsked, StopSignals
from streams.up.stack import Stack


def run_up(settings: Settings, *, screen: Screen, signals: StopSignals) -> None:
    """Run everything until a signal asks to stop, then stop everything; every exception stops everything too.

    Raises:
        ConfigError: credentials are incomplete, or topics are not as needed.
        UnavailableError: a part cannot be started, or ended by itself.
    """
    with contextlib.closing(screen), contextlib.suppress(StopAsked), _log_folder() as logs:
        plan = make_plan(settings)
        with contextlib.ExitStack() as parts:
            stack = Stack(settings, plan=plan, screen=screen, logs=logs, signals=signals, parts=parts)
            try:
                stack.start()
                stack.watch()
            finally:
                signals.ignore_further()
                with contextlib.suppress(OSError):  # whoever watched may be gone
                    screen.stop()


@contextlib.contextmanager
def _log_folder() -> Iterator[Path]:
    """Give a folder for logs that goes at the end, unless there is something in it to read."""
    folder = Path(tempfile.mkdtemp(prefix="cio-up-"))
    try:
        yield folder
    except ChildFailedError:
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
