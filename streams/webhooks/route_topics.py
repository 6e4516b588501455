"""Asks the cluster for the topics that webhooks go to."""

from collections.abc import Sequence

from confluent_kafka.admin import AdminClient

from schemas.errors import ConfigError
from streams.kafka.clients import connected_admin
from streams.kafka.topic_plan import WEBHOOKS, plan
from streams.kafka.topics import partition_counts, require_partitions
from streams.settings import Settings
from streams.webhooks.routes import Route


def missing_topics(admin: AdminClient, settings: Settings, routes: Sequence[Route]) -> list[str]:
    """Give a line for each route whose topic does not exist and is none of the plan's, which are checked there.

    Raises:
        UnavailableError: the cluster does not answer.
    """
    planned = plan(settings)
    full = {route.name: settings.topic(route.topic) for route in routes if route.topic not in planned}
    found = partition_counts(admin, full.values())
    return [
        f"WEBHOOK_ROUTES: route {name}: topic {topic} does not exist"
        for name, topic in full.items()
        if topic not in found
    ]


def require_topics(settings: Settings, routes: Sequence[Route]) -> None:
    """Insist on all of them; this takes as long as Kafka takes.

    Raises:
        ConfigError: one does not exist.
        UnavailableError: Kafka cannot be reached.
    """
    admin = connected_admin(settings)
    planned = plan(settings)
    require_partitions(admin, settings, [WEBHOOKS, *(route.topic for route in routes if route.topic in planned)])
    missing = missing_topics(admin, settings, routes)
    if missing:
        raise ConfigError("; ".join(missing))
