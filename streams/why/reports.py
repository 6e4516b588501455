"""What Customer.io reported of the messages that one record led to, from the warehouse; where there is none, why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.dead_letter import Origin
from schemas.errors import StreamsError
from streams.settings import Settings
from streams.warehouse.engines import open_reader
from streams.warehouse.port import Found, WarehouseReader

MESSAGES_MAX: Final = 10
WEBHOOKS_MAX: Final = 100

BY_DELIVERY: Final = "delivery id"
BY_TRIGGER: Final = "trigger id"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTold:
    """A message, how it is known that the record led to it, and its newest webhooks as the view `webhooks` has them.

    Attributes:
        is_cut: whether there are more of them.
    """

    delivery_id: str
    known_by: str
    webhooks: Sequence[Found]
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """At most `MESSAGES_MAX` messages; `remark` says why there is none, or what there is more of."""

    messages: Sequence[MessageTold]
    remark: str | None


def find_reports(settings: Settings, sources: Sequence[Origin]) -> Reports:
    """Find what was reported of the records at these places: a record's own, and those of its replays."""
    reader = open_reader(settings)
    try:
        return find_in(reader, sources)
    except StreamsError as error:  # the rest of the story stands without
        return Reports(messages=[], remark=str(error))
    finally:
        reader.close()


def find_in(reader: WarehouseReader, sources: Sequence[Origin]) -> Reports:
    """The same, in an open warehouse."""
    results = [result for source in sources for result in _results(reader, source)]
    found = {delivery_id: known_by for result in results for delivery_id, known_by in _deliveries(reader, result)}
    messages = [_message(reader, *each) for each in list(found.items())[:MESSAGES_MAX]]
    if not results:
        return Reports(messages=[], remark="none: the warehouse has no result of it, or has not loaded it yet")
    if not messages:
        return Reports(messages=[], remark="none: no message is known that it led to")
    more = [f"of {MESSAGES_MAX} messages; there are more"] if len(found) > MESSAGES_MAX else []
    more += [f"the newest {WEBHOOKS_MAX} of {each.delivery_id}; there are more" for each in messages if each.is_cut]
    return Reports(messages=messages, remark="\n".join(more) or None)


def _message(reader: WarehouseReader, delivery_id: str, known_by: str) -> MessageTold:
    found = reader.read("webhooks", where={"delivery_id": delivery_id}, newest_by="happened_at", limit=WEBHOOKS_MAX + 1)
    return MessageTold(
        delivery_id=delivery_id,
        known_by=known_by,
        webhooks=found[:WEBHOOKS_MAX],
        is_cut=len(found) > WEBHOOKS_MAX,
    )


def _results(reader: WarehouseReader, source: Origin) -> list[Found]:
    place: dict[str, str | int] = {
        "source_topic": source.topic,
        "source_partition": source.partition,
        "source_offset": source.offset,
    }
    return reader.read("results", where=place, limit=MESSAGES_MAX)


def _deliveries(reader: WarehouseReader, result: Found) -> Iterator[tuple[str, str]]:
    """The messages that a record led to, and how that is known."""
    limit = MESSAGES_MAX + 1
    if result["event_id"] is not None:
        for row in reader.read("event_messages", where={"event_id": result["event_id"]}, limit=limit):
            yield row["delivery_id"], row["joined_by"]
    elif result["delivery_id"] is None:
        return
    elif result["operations"] == "trigger_broadcast":
        for row in reader.read("messages", where={"trigger_id": result["delivery_id"]}, limit=limit):
            yield row["delivery_id"], BY_TRIGGER
    else:
        yield result["delivery_id"], BY_DELIVERY
