"""Calls of librdkafka's transactional producer, each repeated as librdkafka wants it. Blocking."""

from collections.abc import Callable, Sequence

from confluent_kafka import KafkaException, Producer

from schemas.record import Header

FULL_S = 0.1


def produce(
    producer: Producer,
    topic: str,
    partition: int,
    *,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[Header] | None = None,
    timestamp_ms: int = 0,
) -> None:
    """Hand a record to the producer, waiting while its queue is full; `timestamp_ms` 0 is now."""
    written: list[tuple[str, str | bytes | None]] | None = None if headers is None else list(headers)
    while True:
        try:
            producer.produce(topic, value, key, partition, headers=written, timestamp=timestamp_ms)
        except BufferError:
            producer.poll(FULL_S)
        else:
            return


def again(call: Callable[[], None], attempts: int = 4) -> None:
    """Repeat the call, as it is, after a retriable error: so librdkafka wants its transaction calls."""
    for attempt in range(attempts):
        try:
            call()
        except KafkaException as exc:
            if not exc.args[0].retriable() or attempt == attempts - 1:
                raise
        else:
            return
