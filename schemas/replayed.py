"""A record of `customerio-replay`: what its headers say of where it was first. On the other topics they say nothing."""

from typing import Final, NamedTuple

from schemas.dead_letter import EVEN_IF_OLDER, EVEN_IF_SENT, Origin, origin_of, replay_texts
from schemas.record import Record
from schemas.times import REPLAY_TOPIC

YES: Final = "1"


class Replayed(NamedTuple):
    """What a replay knows of itself beyond what it says.

    `offset` is that of its first place; `even_if_older`: deliver it although newer data was delivered.
    """

    offset: int
    even_if_older: bool


def first_place(record: Record) -> Origin | None:
    """Where a replayed record was first; None of any other, and where its headers do not tell."""
    return origin_of(record.headers) if record.headers and record.topic.endswith(REPLAY_TOPIC) else None


def is_wanted_even_if_older(record: Record) -> bool:
    """Whether whoever replays it has said so."""
    return replay_texts(record.headers).get(EVEN_IF_OLDER) == YES


def is_wanted_even_if_sent(record: Record) -> bool:
    """Whether whoever replays it has said so."""
    return replay_texts(record.headers).get(EVEN_IF_SENT) == YES
