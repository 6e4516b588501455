"""Runs one command and ends it as soon as whoever started it is gone, however that one died; imports nothing of ours.

Started with `subprocess.Popen([sys.executable, process_guard.__file__, spec], stdin=PIPE, start_new_session=True)`: its
standard input ends when the starting process does, and a session of its own keeps the terminal's Ctrl-C away.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import FrameType

STOP_S = 5.0


def spec(command: Sequence[str], *, last_commands: Sequence[Sequence[str]] = (), folders: Sequence[str] = ()) -> str:
    """Say what to run, and what to run and remove afterwards if nobody is left to do it."""
    return json.dumps({"command": command, "last_commands": last_commands, "folders": folders})


def main() -> int:
    """Run the command until it ends, we are told to stop, or standard input ends."""
    wanted = json.loads(sys.argv[1])
    child: subprocess.Popen[bytes] | None = None
    is_asked = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal is_asked
        is_asked = True
        if child is not None:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)  # first: a guard that died of it here would leave a program that nobody ends
    child = subprocess.Popen(wanted["command"], stdin=subprocess.DEVNULL)  # noqa: S603 - our starter's command
    if is_asked:
        child.terminate()
    orphaned = threading.Event()
    threading.Thread(target=_follow_starter, args=(child, orphaned), daemon=True).start()
    code = child.wait()
    if orphaned.is_set():
        _clear(wanted["last_commands"], wanted["folders"])
    return code if code >= 0 else 128 - code


def _follow_starter(child: subprocess.Popen[bytes], orphaned: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1):  # unbuffered: a buffer's lock held here would abort the interpreter's end
        pass
    orphaned.set()
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()


def _clear(last_commands: Sequence[Sequence[str]], folders: Sequence[str]) -> None:
    for command in last_commands:
        with contextlib.suppress(OSError):
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - as above
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
