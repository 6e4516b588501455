"""Finds out before anything is changed whether Kafka lets us do what is to be done. Changes nothing."""

from collections.abc import Collection, Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AclOperation,
    AdminClient,
)

from schemas.errors import ConfigError, UnavailableError

ASK_S: Final = 15.0
_REFUSED: Final = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})


def require_rights(admin: AdminClient, needed: Mapping[str, Collection[AclOperation]]) -> None:
    """Insist on these operations on these topics (full names).

    Raises:
        ConfigError: all that is missing, and what to allow.
        UnavailableError: Kafka does not tell.
    """
    asked = admin.describe_topics(
        TopicCollection(list(needed)), include_authorized_operations=True, request_timeout=ASK_S
    )
    faults, missing = [], []
    for name, answer in asked.items():
        try:
            allowed = answer.result().authorized_operations
        except KafkaException as refusal:
            error = refusal.args[0]
            if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                faults.append(f"{name} does not exist: run `cio-streams topics create`")
                continue
            if error.code() not in _REFUSED:
                raise UnavailableError(f"Kafka does not tell of {name}: {error.str()}") from refusal
            allowed = [None]
        lacking = [each.name for each in needed[name] if allowed and each not in allowed]
        if lacking:
            missing.append(f"{' and '.join(lacking)} on {name}")
    if missing:
        faults.append(f"allow {', '.join(missing)}")
    if faults:
        raise ConfigError(f"Nothing was changed, for not all of it could be: {'; '.join(faults)}")
