"""Builders of sends: records of transactional messages and broadcast triggers, and what they are translated to."""

from typing import Any

import orjson

from agents.steps.translate_send import translate_message
from schemas.send_memory import Known, SendEntry, SendPlace, Step
from schemas.translated import Send, Unsendable
from tests.unit.input_records import InputRecord

MESSAGES, TRIGGERS = "transactional-messages", "broadcast-triggers"


def make_message(message_id: str = "m-1", user_id: str = "u-1", *, offset: int = 0, **fields: Any) -> InputRecord:  # noqa: ANN401 - JSON
    """Build a push message, which needs no more than a template; `partition` is the record's."""
    partition = fields.pop("partition", 0)
    value = {"message_id": message_id, "channel": "push", "transactional_message_id": 3}
    value |= {"identifiers": {"id": user_id}, **fields}
    return InputRecord(
        topic=MESSAGES, key=user_id.encode(), value=orjson.dumps(value), offset=offset, partition=partition
    )


def make_trigger(trigger_id: str = "t-1", broadcast_id: int = 12, *, offset: int = 0, **fields: Any) -> InputRecord:  # noqa: ANN401 - JSON
    """Build a trigger."""
    value = {"trigger_id": trigger_id, "broadcast_id": broadcast_id, **fields}
    return InputRecord(topic=TRIGGERS, key=str(broadcast_id).encode(), value=orjson.dumps(value), offset=offset)


def make_send(message_id: str = "m-1", user_id: str = "u-1", *, offset: int = 0, **fields: Any) -> Send:  # noqa: ANN401 - JSON
    """Build what a message is translated to."""
    send = translate_message(make_message(message_id, user_id, offset=offset, **fields))
    assert not isinstance(send, Unsendable), send.detail
    return send


def entry(step: Step, known: Known | None = None, *, offset: int = 0, topic: str = MESSAGES) -> SendEntry:
    """Build an entry of the ledger for a message."""
    return SendEntry(step, "message", SendPlace(topic, offset), known)
