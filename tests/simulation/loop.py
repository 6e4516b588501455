"""Virtual time for many processes on one event loop: each can be stopped and woken as SIGSTOP and SIGCONT do.

Runs without threads and without chance, so that the same seed is the same run. It knows nothing of what is simulated.
"""

import asyncio
import heapq
import inspect
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from itertools import count
from typing import Any, TypeVar, cast

from tests.fake_time import TICK_S, FakeTimeLoop

T = TypeVar("T")

CALL_S = 0.002  # before a blocking call takes effect


class Process:
    """Everything that runs in its context stands still while it is stopped, and goes on late when it is woken."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_stopped = False
        self.parked: deque[asyncio.Handle] = deque()


#: Whose code is running; None is the outside, which never stops.
PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
_OUTSIDE = Context()
_BLOCKED: ContextVar[list[float]] = ContextVar("blocked")


class SimulatedTask(asyncio.Task[Any]):
    """Hashed by its number instead of its address: sets of tasks have the same order in every run."""

    def __init__(self, *args: Any, number: int, **kwargs: Any) -> None:  # noqa: ANN401 - as a task takes them
        self._number = number
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._number


class SimulationLoop(FakeTimeLoop):
    """Runs what is ready unless its process is stopped; when nothing is, the clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        numbers = count(1)

        def make(_: asyncio.AbstractEventLoop, work: Any, **kwargs: Any) -> "asyncio.Task[Any]":  # noqa: ANN401
            return SimulatedTask(work, loop=self, number=next(numbers), **kwargs)

        self.set_task_factory(make)
        self._stopped: list[Process] = []

    def _run_once(self) -> None:
        ready: deque[asyncio.Handle] = self._ready  # type: ignore[attr-defined]  # asyncio's own, as all below
        self._ring(ready)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process = cast(Context, handle._context).get(PROCESS)  # type: ignore[attr-defined]
            if process is not None and process.is_stopped:
                process.parked.append(handle)
            else:
                handle._run()

    def _ring(self, ready: deque[asyncio.Handle]) -> None:
        """Make the timers that are due ready."""
        queue: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        while queue and queue[0].cancelled():
            self._pop(queue)
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
        if not ready:
            assert queue or self._stopping, "nothing is left that could ever happen"  # type: ignore[attr-defined]
            if queue:
                self._now = max(self._now, queue[0].when()) + TICK_S
        while queue and queue[0].when() <= self._now:
            ready.append(self._pop(queue))

    def _pop(self, queue: list[asyncio.TimerHandle]) -> asyncio.TimerHandle:
        handle = heapq.heappop(queue)
        handle._scheduled = False  # type: ignore[attr-defined]
        return handle

    def stop_process(self, process: Process) -> None:
        """Let nothing of it run from now on."""
        process.is_stopped = True
        self._stopped.append(process)

    def wake_process(self, process: Process) -> None:
        """Let it go on where it was, with all that has become due meanwhile."""
        process.is_stopped = False
        self._stopped.remove(process)
        self._ready.extend(process.parked)  # type: ignore[attr-defined]
        process.parked.clear()

    def wake_all(self) -> None:
        """Let also the dead run, so that whatever ends the loop can end them."""
        for process in tuple(self._stopped):
            self.wake_process(process)

    def run_in_executor(  # type: ignore[override]  # a future is all that anybody wants of it
        self,
        executor: object,  # noqa: ARG002 - asyncio's signature
        func: Callable[..., Any],
        *args: Any,  # noqa: ANN401 - as above
    ) -> "asyncio.Future[Any]":
        """Run a blocking call at one moment of virtual time; as a thread, it does not stop when nobody waits any more.

        A call that must wait for something returns an awaitable instead.
        """
        heard: asyncio.Future[Any] = self.create_future()
        task = self.create_task(self._call(func, args))

        def tell(done: "asyncio.Task[Any]") -> None:
            error = None if done.cancelled() else done.exception()
            if heard.done() or done.cancelled():
                return
            if error is not None:
                heard.set_exception(error)
            else:
                heard.set_result(done.result())

        task.add_done_callback(tell)
        return heard

    async def _call(self, func: Callable[..., Any], args: tuple[Any, ...]) -> Any:  # noqa: ANN401 - whatever it returns
        blocked: list[float] = []
        _BLOCKED.set(blocked)
        await asyncio.sleep(CALL_S)
        try:
            result = func(*args)
            return await result if inspect.isawaitable(result) else result
        finally:
            await asyncio.sleep(sum(blocked))


def this_loop() -> SimulationLoop:
    """The loop that is running."""
    return cast(SimulationLoop, asyncio.get_running_loop())


def outside(delay_s: float, act: Callable[..., object], *args: object) -> None:
    """Do something later that belongs to no process, and so happens whatever becomes of whoever asked for it."""
    asyncio.get_running_loop().call_later(delay_s, act, *args, context=_OUTSIDE)


def block(seconds: float) -> None:
    """Called by what an executor runs: it takes so much longer until its caller hears of it."""
    _BLOCKED.get().append(seconds)


def spawn(process: Process, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Start something in a process."""
    context = _OUTSIDE.copy()
    context.run(PROCESS.set, process)
    return asyncio.get_running_loop().create_task(work, context=context)


def simulate(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=SimulationLoop) as runner:
        try:
            return runner.run(work)
        finally:
            loop = cast(SimulationLoop, runner.get_loop())
            loop.set_exception_handler(lambda *_: None)  # how the dead end now is nobody's business
            loop.wake_all()
