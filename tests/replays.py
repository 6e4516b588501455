"""Replays as `dlq replay` writes them: a letter's key, value and headers, its count increased."""

from collections.abc import Sequence
from dataclasses import replace

from agents.steps.report import letter_headers
from schemas import dead_letter
from schemas.conclusion import Conclusion
from schemas.dead_letter import replays_of
from schemas.record import Header, Record
from tests.unit.input_records import InputRecord


def letter_of(record: Record, *, failed_at: str = "2026-11-22T10:00:00.184Z") -> list[Header]:
    """The headers of the letter that a worker writes when Customer.io refuses this record."""
    return list(letter_headers(Conclusion(record, "dead", "rejected"), group="group-1", failed_at=failed_at))


def replay_headers(
    letter: Sequence[Header], *, even_if_older: bool = False, even_if_sent: bool = False
) -> list[tuple[str, bytes]]:
    """Those of the letter's replay."""
    kept = [(name, value or b"") for name, value in letter if name != dead_letter.REPLAYS]
    told = [(dead_letter.REPLAYS, str(replays_of(letter) + 1).encode()), (dead_letter.NAMED, b"0/3")]
    wishes = {dead_letter.EVEN_IF_OLDER: even_if_older, dead_letter.EVEN_IF_SENT: even_if_sent}
    return kept + told + [(name, b"1") for name, is_wanted in wishes.items() if is_wanted]


def replay_of(
    record: InputRecord, *, offset: int = 0, even_if_older: bool = False, even_if_sent: bool = False
) -> InputRecord:
    """The replay of a record that died, at this offset of `customerio-replay` and a day later."""
    return replace(
        record,
        topic="customerio-replay",
        offset=offset,
        timestamp=record.timestamp + 86_400_000,
        headers=replay_headers(letter_of(record), even_if_older=even_if_older, even_if_sent=even_if_sent),
    )
