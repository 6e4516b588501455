"""The workers of a run: started, killed, stopped, paused and cut off as the script says, and missed when they crash."""

import asyncio
import random

from streams.settings import Settings
from tests.simulation.customerio import CustomerIo
from tests.simulation.kafka import Broker
from tests.simulation.loop import outside
from tests.simulation.script import Action, Script
from tests.simulation.story import Story
from tests.simulation.worker import Outside, Worker

WORKERS_MAX = 5
END_S_MAX = 10.0  # beyond the drain
SLOW_S, FAST_S = 8.0, 0.02
RESTART_S = 1.0
CRASHES_MAX = 20  # what always crashes is not started again and again for half an hour


class Fleet:
    """Whoever is killed or stopped is replaced later, as an orchestrator would."""

    def __init__(self, script: Script, story: Story, broker: Broker, customerio: CustomerIo) -> None:
        self.workers: list[Worker] = []
        self.violations: list[str] = []
        self._script = script
        self._story = story
        self._broker = broker
        self._ending: set[asyncio.Task[None]] = set()
        self._settings = Settings(track_rate_per_s=script.rate_per_s)
        self._outside = Outside(
            broker=broker,
            customerio=customerio,
            settings=self._settings,
            chunk_max=script.chunk_max,
            failed=self._crashed,
        )

    @property
    def awake(self) -> list[Worker]:
        """Those at work."""
        return [each for each in self.workers if not (each.is_dead or each.is_ending or each.process.is_stopped)]

    def start(self) -> None:
        """Start one more, unless there are enough."""
        if len(self.awake) < WORKERS_MAX:
            number = len(self.workers)
            self._story.tell(f"w{number} starts")
            self.workers.append(Worker(number, self._outside, random.Random(f"{self._script.seed} w{number}")))

    def act(self, action: Action) -> None:
        """Do what the script says to whom it says."""
        if action.kind == "slow Kafka":
            self._story.tell(f"transactions are slow for {action.lasts_s:.1f} s")
            self._broker.slow_s = SLOW_S
            outside(action.lasts_s, self._hurry)
        elif action.kind == "start":
            self.start()
        elif awake := self.awake:
            worker = awake[int(action.pick * len(awake))]
            self._story.tell(f"{worker.name}: {action.kind}, {action.lasts_s:.1f} s")
            self._act_on(worker, action)

    def _act_on(self, worker: Worker, action: Action) -> None:
        match action.kind:
            case "kill":
                self._broker.hang(worker.name, worker.open_places())
                worker.kill()
                outside(action.lasts_s, self.start)
            case "stop":
                self.stop(worker)
                outside(action.lasts_s, self.start)
            case "pause":
                worker.pause()
                outside(action.lasts_s, worker.wake)
            case "cut":
                worker.cut()
                outside(action.lasts_s, worker.mend)
            case "start" | "slow Kafka":
                pass  # nothing that is done to a worker

    def _hurry(self) -> None:
        self._broker.slow_s = FAST_S

    def stop(self, worker: Worker) -> None:
        """Ask one to end."""
        task = asyncio.create_task(self._end(worker))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, worker: Worker) -> None:
        asked_s = self._story.now_s()
        await worker.end()
        took_s = self._story.now_s() - asked_s
        self._story.tell(f"{worker.name} has ended after {took_s:.1f} s")
        if took_s > self._settings.drain_s + END_S_MAX:
            self.violations.append(f"end: {worker.name} took {took_s:.1f} s")

    def recover(self) -> None:
        """Let all faults end."""
        for worker in self.workers:
            worker.wake()
            worker.mend()
        self._broker.trouble = 0.0
        self._hurry()
        if not self.awake:
            self.start()
        self._story.tell("all faults are over")

    async def stop_all(self) -> None:
        """Ask everybody to end, and wait until they have."""
        for worker in self.awake:
            self.stop(worker)
        if self._ending:
            await asyncio.wait(self._ending, timeout=2 * END_S_MAX)
        if self._ending:
            self.violations.append("end: somebody does not end")

    def _crashed(self, worker: Worker, error: BaseException) -> None:
        self._story.tell(f"{worker.name} crashes: {error!r}")
        self.violations.append(f"crash: {worker.name}: {error!r}")
        if len(self.violations) < CRASHES_MAX:
            outside(RESTART_S, self.start)
