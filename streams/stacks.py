"""Where every task and every thread stands, for the log: files, lines and functions, never a variable."""

import asyncio
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from types import CodeType
from typing import Any

import structlog

STACKS_MAX = 100  # different ones: tasks that stand at the same place share a line
FRAMES_MAX = 30  # the innermost ones

log = structlog.get_logger()


def log_stacks(loop: asyncio.AbstractEventLoop) -> None:
    """A line for each stack, from the outermost call to the innermost; how many tasks stand there, or which thread."""
    stacks = Counter(("task", _joined(_awaits(task.get_coro()))) for task in asyncio.all_tasks(loop))
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - its documented name
        places = [_place(each.f_code, line) for each, line in traceback.walk_stack(frame)]
        stacks[f"thread {names.get(ident, ident)}", _joined(reversed(places))] += 1
    for (of, stack), count in stacks.most_common(STACKS_MAX):
        log.error("stack", of=of, count=count, stack=stack)
    if len(stacks) > STACKS_MAX:
        log.error("more stacks than are shown", left_out=len(stacks) - STACKS_MAX)


def _awaits(coroutine: Any) -> Iterator[str]:  # noqa: ANN401 - whatever can be awaited
    """Go from what a task runs to what that awaits, and so on: the task itself knows the first only."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is None:
            return
        yield _place(frame.f_code, frame.f_lineno)
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)


def _place(code: CodeType, line: int) -> str:
    return f"{'/'.join(PurePath(code.co_filename).parts[-2:])}:{line} {code.co_name}"


def _joined(places: Iterable[str]) -> str:
    return " > ".join(list(places)[-FRAMES_MAX:])
