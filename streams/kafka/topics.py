"""Creates the planned topics and compares a cluster with the plan; what the plan says stands in `topic_plan`."""

import time
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from schemas.errors import ConfigError, UnavailableError
from streams.kafka.clients import connected_admin
from streams.kafka.refusals import insist_on_sight, is_refused, why_absent
from streams.kafka.topic_plan import (
    BROADCAST_TRIGGERS,
    DLQ,
    INPUTS,
    LEDGER_EVENTS,
    LEDGER_PEOPLE,
    LETTER_HEADERS_BYTES,
    MESSAGE_BYTES,
    RESULTS,
    SEND_BYTES,
    TRANSACTIONAL_MESSAGES,
    WITH_ORIGINALS,
    Topic,
    plan,
)
from streams.plural import so_many
from streams.settings import Settings

ASK_S: Final = 15.0
VISIBLE_S_MAX: Final = 15.0
OUTPUTS: Final = (RESULTS, DLQ, LEDGER_PEOPLE, LEDGER_EVENTS)
"""What a worker writes beside the partition that it reads, so they need as many partitions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing about one topic that is not as planned; `actual` is None for a missing topic."""

    topic: str
    what: str
    expected: str
    actual: str | None

    def __str__(self) -> str:
        """Say it in one sentence."""
        if self.actual is None:
            return f"{self.topic} does not exist (it should have {self.expected} {self.what})"
        return f"{self.topic} has {self.what} {self.actual}, expected {self.expected}"


def create(admin: AdminClient, settings: Settings) -> list[str]:
    """Create what is missing and return its names; what exists stays as it is. Several may do this at once.

    Raises:
        ConfigError: the cluster refuses topics, each with its reason.
        UnavailableError: the cluster does not answer.
    """
    planned = plan(settings)
    inputs = [
        _with_room(planned[name], SEND_BYTES) if name == TRANSACTIONAL_MESSAGES else planned[name] for name in INPUTS
    ]
    made = _create(admin, inputs)
    letter_bytes = _letter_bytes(admin, inputs)
    for name in WITH_ORIGINALS:
        planned[name] = _with_room(planned[name], letter_bytes)
    return made + _create(admin, [topic for name, topic in planned.items() if name not in INPUTS])


def check(admin: AdminClient, settings: Settings) -> list[Difference]:
    """Compare the cluster with the plan.

    Raises:
        ConfigError: it may not be looked at.
        UnavailableError: the cluster does not answer.
    """
    planned = plan(settings)
    found = _metadata(admin)
    there = {name: topic for name, topic in planned.items() if topic.name in found}
    insist_on_sight(admin, [topic.name for topic in planned.values() if topic.name not in found])
    configs = _configs(admin, [topic.name for topic in there.values()])
    differences = []
    for name, topic in planned.items():
        if name not in there:
            differences.append(_missing(topic))
            continue
        partitions, replication = found[topic.name]
        actual = {"partitions": partitions, "replication": replication} | configs[topic.name]
        differences.extend(_compared(topic, actual))
    return differences + _small(there, {name: configs[topic.name] for name, topic in there.items()})


def partition_counts(admin: AdminClient, names: Iterable[str]) -> dict[str, int]:
    """Give the partition count of those topics (full names) that exist."""
    found = _metadata(admin)
    return {name: found[name][0] for name in names if name in found}


def require_partitions(admin: AdminClient, settings: Settings, topics: Collection[str]) -> int:
    """Insist that these topics (short names) exist and agree on their partitions; give that number.

    The first of them that is not `broadcast-triggers` sets the number; `TOPIC_PARTITIONS` is only for creating.

    Raises:
        ConfigError: all that is wrong, and what to run.
    """
    full = {name: settings.topic(name) for name in topics}
    counts = partition_counts(admin, full.values())
    faults = [f"{name} {why_absent(admin, name)}" for name in full.values() if name not in counts]
    reference = next((name for short, name in full.items() if short != BROADCAST_TRIGGERS and name in counts), None)
    common = counts[reference] if reference else 1
    for short, name in full.items():
        expected = 1 if short == BROADCAST_TRIGGERS else common
        if counts.get(name, expected) != expected:
            whose = "" if short == BROADCAST_TRIGGERS else f" as {reference} has"
            faults.append(f"{name} has {so_many(counts[name], 'partition')}, expected {expected}{whose}")
    if faults:
        raise ConfigError(f"Topics are not as needed: {'; '.join(faults)}: `cio-streams topics check` shows all")
    return common


def input_partitions(settings: Settings, topics: Collection[str]) -> dict[str, int]:
    """Give how many partitions each of these input topics has, having insisted on them and on a worker's outputs.

    Raises:
        ConfigError: as `require_partitions`.
        UnavailableError: the cluster does not answer.
    """
    admin = connected_admin(settings)
    require_partitions(admin, settings, [*topics, *OUTPUTS])
    return partition_counts(admin, [settings.topic(name) for name in topics])


