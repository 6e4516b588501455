"""From a record of `customerio-results` to its row. Pure; whatever the record is, it becomes a row."""

from typing import Any, Final

import orjson

from schemas.record import Stored
from streams.dead_letters.masking import shown_message
from streams.warehouse.fields import Fields, is_too_deep, micros_of_ms
from streams.warehouse.places import fault_key, place_of
from streams.warehouse.tables import Row, Value

NO_RESULT: Final = "no_result"
_OWN: Final = 19
"""Columns between the key and the fault."""


def result_row(record: Stored, incarnation: str) -> Row:
    """Its row of `tables.RESULTS`."""
    told = _parse(record.value)
    if told is None:
        return (
            fault_key(record, incarnation),
            *(None,) * _OWN,
            "null" if record.value is None else NO_RESULT,
            None,
            *place_of(record, incarnation),
        )
    source, origin = told.part("source"), told.part("origin")
    own, key = _own(told, source, origin), None
    topic, partition, offset, at = own[3:7]
    if topic is not None and partition is not None and offset is not None and own[0] is not None:
        key = f"{topic}/{partition}/{offset}@{at}"
    for name, part in (("source", source), ("origin", origin)):
        if part.rest:
            told.rest[name] = part.rest
    told.drop()
    fault = None if key else NO_RESULT
    return (key or fault_key(record, incarnation), *own, fault, told.left(), *place_of(record, incarnation))


def _own(told: Fields, source: Fields, origin: Fields) -> tuple[Value, ...]:
    source_ms, detail = source.integer("timestamp_ms"), told.text("detail")
    return (
        told.text("outcome"),
        told.text("reason"),
        None if detail is None else shown_message(detail),
        source.text("topic"),
        source.integer("partition"),
        source.integer("offset"),
        None if source_ms is None else micros_of_ms(source_ms),
        origin.text("topic"),
        origin.integer("partition"),
        origin.integer("offset"),
        told.text("user_id"),
        _operations(told),
        told.text("fingerprint"),
        told.text("event_id"),
        told.text("delivery_id"),
        told.integer("status"),
        told.integer("attempts"),
        told.integer("latency_ms"),
        told.moment("processed_at"),
    )


def _operations(told: Fields) -> str | None:
    names = told.rest.get("operations")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    del told.rest["operations"]
    return ",".join(names)


def _parse(value: bytes | None) -> Fields | None:
    """The fields of a JSON object, None for anything else."""
    try:
        tree: Any = None if value is None or is_too_deep(value) else orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return Fields(tree) if isinstance(tree, dict) else None
