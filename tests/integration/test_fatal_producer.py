"""An error that is fatal to a real producer, made by librdkafka's own means for tests."""

import ctypes
from importlib.metadata import files
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaError

from streams.kafka.producer import LastingProducer, create_producer
from streams.kafka.topic_plan import USER_CHANGES
from tests.conftest import SettingsFactory

WAIT_S: Final = 30.0


def test_another_producer_goes_on(settings_factory: SettingsFactory) -> None:
    """What the first one held has failed, of which it tells; everything later is written."""
    settings = settings_factory()
    producer = create_producer(settings, **{"linger.ms": 5_000})
    told: list[KafkaError | None] = []

    def write() -> None:
        producer.produce(settings.topic(USER_CHANGES), b"v", b"k", on_delivery=lambda error, _: told.append(error))
        assert producer.flush(WAIT_S) == 0

    write()
    producer.produce(settings.topic(USER_CHANGES), b"v", b"k", on_delivery=lambda error, _: told.append(error))
    make_fatal(producer)
    assert producer.flush(WAIT_S) == 0
    write()

    assert [None, KafkaError._PURGE_QUEUE, None] == [error and error.code() for error in told]


def make_fatal(producer: LastingProducer) -> None:
    """Tell librdkafka that this has happened to it; its handle is what the Python object holds first."""
    [library] = [path for path in files("confluent-kafka") or [] if path.name.startswith("librdkafka-")]
    librdkafka = ctypes.CDLL(str(Path(str(library.locate()))))
    handle = ctypes.c_void_p.from_address(id(producer._producer) + object.__basicsize__)
    librdkafka.rd_kafka_test_fatal_error.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p]
    librdkafka.rd_kafka_test_fatal_error(handle, KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, b"told by a test")
