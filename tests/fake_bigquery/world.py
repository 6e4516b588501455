"""Starts the fake, and gives warehouses and readers of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery import Client
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport

from streams.warehouse.bigquery.connect import Clients, Dataset
from streams.warehouse.bigquery.reader import BigQueryReader
from streams.warehouse.bigquery.warehouse import BigQueryWarehouse
from streams.warehouse.port import Batch, Found
from tests.fake_bigquery.dataset import NAME, PROJECT, FakeDataset
from tests.fake_bigquery.rest import FakeRest
from tests.fake_bigquery.write_service import FakeWriteService
from tests.warehouse_world import webhook_batch, webhook_body


def fake_clients(rest_url: str, write_port: int) -> Clients:
    """Connect to a fake, of this process or of another one."""
    anyone = AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth has types for some of it
    rest = Client(project=PROJECT, credentials=anyone, client_options={"api_endpoint": rest_url})
    channel = grpc.insecure_channel(f"127.0.0.1:{write_port}")
    write = BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=channel))  # type: ignore[no-untyped-call]  # as above
    return Clients(Dataset(PROJECT, NAME), rest, write)


@dataclass(slots=True)
class World:
    """One fake, and those who use it.

    Attributes:
        now_s: everybody's clock.
        slept: how often somebody has paused.
    """

    data: FakeDataset
    rest: FakeRest
    write: FakeWriteService
    now_s: float = 1_795_341_600.0
    slept: list[float] = field(default_factory=list)
    opened: list[Clients] = field(default_factory=list)

    def clients(self) -> Clients:
        """Connect as anybody."""
        made = fake_clients(self.rest.url, self.write.port)
        self.opened.append(made)
        return made

    def pause(self, seconds: float) -> None:
        """Let time go by."""
        self.slept.append(seconds)
        self.now_s += seconds

    def warehouse(self) -> BigQueryWarehouse:
        """One more loader."""
        return BigQueryWarehouse(self.clients(), sleep=self.pause, chance=lambda: 0.5, clock=lambda: self.now_s)

    def prepared(self) -> BigQueryWarehouse:
        """One more loader, that has prepared the dataset."""
        made = self.warehouse()
        made.prepare()
        return made

    def reader(self) -> BigQueryReader:
        """One more reader."""
        return BigQueryReader(self.clients())

    def rows(self) -> list[Found]:
        """All rows of the raw table of webhooks, by offset."""
        return sorted(self.reader().read("webhooks_raw", limit=1_000), key=lambda row: int(row["kafka_offset"]))


def one(offset: int = 0, event_id: str = "a", **data: Any) -> list[Batch]:  # noqa: ANN401 - any JSON
    """A batch of one webhook."""
    return [webhook_batch([webhook_body(event_id, **data)], offset)]


@contextmanager
def bigquery_world(*, has_dataset: bool = True) -> Iterator[World]:
    """Give one that is empty; end it."""
    data = FakeDataset()
    world = World(data, FakeRest(data, has_dataset=has_dataset), FakeWriteService(data))
    try:
        yield world
    finally:
        for each in world.opened:
            each.close()
        world.write.close()
        world.rest.close()
