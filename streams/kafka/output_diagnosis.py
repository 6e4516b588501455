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
    """Of one producer: the topics that it writes, the group that its offsets are of, its transactional id."""

    def __init__(
        self, config: Mapping[str, Any], topics: Collection[str], *, group: str, transactional_id: str
    ) -> None:
        self._config = config
        self._topics = topics
        self._group = group
        self._transactional_id = transactional_id

    def advice(self, error: KafkaError) -> str:
        """Give what is to be appended to the error's text: empty when nothing is found out."""
        told = {
            KafkaError.GROUP_AUTHORIZATION_FAILED: f"allow READ on the group {self._group}",
            KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: (
                f"allow WRITE and DESCRIBE on transactional ids that begin as {self._transactional_id} does"
            ),
            KafkaError.MSG_SIZE_TOO_LARGE: "raise that topic's max.message.bytes",
        }.get(error.code())
        return "".join(f"; {each}" for each in ([told] if told else self._faults()))

    def _faults(self) -> Iterator[str]:
        admin = AdminClient(dict(self._config) | {"logger": _SILENT})
        asked = admin.describe_topics(
            TopicCollection(list(self._topics)), include_authorized_operations=True, request_timeout=ASK_S
        )
        for name, answer in asked.items():
            try:
                fault = _fault(answer.result())
            except KafkaException as refusal:
                fault = _REFUSALS.get(refusal.args[0].code())
            if fault:
                yield f"{name} {fault}"


_REFUSALS: Final = {
    KafkaError.UNKNOWN_TOPIC_OR_PART: "does not exist: run `cio-streams topics create`",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "may not be seen: allow DESCRIBE and WRITE on it",
}


def _fault(topic: Any) -> str | None:  # noqa: ANN401 - confluent-kafka's stubs leave it out
    leaderless = [str(each.id) for each in topic.partitions if each.leader is None or each.leader.id < 0]
    if leaderless:
        return f"has no leader for partition {', '.join(leaderless)}: see to the brokers that hold it"
    allowed = topic.authorized_operations
    if allowed and AclOperation.WRITE not in allowed:
        return "may not be written: allow WRITE on it"
    return None
