"""What a letter's record is sent as, by today's code: the bodies of its operations, each as JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from pydantic_core import from_json

from agents.steps.translate_change import identify_body, simple_body, translate_change
from agents.steps.translate_event import translate_event
from agents.steps.translate_send import translate_message, translate_trigger
from schemas.dead_letter import DeadLetter
from schemas.record import Record
from schemas.translated import Change, Event, Send, Unsendable
from streams.dead_letters.masking import Json
from streams.kafka import topic_plan
from streams.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRecord:
    """A letter's record as it was at its first place, without headers: they say nothing about what is sent."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


def sent_operations(letter: DeadLetter, settings: Settings) -> list[Json]:
    """Nothing of a letter that was set aside before it was sent, or of a topic that is no input of ours."""
    if letter.reason in ("malformed", "too_large"):
        return []
    bodies = {settings.topic(name): each for name, each in _BODIES.items()}.get(letter.origin.topic)
    if bodies is None:
        return []
    record = FirstRecord(
        topic=letter.origin.topic,
        partition=letter.origin.partition,
        offset=letter.origin.offset,
        timestamp=-1 if letter.timestamp_ms is None else letter.timestamp_ms,
        key=letter.key,
        value=letter.value,
    )
    return [cast(Json, from_json(body)) for body in bodies(record)]


def _of_change(record: Record) -> list[bytes]:
    change = translate_change(record)
    if isinstance(change, Unsendable):
        return []
    return _change_bodies(change)


def _change_bodies(change: Change) -> list[bytes]:
    match change.kind:
        case "identify":
            return [identify_body(change.user_id, change.attributes, change.time_s)]
        case "opt_out":
            return [simple_body(change.user_id, "suppress")]
        case "delete":
            return [simple_body(change.user_id, "suppress"), simple_body(change.user_id, "delete")]


def _of_event(record: Record) -> list[bytes]:
    event = translate_event(record)
    return [event.body] if isinstance(event, Event) else []


def _of_send(translate: Callable[[Record], Send | Unsendable]) -> Callable[[Record], list[bytes]]:
    def bodies(record: Record) -> list[bytes]:
        send = translate(record)
        return [send.body] if isinstance(send, Send) else []

    return bodies


_BODIES: Final[Mapping[str, Callable[[Record], list[bytes]]]] = {
    topic_plan.USER_CHANGES: _of_change,
    topic_plan.DOMAIN_EVENTS: _of_event,
    topic_plan.TRANSACTIONAL_MESSAGES: _of_send(translate_message),
    topic_plan.BROADCAST_TRIGGERS: _of_send(translate_trigger),
}
