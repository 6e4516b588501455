"""Tells what was reported of a record's messages: as data, and as lines of its timeline. Never content."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from agents.steps.report import iso_utc
from streams.warehouse.port import Found
from streams.why.reports import MessageTold, Reports


class Event(NamedTuple):
    """A line of the timeline: when (ISO 8601 in UTC), what, what there is to say of it, and lines that go below."""

    at: str
    what: str
    remark: str
    below: Sequence[str] = ()


def reports_as_data(reports: Reports) -> dict[str, Any]:
    """Everything, with names that stay."""
    return {
        "remark": reports.remark,
        "messages": [
            {
                "delivery_id": message.delivery_id,
                "known_by": message.known_by,
                "webhooks": [_webhook(each) for each in message.webhooks],
            }
            for message in reports.messages
        ],
    }


def reported(reports: Reports) -> Iterator[Event]:
    """A line for each webhook."""
    for message in reports.messages:
        for webhook in message.webhooks:
            yield Event(_at(webhook["happened_at"]), webhook["metric"] or "webhook", _remark(message, webhook))


def _remark(message: MessageTold, webhook: Found) -> str:
    guess = ", a guess" if message.known_by == "person and time" else ""
    parts = [
        f"{webhook['object_type'] or 'message'} {message.delivery_id}",
        "by a machine" if _is_machine(webhook) else "",
        f"known by {message.known_by}{guess}",
    ]
    return ", ".join(part for part in parts if part)


def _webhook(webhook: Found) -> dict[str, Any]:
    return {
        "at": _at(webhook["happened_at"]),
        "object_type": webhook["object_type"],
        "metric": webhook["metric"],
        "event_id": webhook["event_id"],
        "by_machine": _is_machine(webhook),
    }


def _is_machine(webhook: Found) -> bool:
    return bool(webhook["is_machine"] or webhook["is_prefetched"])


def _at(moment: datetime | None) -> str:
    return "unknown" if moment is None else iso_utc(round(moment.timestamp() * 1000))
