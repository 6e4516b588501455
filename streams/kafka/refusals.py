"""What Kafka's refusals mean to a command: which right is missing, and on what; and those that do not matter to it."""

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
    if error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return "may not be seen: allow READ on it, or WRITE where it is written"
    return "does not exist: run `cio-streams topics create`"


def why_absent(admin: AdminClient, topic: str) -> str:
    """As `why_unseen`, for a topic (full name) that is not in the list of topics."""
    try:
        admin.describe_topics(TopicCollection([topic]), request_timeout=ASK_S)[topic].result()
    except KafkaException as error:
        return why_unseen(error.args[0])
    return why_unseen(None)


def require_group(admin: AdminClient, group: str) -> None:
    """Insist that we may see what a group has committed: librdkafka would only say that time is over.

    Raises:
        ConfigError: we may not.
    """
    try:
        admin.describe_consumer_groups([group], request_timeout=ASK_S)[group].result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            raise ConfigError(f"Consumer group {group} may not be seen: allow DESCRIBE on it") from error
