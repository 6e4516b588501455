"""What Kafka's refusals mean to a command: which right is missing, and on what; and those that do not matter to it."""

from collections.abc import Collection
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from schemas.errors import ConfigError

ASK_S: Final = 15.0


def is_of_no_group(error: KafkaError) -> bool:
    """Whether it is only about the group that librdkafka wants a name of, where nothing is asked of any group."""
    return error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED


def why_unseen(error: KafkaError | None) -> str:
    """What is to be said behind the name of a topic of which Kafka does not tell, this being its answer."""
    if error is not None and is_refused(error):
        return "may not be seen: allow READ on it, or WRITE where it is written"
    return "does not exist: run `cio-streams topics create`"


def why_absent(admin: AdminClient, topic: str) -> str:
    """As `why_unseen`, for a topic (full name) that is not in the list of topics."""
    try:
        admin.describe_topics(TopicCollection([topic]), request_timeout=ASK_S)[topic].result()
    except KafkaException as error:
        return why_unseen(error.args[0])
    return why_unseen(None)


def insist_on_sight(admin: AdminClient, topics: Collection[str]) -> None:
    """Insist that we may see these topics (full names), whether they exist or not: what is hidden looks like missing.

    Raises:
        ConfigError: we may not.
    """
    asked = admin.describe_topics(TopicCollection(list(topics)), request_timeout=ASK_S) if topics else {}
    errors = {name: answer.exception() for name, answer in asked.items()}
    hidden = [name for name, error in errors.items() if isinstance(error, KafkaException) and is_refused(error.args[0])]
    if hidden:
        raise ConfigError(f"Topics may not be seen: allow DESCRIBE on {', '.join(hidden)}")


def is_refused(error: KafkaError) -> bool:
    """Whether Kafka does not let us do it to this topic."""
    return error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def require_group(admin: AdminClient, group: str, *, needed: str = "DESCRIBE") -> None:
    """Insist that we may see what a group has committed: librdkafka would only say that time is over.

    Raises:
        ConfigError: we may not; `needed` is what is advised.
    """
    try:
        admin.describe_consumer_groups([group], request_timeout=ASK_S)[group].result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            raise ConfigError(f"Consumer group {group} may not be seen: allow {needed} on it") from error
