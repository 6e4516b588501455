"""A worker without a key for the App API: what it reads, and what becomes of a replayed send."""

import asyncio
from dataclasses import dataclass, field

from pydantic import SecretStr
from structlog.testing import capture_logs

from schemas.delivery import Parcel
from streams.app import AGENTS, SENDING_AGENTS, agents_by_topic
from streams.customerio.without_key import WithoutKey
from streams.delivery.budgets import Budgets
from streams.delivery.build_sends import build_sends
from streams.delivery.lanes import Lanes
from streams.delivery.messenger import Messenger
from streams.kafka import topic_plan
from streams.kafka.lease import Lease
from streams.metrics.observers import Metrics
from streams.progress import Progress, work_for
from streams.settings import Settings
from tests.builders import settle_down
from tests.fakes import FakeObserver
from tests.sends import make_send
from tests.sends_world import FakeApp, FakeErrand


@dataclass(slots=True)
class Held:
    """A lane of replays, and what it has to send with."""

    app: FakeApp = field(default_factory=FakeApp)
    lane: Progress = field(default_factory=lambda: Progress(of={"lane": "a"}, stage=""))
    observer: FakeObserver = field(default_factory=FakeObserver)
    sender: WithoutKey = field(init=False)
    messenger: Messenger = field(init=False)

    def __post_init__(self) -> None:
        self.sender = WithoutKey("send", self.observer)
        self.messenger = Messenger({"message": self.sender}, is_current=lambda _: True)

    @property
    def told(self) -> tuple[str, str]:
        """What is told of it."""
        return self.sender.state, self.sender.reason

    def begin(self, send_id: str) -> "asyncio.Task[object]":
        """Send."""
        send = make_send(send_id)

        async def work() -> object:
            work_for([self.lane])
            return await self.messenger.send(Parcel((send.body,), send=send), FakeErrand(self.app, send_id))

        return asyncio.create_task(work())


async def given_up(*tasks: "asyncio.Task[object]") -> list[bool]:
    """Cancel them; whether each ended so."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return [task.cancelled() for task in tasks]


def no_lanes() -> Lanes:
    """Nobody asks for them."""
    raise AssertionError


def test_without_a_key_the_topics_of_sends_are_left_alone() -> None:
    """Their records wait on Kafka for a worker that can send them."""
    with_key = Settings(customerio_app_api_key=SecretStr("key"))

    assert set(agents_by_topic(Settings())) == set(AGENTS)
    assert set(agents_by_topic(with_key)) == {*topic_plan.INPUTS, topic_plan.REPLAY}
    assert set(SENDING_AGENTS) == {topic_plan.TRANSACTIONAL_MESSAGES, topic_plan.BROADCAST_TRIGGERS}


async def test_a_replayed_send_waits_for_a_worker_with_a_key() -> None:
    """Nothing is written of it, no dead letter either; its lane may be given up, and goes on elsewhere."""
    held = Held()
    waiting = held.begin("m-1")
    await settle_down()
    lanes = held.messenger.held(), held.messenger.in_line(), held.messenger.busy()

    assert await given_up(waiting) == [True]
    assert ([lanes[0], lanes[1]], lanes[2]) == ([{held.lane}] * 2, set())
    assert held.app.told() == []


async def test_what_waits_is_told_once() -> None:
    """With the setting that is missing; it is over when nothing waits here any more."""
    held = Held()
    with capture_logs() as logs:
        told = [held.told]
        tasks = [held.begin(f"m-{number}") for number in range(3)]
        await settle_down()
        told.append(held.told)
        await given_up(*tasks)
        told.append(held.told)

    assert told == [("closed", ""), ("open", "no_key"), ("closed", "")]
    assert held.observer.holds == [("send", "no_key")]
    assert [("CUSTOMERIO_APP_API_KEY" in line["advice"], line["reason"]) for line in logs] == [(True, "no_key")]


async def test_a_worker_without_a_key_tells_of_all_apis() -> None:
    """As long as no replay waits, nothing is held."""
    lease = Lease(10.0)
    sends = build_sends(Settings(), Budgets(Settings(), lease), lease=lease, metrics=Metrics(), lanes=no_lanes)

    assert [(b.api, b.state, b.reason) for b in sends.breakers] == [("send", "closed", ""), ("broadcast", "closed", "")]
    await sends.close()
