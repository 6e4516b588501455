"""A worker's lag on a real Kafka: none when all is concluded, and the age of what it cannot deliver."""

import time
from typing import Final

from confluent_kafka import Producer
from faust.types import TP

from streams import app
from streams.delivery.held_lanes import held_lanes
from streams.kafka.clients import librdkafka_config
from tests.conftest import SettingsFactory
from tests.integration import worker_in_process as process
from tests.scraped import is_as_declared
from tests.unit.input_records import make_upsert

OLD_S: Final = 500


async def test_lag_is_told_in_seconds(settings_factory: SettingsFactory) -> None:
    """A transaction's marker is none; a record that nobody takes is, by when it was written, and it says why."""
    settings = settings_factory(request_timeout_s=2, retry_backoff_s=1.5, topic_partitions=1)
    topic = settings.topic("user-changes")
    transactional = Producer(librdkafka_config(settings, **{"transactional.id": settings.app_id}))
    transactional.init_transactions()
    transactional.begin_transaction()
    transactional.produce(topic, b"{", b"u-1", 0)
    transactional.commit_transaction()
    async with process.running_app(settings) as worker:
        await process.until(lambda: worker.delivery.lanes.position(topic, 0) == 1)
        await process.until(lambda: not any(dict(worker.lag.seconds()).values()))
        ended_at = worker.chunk_consumer.committed_end(TP(topic, 0))

        late = Producer(librdkafka_config(settings))
        written_ms = int((time.time() - OLD_S) * 1000)
        late.produce(topic, make_upsert().value, b"u-1", 0, timestamp=written_ms)
        assert late.flush(process.WAIT_S) == 0
        await process.until(lambda: bool(held_lanes(worker.delivery)))
        late_s, behind = dict(worker.lag.seconds())[topic, "0"], dict(worker.lag.records())[topic, "0"]
        (held,) = held_lanes(worker.delivery)

    assert ended_at == 2
    assert OLD_S <= late_s < OLD_S + process.WAIT_S
    assert behind == 2  # the marker and the record
    assert (held[0], held[1] in {"retry", "outage"}) == (topic, True)


async def test_a_worker_can_be_scraped_before_it_has_found_kafka(settings_factory: SettingsFactory) -> None:
    """Nothing is known yet, and that is no fault."""
    worker = app.DeliveryApp(settings_factory(create=False))
    page = worker.delivery.metrics.page().decode()
    await worker.delivery.close()
    worker.chunk_consumer._thread.thread_loop.close()  # its thread would, had it begun

    assert is_as_declared(page, "worker")
