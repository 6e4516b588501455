"""Says what keeps a transaction from being written, and what to do about it. Asks Kafka, changes nothing."""

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AclOperation,
    AdminClient,
)

ASK_S: Final = 3.0

_SILENT = logging.getLogger("kafka.librdkafka.diagnosis")
_SILENT.disabled = True  # that Kafka does not answer is told already


class OutputDiagnosis:
    """Of one producer: the topics that it writes, and those that the offsets are of; their group, which begins its id.

    Offsets of a topic may be committed only by who may read it.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        written: Collection[str],
        read: Collection[str],
        group: str,
    ) -> None:
        self._config = config
        self._needed = dict.fromkeys(read, AclOperation.READ) | dict.fromkeys(written, AclOperation.WRITE)
        self._group = group

    def advice(self, error: KafkaError) -> str:
        """Give what is to be appended to the error's text: empty when nothing is found out."""
        told = {
            KafkaError.GROUP_AUTHORIZATION_FAILED: f"allow READ on the group {self._group}",
            KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: (
                f"allow WRITE and DESCRIBE on transactional ids that begin with {self._group}-"
            ),
            KafkaError.MSG_SIZE_TOO_LARGE: "raise that topic's max.message.bytes",
        }.get(error.code())
        return "".join(f"; {each}" for each in ([told] if told else self._faults()))

    def _faults(self) -> Iterator[str]:
        admin = AdminClient(dict(self._config) | {"logger": _SILENT})
        asked = admin.describe_topics(
            TopicCollection(list(self._needed)), include_authorized_operations=True, request_timeout=ASK_S
        )
        for name, answer in asked.items():
            try:
                fault = _fault(answer.result(), self._needed[name])
            except KafkaException as refusal:
                fault = _refusal(refusal.args[0].code(), self._needed[name])
            if fault:
                yield f"{name} {fault}"


def _refusal(code: int, needed: AclOperation) -> str | None:
    return {
        KafkaError.UNKNOWN_TOPIC_OR_PART: "does not exist: run `cio-streams topics create`",
        KafkaError.TOPIC_AUTHORIZATION_FAILED: f"may not be seen: allow {needed.name} on it",
    }.get(code)


def _fault(topic: Any, needed: AclOperation) -> str | None:  # noqa: ANN401 - confluent-kafka's stubs leave it out
    leaderless = [str(each.id) for each in topic.partitions if each.leader is None or each.leader.id < 0]
    if leaderless:
        return f"has no leader for partition {', '.join(leaderless)}: see to the brokers that hold it"
    allowed = topic.authorized_operations
    if allowed and needed not in allowed:
        return f"is out of reach: allow {needed.name} on it"
    return None
