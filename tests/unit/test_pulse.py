"""The event loop's pulse: when it is missed, and when it is not."""

import asyncio
from collections.abc import Callable

from structlog.testing import capture_logs

from streams.pulse import TICK_S, Pulse

STUCK_S = 5.0


class Loop(asyncio.SelectorEventLoop):
    """Turns only when it is told to; `turns` says at which beats."""

    def __init__(self, turns: Callable[[int], bool]) -> None:
        super().__init__()
        self._turns = turns
        self.beats = 0

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: object, **_: object) -> asyncio.Handle:
        """Beat, if it turns."""
        self.beats += 1
        if self._turns(self.beats):
            callback(*args)
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        return asyncio.Handle(callback, args, self)


class World:
    """A pulse without time."""

    def __init__(self, turns: Callable[[int], bool]) -> None:
        self.loop = Loop(turns)
        self.codes: list[int] = []
        self.pulse = Pulse(self.loop, stuck_s=STUCK_S, sleep=self._sleep, end=self._end)
        self.close_after = 10_000

    def _sleep(self, seconds: float) -> None:
        assert seconds == TICK_S
        if self.loop.beats >= self.close_after:
            self.loop.close()

    def _end(self, code: int, say: Callable[[], None]) -> None:
        self.codes.append(code)
        say()
        self.loop.close()


def test_a_loop_that_turns_is_left_alone() -> None:
    """Until it is closed: then the process is at its end anyway."""
    world = World(lambda _: True)
    world.pulse.watch()

    assert (world.codes, world.loop.beats) == ([], world.close_after + 1)


def test_a_loop_that_turns_now_and_then_is_left_alone() -> None:
    """Each beat is a sign of life."""
    world = World(lambda beat: beat % 19 == 0)
    world.pulse.watch()

    assert world.codes == []


def test_a_loop_that_stands_still_ends_the_process() -> None:
    """Once it has for so many ticks: however late each of them was, as after a pause of the whole process."""
    world = World(lambda beat: beat < 100)
    with capture_logs() as logs:
        world.pulse.watch()

    assert (world.codes, world.loop.beats) == ([1], 98 + STUCK_S / TICK_S)
    assert logs[0]["event"] == "the event loop stands still"
    assert any(str(line.get("of", "")).startswith("thread MainThread") for line in logs)
