"""The receiver on a real socket of this process, in front of a Kafka that does as it is told."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from streams.settings import Settings, load_settings
from streams.webhooks.observe import Observer
from streams.webhooks.receiver import Receiver
from streams.webhooks.records import Draft, Drafting
from streams.webhooks.room import Room
from streams.webhooks.routes import load_routes
from streams.webhooks.serve import create_server
from streams.webhooks.signatures import SigningKeys
from streams.webhooks.writer import Outcome
from tests.webhook_client import KEY

BODY_BYTES_MAX: Final = 100_000
TOLERANCE_S: Final = 300.0
UNDER_WAY_S: Final = 5.0


@dataclass(slots=True)
class FakeWriter:
    """Takes everything, unless `outcomes` say otherwise, in their order; waits for `may_go`."""

    written: list[Draft] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    may_go: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Exception | None = None

    async def write(self, records: Sequence[Draft], *, deadline_s: float) -> Outcome:
        """As the port says."""
        if self.fault:
            raise self.fault
        try:
            async with asyncio.timeout_at(deadline_s):
                await self.may_go.wait()
        except TimeoutError:
            return "unconfirmed"
        outcome = self.outcomes.pop(0) if self.outcomes else "written"
        if outcome == "written":
            self.written.extend(records)
        return outcome


@dataclass(frozen=True, slots=True)
class Stage:
    """What a test has in hand."""

    port: int
    writer: FakeWriter
    receiver: Receiver
    room: Room
    observer: Observer

    async def until_under_way(self, requests: int) -> None:
        """Wait until so many requests are."""
        async with asyncio.timeout(UNDER_WAY_S):
            while self.room.requests != requests:  # noqa: ASYNC110 - the room tells nobody
                await asyncio.sleep(0.01)

    async def until_held(self, *, requests: int, is_empty: bool = False) -> None:
        """Wait until so many requests are under way, and bytes of bodies, or none of these, are in memory."""
        async with asyncio.timeout(UNDER_WAY_S):
            while (self.room.requests, self.room.bytes == 0) != (requests, is_empty):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)

    async def until_bytes(self, size: int) -> None:
        """Wait until so many bytes of bodies are in memory."""
        async with asyncio.timeout(UNDER_WAY_S):
            while self.room.bytes != size:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)

    def count(self, name: str, **labels: str) -> float:
        """What a metric says now, summed over the labels that are not given."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.observer.page().decode())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@asynccontextmanager
async def stage(
    settings: Settings | None = None, *, room: Room | None = None, is_open: bool = True
) -> AsyncIterator[Stage]:
    """Serve until the `with` ends."""
    settings = settings or load_settings({"CUSTOMERIO_WEBHOOK_SIGNING_KEY": KEY})
    room = room or Room()
    observer = Observer(room)
    receiver = Receiver(
        SigningKeys(settings),
        Drafting(settings, load_routes(settings)),
        tolerance_s=TOLERANCE_S,
        body_bytes_max=BODY_BYTES_MAX,
        room=room,
        observer=observer,
    )
    writer = FakeWriter()
    writer.may_go.set()
    if is_open:
        receiver.open(writer)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = create_server(receiver, observer)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn tells it so
            await asyncio.sleep(0.01)
        try:
            yield Stage(listener.getsockname()[1], writer, receiver, room, observer)
        finally:
            writer.may_go.set()
            server.should_exit = True
            await serving
