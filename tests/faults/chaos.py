"""The seeded plan of what goes wrong, and its execution: signals for workers, faults for the sandbox."""

import random
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx

from tests.faults.fleet import Fleet, Worker

WORKERS_MIN: Final = 2  # always awake
WORKERS_MAX: Final = 4  # at most awake; those that sleep come on top
PAUSE_S: Final = (11.0, 15.0)  # past the session timeout of 10 s: the group goes on without it
GAP_S: Final = (1.0, 5.0)
PHASE_S: Final = (1.5, 4.0)

_ALL: Final = ["503", "429", "500", "reset_before", "reset_after", "slow", "hang"]
_PHASES: Final[tuple[dict[str, Any], ...]] = (
    {"rate": 0.05, "kinds": _ALL},
    {"rate": 0.3, "kinds": _ALL},
    {"rate": 0.5, "kinds": ["reset_before", "reset_after", "reset_after"]},
    {"rate": 0.4, "kinds": ["slow", "hang", "504"]},
    {"rate": 0.6, "kinds": ["503", "429"]},
    {"rate": 1.0, "kinds": ["503", "reset_before", "502"]},
)
_ALWAYS: Final = {"latency_ms": 40, "hang_s": 4, "slow_s": 1.2}


class Chaos:
    """Draws from one generator, so that a seed means the same actions in the same order; when, the machine decides."""

    def __init__(self, fleet: Fleet, *, sandbox_url: str, seed: int) -> None:
        self._fleet = fleet
        self._random = random.Random(seed)
        self._faults = random.Random(seed + 1)
        self._http = httpx.Client(base_url=sandbox_url, trust_env=False)
        self._actions = self._deck()
        self._next_action_at = time.monotonic()
        self._next_phase_at = 0.0
        self._wake_at: dict[Worker, float] = {}
        self._start_at: list[float] = []

    def _deck(self) -> Iterator[str]:
        while True:
            deck = ["kill", "kill", "stop", "pause", "pause"]
            self._random.shuffle(deck)
            yield from deck

    def turn(self) -> None:
        """Do what is due now."""
        now = time.monotonic()
        self._fleet.sweep()
        for worker in [worker for worker, at in self._wake_at.items() if at <= now]:
            if len(self._fleet.running) < WORKERS_MAX:
                del self._wake_at[worker]
                self._fleet.wake(worker)
        self._keep_up(now)
        if now >= self._next_phase_at:
            self._next_phase_at = now + self._faults.uniform(*PHASE_S)
            self.set_faults(self._faults.choice(_PHASES) | {"seed": self._faults.randint(1, 10**9)})
        if now >= self._next_action_at and self._act(now):
            self._next_action_at = now + self._random.uniform(*GAP_S)

    def _keep_up(self, now: float) -> None:
        for at in [at for at in self._start_at if at <= now]:
            self._start_at.remove(at)
            if len(self._fleet.running) < WORKERS_MAX:
                self._fleet.start()

    def _act(self, now: float) -> bool:
        awake = self._fleet.running
        victims = [worker for worker in awake if worker.has_worked]
        if len(awake) <= WORKERS_MIN or not victims:
            return False
        action, victim = next(self._actions), self._random.choice(victims)
        if action == "pause":
            self._fleet.pause(victim)
            self._wake_at[victim] = now + self._random.uniform(*PAUSE_S)
        else:
            (self._fleet.kill if action == "kill" else self._fleet.terminate)(victim)
        if len(awake) - 1 + len(self._start_at) < WORKERS_MAX:
            self._start_at.append(now + self._random.uniform(0, 2))
        return True

    def set_faults(self, faults: dict[str, Any]) -> None:
        """Let requests go wrong from now on as told."""
        self._http.put("/sandbox/faults", json=_ALWAYS | faults).raise_for_status()

    def end(self) -> None:
        """Wake whoever sleeps, start whoever was promised, and let the sandbox work."""
        for worker in self._fleet.paused:
            self._fleet.wake(worker)
        self._wake_at.clear()
        self._keep_up(float("inf"))
        self.set_faults({"rate": 0.0})
        self._http.close()
