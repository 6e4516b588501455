"""What operators have said on `customerio-dlq-decisions`: by whom and why, all there that may name a person.

It reads no topic.
"""

from dataclasses import replace
from typing import Final, TypeAlias, TypeVar

from schemas.decision import Decision, decided_letter, decode_decision
from schemas.resume import Resume, decode_resume, resumed_topic
from streams.dead_letters.erasure.rule import Person

NOBODY: Final = ""
"""By whom an erasure decides; an operator has a name."""

Said: TypeAlias = Decision | Resume
AnySaid = TypeVar("AnySaid", Decision, Resume)


def read_said(key: bytes | None, value: bytes | None) -> Said | None:
    """Read a record; None when it is neither a decision on a letter nor an operator's word on a topic."""
    if value is None:
        return None
    if resumed_topic(key) is not None:
        return decode_resume(value)
    return decode_decision(value) if decided_letter(key) else None


def is_told_in(person: Person, said: Said) -> bool:
    """Whether it holds the person's id; in times and in our own words it is nobody's."""
    return person.is_held(None, said.by.encode()) or person.is_held(None, _note(said).encode())


def is_unsaid(said: Said) -> bool:
    """Whether an erasure has left nothing of it but what was decided."""
    return said.by == NOBODY and not _note(said)


def without(person: Person, said: AnySaid) -> AnySaid:
    """What was decided stays, for it is about others; what names the person does not."""
    if person.is_held(None, said.by.encode()):
        said = replace(said, by=NOBODY)
    if isinstance(said, Decision) and person.is_held(None, _note(said).encode()):
        said = replace(said, note=None)
    return said


def _note(said: Said) -> str:
    return (said.note or "") if isinstance(said, Decision) else ""
