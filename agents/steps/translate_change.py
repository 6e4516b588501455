"""A user change becomes what Customer.io is to be told, or says why it cannot. It decides nothing about sending."""

from collections.abc import Mapping
from typing import Literal

import orjson

from agents.steps.fingerprint import fingerprint
from agents.steps.limits import ITEM_BYTES_MAX, attributes_over_limit, id_over_limit, item_over_limit
from agents.steps.malformed import malformed
from schemas.codec import decode_user_change
from schemas.outcome import OperationName
from schemas.person_id import key_text, presentable
from schemas.record import Record
from schemas.strict_json import canonical_json
from schemas.times import first_timestamp_ms, sendable_s
from schemas.translated import Change, ChangeKind, Unsendable
from schemas.user_change import Preferences, User, UserDeleted, UserUpserted

_FIELDS = ("email", "first_name", "last_name", "plan", "created_at")
_PREFERENCES = (("marketing", "marketing_opt_in"), ("transactional", "transactional_opt_in"))
_CLEARED = dict.fromkeys(("marketing_opt_in", "transactional_opt_in"))
_OPERATIONS: Mapping[ChangeKind, tuple[OperationName, ...]] = {
    "identify": ("identify",),
    "opt_out": ("suppress",),
    "delete": ("suppress", "delete"),
}
_TIMES_BYTES_MAX = 80  # of `last_seen_at` and `timestamp` with their names: sent, but no part of the fingerprint


def translate_change(record: Record) -> Change | Unsendable:
    """Decode and translate one record of `user-changes`; never raises for what a publisher wrote."""
    if record.value is None:
        return _translate_tombstone(record)
    change = decode_user_change(record.value)
    if isinstance(change, UserUpserted):
        return _translate_upsert(record, change)
    if isinstance(change, UserDeleted):
        return _translate_deletion(record, change)
    return malformed(record, change.detail, user_id=change.user_id)


def identify_body(user_id: str, attributes: Mapping[str, object], timestamp_s: int) -> bytes:
    """Write an identify as it is sent in a batch."""
    return orjson.dumps({**_identify(user_id, attributes), "timestamp": timestamp_s})


def simple_body(user_id: str, action: Literal["suppress", "unsuppress", "delete"]) -> bytes:
    """Write an operation that consists of its name, as it is sent in a batch; it is canonical as well."""
    return canonical_json({"type": "person", "action": action, "identifiers": {"id": user_id}})


def _translate_upsert(record: Record, change: UserUpserted) -> Change | Unsendable:
    user = change.user
    if record.key is not None and record.key != user.id.encode():
        return malformed(record, "key and user.id differ", user_id=user.id)
    if _is_opt_out(user.preferences):
        return _without_attributes(record, change, kind="opt_out", user_id=user.id, path="user.id")
    attributes = _attributes(user)
    canonical = canonical_json(_identify(user.id, attributes))
    time_s = _time_s(record, change.occurred_ms)
    attributes["last_seen_at"] = time_s
    opts_in = _opts_in(user.preferences)
    digest = fingerprint(canonical)
    # By position, in the order of the fields: names cost half as much again.
    result = Change(
        record, user.id, "identify", opts_in, attributes, change.version, change.occurred_ms, time_s, digest
    )
    fault = (
        id_over_limit("user.id", user.id)
        or attributes_over_limit(attributes, custom=user.attributes, json_bytes=len(canonical))
        or _identify_over_limit(result, json_bytes=len(canonical))
    )
    return _too_large(result, fault) if fault else result


def _translate_deletion(record: Record, change: UserDeleted) -> Change | Unsendable:
    if record.key is not None and record.key != change.user_id.encode():
        return malformed(record, "key and user_id differ", user_id=change.user_id)
    return _without_attributes(record, change, kind="delete", user_id=change.user_id, path="user_id")


def _translate_tombstone(record: Record) -> Change | Unsendable:
    user_id = key_text(record.key)
    if user_id is None:
        fault = "is not UTF-8" if record.key else "must name the user whom a null value deletes"
        return malformed(record, f"key: {fault}")
    return _without_attributes(record, None, kind="delete", user_id=user_id, path="key")


def _without_attributes(
    record: Record,
    change: UserUpserted | UserDeleted | None,
    *,
    kind: Literal["opt_out", "delete"],
    user_id: str,
    path: str,
) -> Change | Unsendable:
    occurred_ms = change.occurred_ms if change else None
    result = Change(
        record=record,
        user_id=user_id,
        kind=kind,
        opts_in=False,
        attributes={},
        version=change.version if change else None,
        occurred_ms=occurred_ms,
        time_s=_time_s(record, occurred_ms),
        fingerprint=fingerprint(simple_body(user_id, "suppress" if kind == "opt_out" else "delete")),
    )
    fault = id_over_limit(path, user_id)
    return _too_large(result, fault) if fault else result


def _identify_over_limit(change: Change, *, json_bytes: int) -> str | None:
    if json_bytes + _TIMES_BYTES_MAX <= ITEM_BYTES_MAX:
        return None
    return item_over_limit(identify_body(change.user_id, change.attributes, change.time_s))


def _too_large(change: Change, detail: str) -> Unsendable:
    return Unsendable(
        record=change.record,
        reason="too_large",
        detail=detail,
        user_id=presentable(change.user_id),
        operations=_OPERATIONS[change.kind],
        fingerprint=change.fingerprint,
    )


def _identify(user_id: str, attributes: Mapping[str, object]) -> dict[str, object]:
    return {"type": "person", "action": "identify", "identifiers": {"id": user_id}, "attributes": attributes}


def _attributes(user: User) -> dict[str, object]:
    fields, given = vars(user), user.model_fields_set
    attributes = {name: fields[name] for name in _FIELDS if name in given}
    if user.preferences is not None:
        attributes |= _opt_ins(user.preferences)
    elif "preferences" in given:
        attributes |= _CLEARED
    if user.attributes:
        attributes |= user.attributes
    return attributes


def _opt_ins(preferences: Preferences) -> dict[str, object]:
    fields, given = vars(preferences), preferences.model_fields_set
    return {sent: fields[name] for name, sent in _PREFERENCES if name in given}


def _is_opt_out(preferences: Preferences | None) -> bool:
    return preferences is not None and preferences.marketing is False and preferences.transactional is False


def _opts_in(preferences: Preferences | None) -> bool:
    return preferences is not None and (preferences.marketing is True or preferences.transactional is True)


def _time_s(record: Record, occurred_ms: int | None) -> int:
    ms = first_timestamp_ms(record) if occurred_ms is None else occurred_ms
    return sendable_s(ms)  # Kafka's -1 is no time; the year 1970 loses against whatever is known
