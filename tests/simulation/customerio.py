"""A simulated Customer.io: the sandbox's world behind a network, in the weather of the moment, with a meter.

It carries out what it accepts in the order of arrival; what it was sent, it may carry out without ever answering.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from schemas.answer import Answer, NoAnswer
from streams.kafka.lease import Lease
from streams.sandbox import track_v1, track_v2
from streams.sandbox.operation import Refusal, RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World
from tests.simulation.blips import Blips
from tests.simulation.loop import outside
from tests.simulation.poison import poison_of
from tests.simulation.weather import Failing, Weather

Response = Answer | NoAnswer

ANSWER_S = (0.01, 0.25)
WAY_S = (0.002, 0.02)  # less than a rebalance takes: what is on the way when partitions change hands arrives before
OPTIONS = SandboxOptions(keep_log=True)


class Departure(NamedTuple):
    """A request as it leaves; `rate_per_s` is the share that its worker had then."""

    at_s: float
    worker: str
    endpoint: str
    rate_per_s: float


@dataclass(slots=True)
class CustomerIo:
    """`now_s` is unix time; the weather goes by the story's."""

    weather: Weather
    random: random.Random
    now_s: Callable[[], float]
    story_s: Callable[[], float]
    world: World = field(default_factory=lambda: World(options=OPTIONS))
    departures: list[Departure] = field(default_factory=list)
    blips: Blips = field(init=False)

    def __post_init__(self) -> None:
        """Share the one source of chance."""
        self.blips = Blips(self.random)

    def receive(self, worker: str, endpoint: str, body: bytes, answered: "asyncio.Future[Response]") -> None:
        """Take a request, and answer it or not."""
        failing = self._failing(worker, endpoint, body)
        if failing is None or failing.is_applied:
            failing = self._poisoned(endpoint, body) or failing
        response: Response | None
        if failing is None:
            response = self._carry_out(endpoint, body)
        else:
            applied = self._carry_out(endpoint, body) if failing.is_applied else None
            response = failing.answer(applied, self._count(body))
        if response is not None:
            outside(self.random.uniform(*ANSWER_S) + (failing.slow_s if failing else 0.0), _answer, answered, response)

    def _failing(self, worker: str, endpoint: str, body: bytes) -> Failing | None:
        now_s = self.story_s()
        blip = self.blips.failing(self.weather.spell(now_s), worker, body) if body else None
        return self.weather.failing(now_s, endpoint, self.random) or blip

    def _poisoned(self, endpoint: str, body: bytes) -> Failing | None:
        if endpoint == "region":
            return None
        kinds = [kind for item in _items(endpoint, body) if (kind := poison_of(item))]
        failing = next((kind for kind in ("500", "timeout", "400") if kind in kinds), None)
        match failing:
            case None:
                return None
            case "timeout":
                return Failing(slow_s=float("inf"))
            case status:
                return Failing(status=int(status))

    def _count(self, body: bytes) -> int:
        value = orjson.loads(body) if body else {}
        return len(value["batch"]) if "batch" in value else 1

    def _carry_out(self, endpoint: str, body: bytes) -> Answer:
        if endpoint == "region":
            return Answer(200, b'{"url": "track.customer.io", "region": "us", "environment_id": 1}')
        self.world.chronicle.open_request()
        refusals = [
            {"batch_index": index, "reason": refusal.reason, "field": refusal.field, "message": refusal.message}
            for index, item in enumerate(_items(endpoint, body))
            if (refusal := self._apply(endpoint, item))
        ]
        if not refusals:
            return Answer(200, b"{}")
        return Answer(207 if endpoint == "batch" else 400, orjson.dumps({"errors": refusals}))

    def _apply(self, endpoint: str, item: Any) -> Refusal | None:  # noqa: ANN401 - any JSON
        if poison_of(item):
            return Refusal(field="attributes.poison", message="no")
        if endpoint == "events":
            try:
                operation = track_v1.read_anonymous_event(item, options=OPTIONS)
            except RefusedError as refused:
                return refused.refusal
        else:
            found = track_v2.read_item(item, options=OPTIONS)
            if isinstance(found, Refusal):
                return found
            operation = found
        self.world.apply(operation, now=self.now_s())
        return None


def _items(endpoint: str, body: bytes) -> list[Any]:
    value = orjson.loads(body)
    return list(value["batch"]) if endpoint == "batch" else [value]


def _answer(answered: "asyncio.Future[Response]", response: Response) -> None:
    if not answered.done():
        answered.set_result(response)


@dataclass(slots=True, kw_only=True)
class SimulatedClient:
    """One worker's way there: as the real client, it asks the lease first, and again before the last byte."""

    customerio: CustomerIo
    worker: str
    lease: Lease
    random: random.Random
    timeout_s: float
    rate_per_s: Callable[[], float]

    async def batch(self, body: bytes) -> Response:
        """`POST /api/v2/batch`."""
        return await self._request("batch", body)

    async def entity(self, body: bytes) -> Response:
        """`POST /api/v2/entity`."""
        return await self._request("entity", body)

    async def anonymous_event(self, body: bytes) -> Response:
        """`POST /api/v1/events`."""
        return await self._request("events", body)

    async def region(self) -> Response:
        """`GET /api/v1/accounts/region`."""
        return await self._request("region", b"")

    async def _request(self, endpoint: str, body: bytes) -> Response:
        await self.lease.acquire()
        at_s = self.customerio.story_s()
        self.customerio.departures.append(Departure(at_s, self.worker, endpoint, self.rate_per_s()))
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self.timeout_s):
                await asyncio.sleep(self.random.uniform(*WAY_S))
                if body:
                    await self.lease.acquire()
                outside(self.random.uniform(*WAY_S), self.customerio.receive, self.worker, endpoint, body, answered)
                return await answered
        except TimeoutError:
            return NoAnswer("timeout")
