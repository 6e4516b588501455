"""The warehouse's tables as data: their columns are declared here and nowhere else, for every engine.

A column that is added here, at the end or anywhere, is added to warehouses that exist when they are prepared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["text", "integer", "boolean", "time", "json"]
Value: TypeAlias = str | int | bool | None
"""Text, an integer of 64 bits, a boolean; a time is unix microseconds within the years 1970 to 9999; JSON is text."""

Row: TypeAlias = tuple[Value, ...]
"""The values of a table's columns, in their order."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; each may be null but for those that are needed."""

    name: str
    kind: Kind
    meaning: str
    is_needed: bool = False


@dataclass(frozen=True)
class Table:
    """A table that only grows; readers use its view, which shows each `row_key` once.

    Attributes:
        view: what readers use.
        day: the time by whose day an engine may divide it.
        cluster: columns by which an engine may keep rows together.
        near: what rows with the same key agree in and rows of about the same time are close in, null or not: an engine
            may look for a key only where this is.
    """

    name: str
    view: str
    columns: Sequence[Column]
    day: str
    cluster: Sequence[str]
    near: str = "row_key"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of its columns."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def _offset_at(self) -> int:
        return self.names.index("kafka_offset")

    def offset_of(self, row: Row) -> int:
        """Where its record lies in its partition."""
        offset = row[self._offset_at]
        assert isinstance(offset, int)  # noqa: S101 - the column is needed
        return offset


_KEY: Final = Column("row_key", "text", "the same for every row that says the same thing", is_needed=True)
_FAULT: Final = Column("fault", "text", "why the record could not be read; null where it could")
_DATA: Final = Column("data", "json", "what has no column of its own; addresses masked")
_PLACE: Final = (
    Column("kafka_topic", "text", "the topic it was read from, full name", is_needed=True),
    Column("kafka_incarnation", "text", "which topic of that name it was", is_needed=True),
    Column("kafka_partition", "integer", "its partition", is_needed=True),
    Column("kafka_offset", "integer", "its offset", is_needed=True),
    Column("received_at", "time", "Kafka's time of the record"),
)

WEBHOOKS: Final = Table(
    "webhooks_raw",
    "webhooks",
    (
        _KEY,
        Column("event_id", "text", "Customer.io's id of the report"),
        Column("object_type", "text", "email, push, sms, whatsapp, in_app, slack, webhook or customer"),
        Column("metric", "text", "sent, delivered, opened, …"),
        Column("happened_at", "time", "when, by Customer.io's clock"),
        Column("person_id", "text", "whose"),
        Column("delivery_id", "text", "one message to one person"),
        Column("campaign_id", "text", "of a message of a campaign"),
        Column("broadcast_id", "text", "of a message of a broadcast"),
        Column("newsletter_id", "text", "of a message of a newsletter"),
        Column("transactional_message_id", "text", "the template of a transactional message"),
        Column("trigger_id", "text", "which triggering of a broadcast"),
        Column("trigger_event_id", "text", "the event that started the campaign"),
        Column("action_id", "text", "the step of the campaign"),
        Column("parent_action_id", "text", "the step above it"),
        Column("journey_id", "text", "the person's way through the campaign"),
        Column("content_id", "text", "which content of a newsletter"),
        Column("template_id", "text", "which template"),
        Column("link_id", "text", "which link was clicked"),
        Column("href", "text", "where it leads, without query and fragment; addresses masked"),
        Column("failure_message", "text", "why it bounced, was dropped or failed; addresses masked"),
        Column("is_machine", "boolean", "a click by a machine"),
        Column("is_prefetched", "boolean", "an open by a mail service that fetched ahead"),
        Column("is_proxied", "boolean", "an open through a proxy"),
        Column("is_synthetic", "boolean", "an open that was concluded from a click"),
        Column("is_stale", "boolean", "validly signed, but outside the tolerance"),
        _FAULT,
        _DATA,
        Column("more", "json", "fields beside `data` that nobody knew; addresses masked"),
        *_PLACE,
    ),
    day="received_at",
    cluster=("person_id", "delivery_id"),
)

RESULTS: Final = Table(
    "results_raw",
    "results",
    (
        _KEY,
        Column("outcome", "text", "delivered, duplicate, superseded, skipped or dead"),
        Column("reason", "text", "why, where it was not delivered"),
        Column("detail", "text", "what is wrong; addresses masked"),
        Column("source_topic", "text", "the record's topic, full name"),
        Column("source_partition", "integer", "its partition"),
        Column("source_offset", "integer", "its offset"),
        Column("source_at", "time", "Kafka's time of the record"),
        Column("origin_topic", "text", "of a replay: the record's first topic"),
        Column("origin_partition", "integer", "its first partition"),
        Column("origin_offset", "integer", "its first offset"),
        Column("user_id", "text", "whose"),
        Column("operations", "text", "what was done, separated by commas"),
        Column("fingerprint", "text", "of the operation as sent"),
        Column("event_id", "text", "the ULID under which an event was sent"),
        Column("delivery_id", "text", "of a message; a broadcast's trigger id"),
        Column("status", "integer", "of Customer.io's answer"),
        Column("attempts", "integer", "requests that were sent for it"),
        Column("latency_ms", "integer", "from the record's time to its result"),
        Column("processed_at", "time", "when it was concluded"),
        _FAULT,
        _DATA,
        *_PLACE,
    ),
    day="received_at",
    cluster=("user_id", "event_id"),
    near="source_at",
)

TABLES: Final = (WEBHOOKS, RESULTS)
