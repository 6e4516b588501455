"""What the log shows of tasks and threads that hang."""

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from streams import stacks
from tests.builders import settle_down


async def waits_for_nothing(secret: str) -> None:
    """Hold a payload meanwhile."""
    await asyncio.Event().wait()
    print(secret)  # noqa: T201 - it never comes to this


async def outer() -> None:
    """Be the one whom the task knows."""
    await waits_for_nothing("ada@example.com")


async def test_a_task_shows_all_that_it_awaits() -> None:
    """From the outermost call to the innermost, by file, line and function, and never a value."""
    task = asyncio.create_task(outer())
    await settle_down()
    with capture_logs() as logs:
        stacks.log_stacks(asyncio.get_running_loop())
    task.cancel()
    (stack,) = [line["stack"] for line in logs if "outer" in str(line.get("stack"))]

    assert [place.split(":")[0] + place[place.index(" ") :] for place in stack.split(" > ")] == [
        "unit/test_stacks.py outer",
        "unit/test_stacks.py waits_for_nothing",
        "asyncio/locks.py wait",
    ]
    assert "example" not in str(logs)


async def test_those_at_the_same_place_share_a_line() -> None:
    """A worker has hundreds of tasks, and few places where they wait."""
    tasks = [asyncio.create_task(outer()) for _ in range(300)]
    await settle_down()
    with capture_logs() as logs:
        stacks.log_stacks(asyncio.get_running_loop())
    for task in tasks:
        task.cancel()

    assert [line["count"] for line in logs if "outer" in str(line.get("stack"))] == [300]


async def test_a_thread_shows_where_it_stands() -> None:
    """By its name."""
    hold = threading.Event()
    thread = threading.Thread(target=hold.wait, name="journal_0")
    thread.start()
    with capture_logs() as logs:
        stacks.log_stacks(asyncio.get_running_loop())
    hold.set()
    thread.join()
    (stack,) = [line["stack"] for line in logs if "journal_0" in str(line.get("of"))]

    assert stack.endswith("wait")


async def test_the_main_thread_is_shown_whatever_else_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs the loop that stands still; threads that stand at the same place share a line."""
    monkeypatch.setattr(stacks, "STACKS_MAX", 1)
    hold = threading.Event()
    threads = [threading.Thread(target=hold.wait, name=f"idle_{number}") for number in range(20)]
    for thread in threads:
        thread.start()
    with capture_logs() as alone:
        stacks.log_stacks(asyncio.get_running_loop())
    monkeypatch.undo()
    with capture_logs() as all_of_them:
        stacks.log_stacks(asyncio.get_running_loop())
    hold.set()
    for thread in threads:
        thread.join()
    (idle,) = [line for line in all_of_them if "idle_" in str(line.get("of"))]

    assert (alone[0]["of"], alone[0]["count"]) == (f"thread {threading.main_thread().name}", 1)
    assert idle["count"] >= len(threads)


async def test_there_is_an_end_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many places there are, and however deep: the innermost are shown."""
    monkeypatch.setattr(stacks, "STACKS_MAX", 10)

    async def deep(levels: int) -> None:
        await (deep(levels - 1) if levels else asyncio.Event().wait())

    tasks = [asyncio.create_task(deep(levels)) for levels in range(stacks.FRAMES_MAX + 5)]
    await settle_down(100)
    with capture_logs() as logs:
        stacks.log_stacks(asyncio.get_running_loop())
    for task in tasks:
        task.cancel()

    assert len(logs) == 11
    assert logs[-1]["left_out"] >= stacks.FRAMES_MAX - 10
    assert max(str(line.get("stack")).count(" > ") for line in logs) == stacks.FRAMES_MAX - 1