def _create(admin: AdminClient, topics: Collection[Topic]) -> list[str]:
    existing = _metadata(admin)
    wanted = [
        NewTopic(topic.name, topic.partitions, replication_factor=topic.replication, config=dict(topic.config))
        for topic in topics
        if topic.name not in existing
    ]
    futures = admin.create_topics(wanted, operation_timeout=ASK_S, request_timeout=ASK_S) if wanted else {}
    outcomes = {name: _refusal(future) for name, future in futures.items()}
    refused = [f"{name}: {_told(error)}" for name, error in outcomes.items() if error and not _is_there(error)]
    if refused:
        raise ConfigError(f"Kafka refuses to create topics: {'; '.join(refused)}")
    insist_on_sight(admin, list(outcomes))  # one that is there may be hidden from us
    _wait_until_visible(admin, [topic.name for topic in topics])
    return [name for name, error in outcomes.items() if error is None]


def _refusal(future: Future[Any]) -> KafkaError | None:
    try:
        future.result()
    except KafkaException as exception:
        error: KafkaError = exception.args[0]
        return error
    return None


def _told(error: KafkaError) -> str:
    return f"{error.str()} (allow CREATE on it)" if is_refused(error) else error.str()


def _is_there(error: KafkaError) -> bool:
    return error.code() == KafkaError.TOPIC_ALREADY_EXISTS  # somebody else was faster


def _wait_until_visible(admin: AdminClient, names: Collection[str]) -> None:
    """The controller has made them; a broker that we ask may learn of it a little later."""
    deadline = time.monotonic() + VISIBLE_S_MAX
    while not set(names) <= set(_metadata(admin)):
        if time.monotonic() > deadline:
            raise UnavailableError(f"Topics were created but do not show up within {VISIBLE_S_MAX:.0f} s")
        time.sleep(0.05)


def _metadata(admin: AdminClient) -> dict[str, tuple[int, int]]:
    """Give partitions and replication of every topic of the cluster."""
    try:
        topics = admin.list_topics(timeout=ASK_S).topics
    except KafkaException as error:
        raise UnavailableError(f"Kafka does not answer: {error.args[0].str()}") from error
    return {
        name: (len(topic.partitions), min(len(partition.replicas) for partition in topic.partitions.values()))
        for name, topic in topics.items()
        if topic.partitions
    }


def _configs(admin: AdminClient, names: Collection[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    futures = admin.describe_configs(resources, request_timeout=ASK_S)
    refusals = {resource.name: error for resource, future in futures.items() if (error := _refusal(future))}
    if any(is_refused(error) for error in refusals.values()):
        raise ConfigError(f"Configurations may not be seen: allow DESCRIBE_CONFIGS on {', '.join(refusals)}")
    for name, error in refusals.items():
        raise UnavailableError(f"Kafka does not tell the configuration of {name}: {error.str()}")
    answers = {resource.name: future.result() for resource, future in futures.items()}
    return {name: {key: str(entry.value) for key, entry in answer.items()} for name, answer in answers.items()}


def _with_room(topic: Topic, message_bytes: int) -> Topic:
    return replace(topic, config={**topic.config, MESSAGE_BYTES: str(message_bytes)})


def _letter_bytes(admin: AdminClient, inputs: Iterable[Topic]) -> int:
    configs = _configs(admin, [topic.name for topic in inputs])
    return max(int(config[MESSAGE_BYTES]) for config in configs.values()) + LETTER_HEADERS_BYTES


def _missing(topic: Topic) -> Difference:
    return Difference(topic=topic.name, what="partitions", expected=str(topic.partitions), actual=None)


def _compared(topic: Topic, actual: Mapping[str, object]) -> list[Difference]:
    expected = {"partitions": topic.partitions, "replication": topic.replication} | dict(topic.config)
    return [
        Difference(topic=topic.name, what=what, expected=str(wanted), actual=str(actual.get(what)))
        for what, wanted in expected.items()
        if str(actual.get(what)) != str(wanted)
    ]


def _small(topics: Mapping[str, Topic], configs: Mapping[str, Mapping[str, str]]) -> list[Difference]:
    """More room than needed is no difference: then no message with attachments is refused, and no letter."""
    allowed = [int(configs[name][MESSAGE_BYTES]) for name in INPUTS if name in topics]
    letter_bytes = max(allowed, default=0) + LETTER_HEADERS_BYTES
    needed = {TRANSACTIONAL_MESSAGES: SEND_BYTES} | dict.fromkeys(WITH_ORIGINALS if allowed else (), letter_bytes)
    return [
        Difference(
            topic=topics[name].name,
            what=MESSAGE_BYTES,
            expected=f"at least {message_bytes}",
            actual=configs[name][MESSAGE_BYTES],
        )
        for name, message_bytes in needed.items()
        if name in topics and int(configs[name][MESSAGE_BYTES]) < message_bytes
    ]
