"""Gives a user rights on what belongs to some settings, takes them away, and waits until the broker goes by it."""

import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from streams.kafka import topics
from streams.kafka.clients import connected_admin
from streams.kafka.roles import Right
from streams.settings import Settings

WAIT_S: Final = 10.0
KINDS: Final = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}


class Guard:
    """What a user may do with what belongs to these settings, which come in by a door where all is allowed."""

    def __init__(self, settings: Settings, user: str) -> None:
        self._settings = settings
        self._user = user
        self._admin: AdminClient = connected_admin(settings)

    def allow(self, rights: Collection[Right]) -> None:
        """Add them."""
        for future in self._admin.create_acls([AclBinding(*self._rule(each)) for each in rights]).values():
            future.result()
        for right in rights:
            self._wait(right, 1)

    def forbid(self, right: Right) -> None:
        """Take it away."""
        for future in self._admin.delete_acls([AclBindingFilter(*self._rule(right))]).values():
            assert len(future.result()) == 1
        self._wait(right, 0)

    @contextmanager
    def without(self, right: Right) -> Iterator[None]:
        """Take it away for a while."""
        self.forbid(right)
        try:
            yield
        finally:
            self.allow([right])

    def _wait(self, right: Right, count: int) -> None:
        """The broker tells by the very rules that it goes by; it learns of them a little after they are written."""
        until_s = time.monotonic() + WAIT_S
        rule = AclBindingFilter(*self._rule(right))
        while len(self._admin.describe_acls(rule).result()) != count:
            assert time.monotonic() < until_s, "the broker does not hear of it"
            time.sleep(0.01)

    def _rule(self, right: Right) -> Any:  # noqa: ANN401 - the seven arguments of a binding, and of a filter
        pattern = ResourcePatternType.PREFIXED if right.is_prefix else ResourcePatternType.LITERAL
        name = right.full_name(self._settings)
        operation = AclOperation[right.operation]
        return KINDS[right.kind], name, pattern, f"User:{self._user}", "*", operation, AclPermissionType.ALLOW


def settings_on(bootstrap: str) -> Settings:
    """Topics of the test's own, on which no user may do anything yet."""
    prefix = f"g{uuid.uuid4().hex[:8]}."
    settings = Settings(
        kafka_bootstrap_servers=bootstrap, topic_prefix=prefix, app_id=f"{prefix}app", topic_partitions=2
    )
    topics.create(connected_admin(settings), settings)
    return settings
