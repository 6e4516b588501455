"""Sends: one worker before an API that takes 100 ms for each message, allowed 100 a second."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import orjson

from streams.kafka.topic_plan import TRANSACTIONAL_MESSAGES
from tests.bench.broker import Broker
from tests.bench.follow import Span, follow
from tests.bench.load import Draft
from tests.bench.report import Figure, Report, at_least, per_1000
from tests.bench.stage import staged

PARTITIONS: Final = 12
LATENCY_MS: Final = 100
RATE_PER_S: Final = 100
MESSAGES: Final = 3_000
STEADY: Final = 0.9  # what comes then is on few partitions, and has no longer something to send on all of them


def measure(broker: Broker, _records: int) -> Report:
    """Work off a backlog of messages to different people; its size does not depend on that of the other parts."""
    with staged(broker, partitions=PARTITIONS, latency_ms=LATENCY_MS) as stage:
        stage.more = {
            "CUSTOMERIO_APP_API_KEY": "bench",
            "CUSTOMERIO_APP_URL": stage.api.url,
            "SEND_RATE_PER_S": str(RATE_PER_S),
        }
        worker = stage.start_worker()
        worker.wait_until_ready()
        stage.publisher.publish(islice(_messages(), MESSAGES), topic=TRANSACTIONAL_MESSAGES)
        span = follow(stage, total=int(MESSAGES * STEADY))
        figures = _figures(span, worker.metrics(), worker.peak_mb())
    how = f"{MESSAGES:,} messages on {PARTITIONS} partitions, {RATE_PER_S} a second allowed; API {LATENCY_MS} ms"
    return Report(part="sends", how=how, figures=figures)


def _messages() -> Iterator[Draft]:
    number = 0
    while True:
        number += 1
        user_id = f"user-{number}"
        value = {
            "message_id": f"message-{number}",
            "channel": "email",
            "to": f"{user_id}@example.com",
            "transactional_message_id": 3,
            "identifiers": {"id": user_id},
            "message_data": {"total": 42.5},
        }
        yield Draft(user_id.encode(), orjson.dumps(value))


def _figures(span: Span, counts: dict[str, float], peak_mb: float) -> tuple[Figure, ...]:
    transactions = counts["cio_transaction_seconds_count"]
    transaction_ms = counts["cio_transaction_seconds_sum"] / transactions * 1000
    return (
        Figure(name="sends/s", value=span.per_s, digits=1, goal=at_least(95)),
        Figure(name="CPU s per 1,000 sends, worker", value=per_1000(span.worker_cpu_s, span.records), digits=3),
        Figure(name="CPU s per 1,000 sends, broker", value=per_1000(span.broker_cpu_s, span.records), digits=3),
        Figure(name="a transaction, ms", value=transaction_ms, digits=1),
        Figure(
            name="publications per transaction", value=counts["cio_transaction_chunks_total"] / transactions, digits=1
        ),
        Figure(name="peak memory, MB", value=peak_mb),
    )
