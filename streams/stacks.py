"""Where every task and every thread stands, for the log: files, lines and functions, never a variable."""

import asyncio
import sys
import threading
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from types import CodeType
from typing import Any

import structlog

STACKS_MAX = 100  # different ones: who stands at the same place shares a line
FRAMES_MAX = 30  # the innermost ones
NAMES_MAX = 10

log = structlog.get_logger()


def log_stacks(loop: asyncio.AbstractEventLoop) -> None:
    """A line for each stack, from the outermost call to the innermost, and who stands there.

    The main thread first, which runs the loop, then tasks, where most of them are, then all other threads.
    """
    threads = _threads()
    tasks = Counter(_joined(_awaits(task.get_coro())) for task in asyncio.all_tasks(loop))
    stacks = [*threads[:1], *(("task", stack, count) for stack, count in tasks.most_common()), *threads[1:]]
    for of, stack, count in stacks[:STACKS_MAX]:
        log.error("stack", of=of, count=count, stack=stack)
    if len(stacks) > STACKS_MAX:
        log.error("more stacks than are shown", left_out=len(stacks) - STACKS_MAX)


def _threads() -> list[tuple[str, str, int]]:
    main = threading.main_thread().ident
    known = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames()  # noqa: SLF001 - its documented name
    names = defaultdict[str, list[str]](list)
    for ident in sorted(frames, key=lambda each: each != main):
        places = [_place(each.f_code, line) for each, line in traceback.walk_stack(frames[ident])]
        names[_joined(reversed(places))].append(known.get(ident, str(ident)))
    return [(f"thread {', '.join(each[:NAMES_MAX])}", stack, len(each)) for stack, each in names.items()]


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
