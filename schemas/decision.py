"""A person's decision on a dead letter, as `customerio-dlq-decisions` keeps it: the last one of a letter counts."""

import sys
from dataclasses import asdict, dataclass
from typing import Final, Literal, TypeAlias, get_args

import orjson

from schemas.dead_letter import LetterName

DecisionKind: TypeAlias = Literal["replayed", "discarded", "parked", "edited"]
LetterState: TypeAlias = Literal["open", "replayed", "discarded", "parked"]

STATES: Final[dict[DecisionKind, LetterState]] = {
    "replayed": "replayed",
    "edited": "replayed",  # it was replayed with other content
    "discarded": "discarded",
    "parked": "parked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided; `at` is ISO 8601 in UTC, `by` whoever did it, `note` why.

    `replays` counts how often this letter has been replayed by then, whoever decided what in between.
    """

    decision: DecisionKind
    at: str
    by: str
    note: str | None = None
    replays: int = 0


def decision_key(name: LetterName) -> bytes:
    """The key under which the decisions on a letter stand, in the partition of the letter's name."""
    return str(name).encode()


def decided_letter(key: bytes | None) -> LetterName | None:
    """The letter that a key is of; None when it is of something else."""
    try:
        return LetterName.parse((key or b"").decode())
    except ValueError:  # what else stands on the topic has keys of another form
        return None


def encode_decision(decision: Decision) -> bytes:
    """The value of a decision's record."""
    return orjson.dumps(asdict(decision))


def decode_decision(value: bytes) -> Decision | None:
    """Read a decision's record; None when it is not one of ours. A million of one command share their texts.

    Where the replays were not counted yet, there was at most one.
    """
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or found.get("decision") not in get_args(DecisionKind):
        return None
    note, replays = found.get("note"), found.get("replays")
    return Decision(
        decision=found["decision"],
        at=sys.intern(str(found.get("at", ""))),
        by=sys.intern(str(found.get("by", ""))),
        note=None if note is None else sys.intern(str(note)),
        replays=replays if isinstance(replays, int) else int(STATES[found["decision"]] == "replayed"),
    )


def replays_after(decision: Decision | None) -> int:
    """How often a letter will have been replayed once it is replayed after this decision on it."""
    return 1 if decision is None else decision.replays + 1


def state_of(decision: Decision | None, *, replays: int, replays_max: int) -> LetterState:
    """The state of a letter that was replayed `replays` times before: parked without a decision once those are many."""
    if decision is not None:
        return STATES[decision.decision]
    return "parked" if replays >= replays_max else "open"
