"""An operator's word that a topic's dead letters may be written for a while, as `customerio-dlq-decisions` keeps it.

It stands on partition 0, beside the decisions on letters, whose keys have another form.
"""

from dataclasses import asdict, dataclass
from typing import Final

import orjson

from schemas.times import unix_ms

PARTITION: Final = 0
_KEY: Final = "resume/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """`until` and `at` are ISO 8601 in UTC, `by` whoever said it, `note` why."""

    until: str
    at: str
    by: str
    note: str | None = None

    @property
    def until_ms(self) -> int:
        """In unix milliseconds."""
        return unix_ms(self.until)


def resume_key(topic: str) -> bytes:
    """The key under which the word on an input topic (short name) stands."""
    return f"{_KEY}{topic}".encode()


def resumed_topic(key: bytes | None) -> str | None:
    """The input topic (short name) that a key is of; None when it is of something else."""
    text = (key or b"").decode(errors="replace")
    return text.removeprefix(_KEY) if text.startswith(_KEY) else None


def encode_resume(resume: Resume) -> bytes:
    """The value of its record."""
    return orjson.dumps(asdict(resume))


def decode_resume(value: bytes) -> Resume | None:
    """Read the value of a record; None when it is not one of ours."""
    try:
        found = orjson.loads(value)
        resume = Resume(
            until=found["until"], at=str(found.get("at", "")), by=str(found.get("by", "")), note=found.get("note")
        )
        unix_ms(resume.until)
    except (ValueError, TypeError, KeyError, AttributeError):  # no JSON, no object, no time
        return None
    return resume
