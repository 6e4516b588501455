"""Follows partitions for ever, from where one says: what is committed, in flat memory, and in no group. Blocking."""

import logging
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, Self, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.errors import UnavailableError
from schemas.record import Stored
from streams.kafka.clients import LIBRDKAFKA_LOGGER, librdkafka_config
from streams.kafka.partition_reader import GoneError, Place, stored
from streams.kafka.refusals import is_of_no_group
from streams.settings import Settings

BATCH_RECORDS: Final = 500
QUEUED_KIB: Final = 8_192


class Reached(NamedTuple):
    """A partition was read to its end: before this offset nothing is left."""

    place: Place
    offset: int


class Follower:
    """One consumer, used by one thread; a context manager. It outlives no fault: begin anew where this one was."""

    def __init__(self, settings: Settings) -> None:
        silent = logging.getLogger(f"{LIBRDKAFKA_LOGGER}.follower")
        silent.disabled = True  # what it has to say comes as an error
        own = {
            "group.id": f"{settings.app_id}-commands",  # librdkafka wants one; nothing is committed under it
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",  # records that go before they are read must not look as if never there
            "isolation.level": "read_committed",
            "queued.max.messages.kbytes": QUEUED_KIB,
        }
        self._consumer = Consumer(librdkafka_config(settings, logger=silent, **own))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def follow(self, starts: Mapping[Place, int]) -> None:
        """Follow these too, each from its offset."""
        self._consumer.incremental_assign([TopicPartition(*place, start) for place, start in starts.items()])

    def pause(self, place: Place) -> None:
        """Bring nothing of it for a while."""
        self._consumer.pause([TopicPartition(*place)])

    def resume(self, place: Place) -> None:
        """Bring it again."""
        self._consumer.resume([TopicPartition(*place)])

    def poll(self, seconds: float) -> Iterator[Stored | Reached]:
        """Yield what comes in so long, in the order of each partition.

        Raises:
            GoneError: what was to be read has been deleted.
            UnavailableError: Kafka does not let us.
        """
        try:
            messages = self._consumer.consume(BATCH_RECORDS, timeout=seconds)
        except KafkaException as error:
            raise UnavailableError(f"Kafka brings nothing: {error.args[0].str()}") from error
        for message in messages:
            fault = message.error()
            if fault is None:
                yield stored(message)
            elif fault.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                place = cast(str, message.topic()), cast(int, message.partition())
                yield Reached(place, cast(int, message.offset()))
            elif fault.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - as above
                raise GoneError(f"Records of {message.topic()} were deleted before they were read")
            elif not is_of_no_group(fault):
                raise UnavailableError(f"{message.topic() or 'Kafka'} cannot be read: {fault.str()}")
