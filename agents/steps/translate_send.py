"""A transactional message or a broadcast trigger becomes the body to send, or says why it cannot; decides nothing."""

from collections.abc import Mapping
from typing import Final

import orjson

from agents.steps.fingerprint import fingerprint
from agents.steps.limits import id_over_limit
from schemas.broadcast_trigger import BroadcastTrigger
from schemas.codec import Malformed, decode_broadcast_trigger, decode_transactional_message
from schemas.outcome import OperationName
from schemas.person_id import presentable
from schemas.record import Record
from schemas.strict_json import canonical_json
from schemas.times import first_timestamp_ms, sendable_s
from schemas.transactional_message import Channel, TransactionalMessage
from schemas.translated import Send, Unsendable

_OPERATIONS: Final[Mapping[Channel, OperationName]] = {
    "email": "send_email",
    "push": "send_push",
    "sms": "send_sms",
    "in_app": "send_in_app",
}


def translate_message(record: Record) -> Send | Unsendable:
    """Decode and translate one record of `transactional-messages`; never raises for what a publisher wrote."""
    if record.value is None:
        return _malformed(record, Malformed(detail="value: must not be null"))
    message = decode_transactional_message(record.value)
    if isinstance(message, Malformed):
        return _malformed(record, message)
    user_id = message.identifiers.id
    if fault := message.send_at_fault(_time_s(record, message)):
        return _malformed(record, Malformed(detail=fault, user_id=user_id))
    request = message.request()
    send = Send(
        record=record,
        kind="message",
        send_id=message.message_id,
        target=message.channel,
        person=message.identifiers.person,
        user_id=user_id,
        operation=_OPERATIONS[message.channel],
        body=orjson.dumps(request),
        fingerprint=fingerprint(canonical_json(request)),
        even_unsubscribed=message.send_to_unsubscribed is True,
    )
    return _within_limits(send, "message_id")


def translate_trigger(record: Record) -> Send | Unsendable:
    """Decode and translate one record of `broadcast-triggers`; never raises for what a publisher wrote."""
    if record.value is None:
        return _malformed(record, Malformed(detail="value: must not be null"))
    trigger = decode_broadcast_trigger(record.value)
    if isinstance(trigger, Malformed):
        return _malformed(record, trigger)
    return _within_limits(_triggering(record, trigger), "trigger_id")


def _triggering(record: Record, trigger: BroadcastTrigger) -> Send:
    request = trigger.request()
    return Send(
        record=record,
        kind="trigger",
        send_id=trigger.trigger_id,
        target=str(trigger.broadcast_id),
        person=f"broadcast:{trigger.broadcast_id}",
        user_id=None,
        operation="trigger_broadcast",
        body=orjson.dumps(request),
        fingerprint=fingerprint(canonical_json(request)),
    )


def _time_s(record: Record, message: TransactionalMessage) -> int | None:
    """When it was written, as far as that is known."""
    time_ms = first_timestamp_ms(record) if message.occurred_ms is None else message.occurred_ms
    return sendable_s(time_ms) or None


def _malformed(record: Record, fault: Malformed) -> Unsendable:
    """A record's key says nothing of its person here."""
    return Unsendable(record=record, reason="malformed", detail=fault.detail, user_id=presentable(fault.user_id))


def _within_limits(send: Send, id_path: str) -> Send | Unsendable:
    fault = id_over_limit(id_path, send.send_id)
    if fault is None and send.user_id is not None:
        fault = id_over_limit("identifiers.id", send.user_id)
    if fault is None:
        return send
    return Unsendable(
        record=send.record,
        reason="too_large",
        detail=fault,
        user_id=presentable(send.user_id),
        operations=(send.operation,),
        fingerprint=send.fingerprint,
    )
