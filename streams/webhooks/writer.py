"""Writes the records of a webhook and tells when Kafka has confirmed all of them on every replica, or that it has not.

Everything happens on the event loop: librdkafka's own threads do the network, and are asked every few milliseconds.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias

from confluent_kafka import KafkaError, KafkaException

from streams.kafka.producer import LastingProducer, create_producer
from streams.settings import Settings
from streams.webhooks.records import Draft

Outcome: TypeAlias = Literal["written", "too_large", "unconfirmed", "full"]

POLL_S: Final = 0.002
IDLE_S: Final = 0.25
CLOSE_S: Final = 3.0
LIFE_MS: Final = 3_000
"""So long librdkafka tries to write a record; its clock for that is coarse, so whoever waits has a deadline too."""

BATCH_BYTES: Final = 256 * 1024
"""A larger record goes alone, so that one that Kafka finds too large takes no other with it."""

OPTIONS: Final = {
    "linger.ms": 15,
    "batch.size": BATCH_BYTES,
    "message.timeout.ms": LIFE_MS,
    "request.timeout.ms": LIFE_MS - 1_000,
}
_TOO_LARGE: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})


class Writer:
    """Not for several loops or threads."""

    def __init__(self, producer: LastingProducer) -> None:
        self._producer = producer
        self._loop = asyncio.get_running_loop()
        self._under_way = 0
        self._timer = self._loop.call_later(IDLE_S, self._look)
        self._is_quick = False

    async def write(self, records: Sequence[Draft], *, deadline_s: float) -> Outcome:
        """Write them, and wait until all are confirmed, one is refused, or the loop's clock has come to the deadline.

        What is not confirmed may be written all the same, so whoever asks again may write it twice.
        """
        pending = _Pending(self._loop.create_future(), len(records))
        for record in records:
            self._produce(record, pending)
        if not self._is_quick:
            self._is_quick = True
            self._timer.cancel()
            self._timer = self._loop.call_later(POLL_S, self._look)
        late = self._loop.call_at(deadline_s, pending.end, "unconfirmed")
        try:
            return await pending.future
        finally:
            late.cancel()

    async def close(self) -> None:
        """Wait until nothing is under way; `CLOSE_S` bounds it."""
        deadline_s = self._loop.time() + CLOSE_S
        while self._under_way and self._loop.time() < deadline_s:  # noqa: ASYNC110 - librdkafka is asked, it tells nothing
            await asyncio.sleep(POLL_S)  # as often as librdkafka is asked
        self._timer.cancel()

    def _produce(self, record: Draft, pending: "_Pending") -> None:
        def told(error: KafkaError | None, _: Any) -> None:  # noqa: ANN401 - the record, which nobody needs again
            self._under_way -= 1
            pending.told(_outcome(error))

        try:
            self._producer.produce(record.topic, record.value, record.key, headers=record.headers, on_delivery=told)
        except BufferError:
            pending.told("full")
        except KafkaException as exception:
            pending.told(_outcome(exception.args[0]))
        else:
            self._under_way += 1

    def _look(self) -> None:
        self._producer.poll(0)
        self._is_quick = self._under_way > 0
        self._timer = self._loop.call_later(POLL_S if self._is_quick else IDLE_S, self._look)


def _outcome(error: KafkaError | None) -> Outcome:
    if error is None:
        return "written"
    return "too_large" if error.code() in _TOO_LARGE else "unconfirmed"


class _Pending:
    """The records of one webhook on their way."""

    __slots__ = ("_left", "future")

    def __init__(self, future: "asyncio.Future[Outcome]", left: int) -> None:
        self.future = future
        self._left = left

    def told(self, outcome: Outcome) -> None:
        """One of them is confirmed, or will not be."""
        self._left -= 1
        if outcome != "written":
            self.end(outcome)
        elif self._left == 0:
            self.end("written")

    def end(self, outcome: Outcome) -> None:
        """Answer whoever waits, once."""
        if not self.future.done():
            self.future.set_result(outcome)


def open_writer(settings: Settings) -> Writer:
    """Give a writer to the settings' Kafka; to be called in the event loop."""
    return Writer(create_producer(settings, **OPTIONS))
