"""Finds the record key of a line for an input topic, as the contract says; it neither judges nor changes the line."""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from schemas.person_id import id_text
from streams.kafka.topic_plan import BROADCAST_TRIGGERS, DOMAIN_EVENTS, TRANSACTIONAL_MESSAGES, USER_CHANGES

KEY_PATHS: Final[Mapping[str, Sequence[Sequence[str]]]] = {
    USER_CHANGES: (("user", "id"), ("user_id",)),
    DOMAIN_EVENTS: (("user_id",), ("anonymous_id",)),
    TRANSACTIONAL_MESSAGES: (("identifiers", "id"), ("message_id",)),
    BROADCAST_TRIGGERS: (("broadcast_id",),),
}
"""Where each topic's records name their key; the first place that holds an id counts."""


def find_key(line: bytes, *, topic: str) -> bytes | None:
    """Give the key of a line for `topic` (short name); None where the line has none, or is no JSON at all."""
    try:
        tree = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    keys = (_key_at(tree, path) for path in KEY_PATHS[topic])
    return next((key for key in keys if key is not None), None)


def _key_at(tree: object, path: Sequence[str]) -> bytes | None:
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    try:
        return id_text(tree).encode()
    except ValueError:
        return None
