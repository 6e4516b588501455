"""Has Kafka compact a topic now, so that what was overwritten is gone for every reader. Blocking.

A compacted topic keeps old values, and tombstones, until its cleaner comes by: it leaves out the segment being written,
waits until enough is overwritten, and keeps tombstones for a day. For a while the topic's settings let it do all of
that at once; a worker that reads the ledger meanwhile may miss a tombstone, and then only remembers for longer.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    ResourceType,
)

from schemas.errors import ConfigError, UnavailableError
from streams.kafka.clients import LIBRDKAFKA_LOGGER, librdkafka_config
from streams.kafka.partition_reader import Place
from streams.settings import Settings

ASK_S: Final = 15.0
VISIBLE_S_MAX: Final = 15.0
VISIBLE_LOOK_S: Final = 0.05
FIRST_LOOK_S: Final = 1.1  # longer than a segment lasts then
LOOK_S_MAX: Final = 10.0  # each reads the partitions from their beginning
ROLL_KEY: Final = b"\xff"
"""Of records that only make the cleaner's next segment, or a transaction: tombstones of nobody, which it takes away."""

EAGER: Final[Mapping[str, str]] = {
    "segment.ms": "1013",  # nobody would choose it: so a run that was killed is recognised, and what it left is mended
    "min.cleanable.dirty.ratio": "0.0",
    "min.compaction.lag.ms": "0",
    "delete.retention.ms": "0",
}


@contextlib.contextmanager
def eager_cleaning(admin: AdminClient, topic: str, planned: Mapping[str, str]) -> Iterator[None]:
    """Let the cleaner do all at once while this lasts; `planned` is what it goes back to after a run that was killed.

    Raises:
        ConfigError: it is not allowed.
        UnavailableError: Kafka does not do it, or the topic could not be given its settings back.
    """
    own = _own(admin, topic)
    before = planned if _is_eager(own) else own
    _alter(admin, topic, EAGER)
    try:
        yield
    finally:
        try:
            _alter(admin, topic, {name: before.get(name) for name in EAGER})
        except UnavailableError as error:
            raise UnavailableError(
                f"{error}: {topic} is left with {_shown(EAGER)}; run it again to mend that"
            ) from error


def mend(admin: AdminClient, topic: str, planned: Mapping[str, str]) -> bool:
    """Give a topic back what a run that was killed has left changed; whether there was something to mend."""
    if not _is_eager(_own(admin, topic)):
        return False
    _alter(admin, topic, {name: planned.get(name) for name in EAGER})
    return True


def clean_until(
    settings: Settings,
    places: Collection[Place],
    is_clean: Callable[[Place], bool],
    *,
    wait_s: float,
    say: Callable[[str], None],
) -> None:
    """Push the cleaner on until these partitions are clean.

    Raises:
        UnavailableError: it did not get there in time.
    """
    silent = logging.getLogger(f"{LIBRDKAFKA_LOGGER}.compaction")
    silent.disabled = True  # what it has to say comes as an error
    producer = Producer(librdkafka_config(settings, logger=silent, **{"enable.idempotence": True}))
    left, started, look_s = sorted(places), time.monotonic(), FIRST_LOOK_S
    while left:
        _roll(producer, left)
        time.sleep(look_s)
        look_s = min(look_s * 1.5, LOOK_S_MAX)
        left = [place for place in left if not is_clean(place)]
        waited_s = time.monotonic() - started
        if left and waited_s > wait_s:
            shown = ", ".join(f"{topic}/{partition}" for topic, partition in left)
            raise UnavailableError(
                f"After {waited_s:.0f} s Kafka has not compacted {shown}: see to the brokers' log"
                " cleaner, then run it again; it goes on where it is"
            )
        if left:
            say(f"Kafka has {len(left)} partitions left to compact, {waited_s:.0f} of at most {wait_s:.0f} s are over")


def _roll(producer: Producer, places: Sequence[Place]) -> None:
    errors: list[KafkaError] = []

    def note(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            errors.append(error)

    for topic, partition in places:
        producer.produce(topic, None, ROLL_KEY, partition, on_delivery=note)
    if producer.flush(ASK_S) or errors:
        why = errors[0].str() if errors else "it does not answer"
        raise UnavailableError(f"Kafka does not take records of {places[0][0]}: {why}: run it again")


def _own(admin: AdminClient, topic: str) -> dict[str, str]:
    """What the topic has been given itself of those settings."""
    (answer,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)], request_timeout=ASK_S).values()
    try:
        entries = answer.result()
    except KafkaException as error:
        raise _told(topic, "told", error.args[0]) from error
    return {
        name: str(entries[name].value)
        for name in EAGER
        if entries[name].source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    }


def _is_eager(own: Mapping[str, str]) -> bool:
    return own.get("segment.ms") == EAGER["segment.ms"]


def _alter(admin: AdminClient, topic: str, values: Mapping[str, str | None]) -> None:
    """Set these, and take those away that are None."""
    entries = [
        ConfigEntry(
            name,
            "" if value is None else value,
            incremental_operation=AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET,
        )
        for name, value in values.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    (answer,) = admin.incremental_alter_configs([resource], request_timeout=ASK_S).values()
    try:
        answer.result()
    except KafkaException as error:
        raise _told(topic, "changed", error.args[0]) from error
    _wait_until_visible(admin, topic, {name: value for name, value in values.items() if value is not None})


def _wait_until_visible(admin: AdminClient, topic: str, expected: Mapping[str, str]) -> None:
    """The controller has them; a broker that is asked may learn of it a little later."""
    deadline = time.monotonic() + VISIBLE_S_MAX
    while not _is_same(_own(admin, topic), expected):
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"The settings of {topic} were changed but do not show up within {VISIBLE_S_MAX:.0f} s"
            )
        time.sleep(VISIBLE_LOOK_S)


def _is_same(own: Mapping[str, str], expected: Mapping[str, str]) -> bool:
    """Numbers may be written in several ways."""
    return own.keys() == expected.keys() and all(float(own[name]) == float(expected[name]) for name in expected)


def _told(topic: str, what: str, error: KafkaError) -> ConfigError | UnavailableError:
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return ConfigError(f"The settings of {topic} may not be {what}: allow DESCRIBE_CONFIGS and ALTER_CONFIGS on it")
    return UnavailableError(f"The settings of {topic} cannot be {what}: {error.str()}")


def _shown(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
