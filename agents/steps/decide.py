"""What to do with one user change, given what was last delivered for that person: nothing, or one action."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from schemas.outcome import OperationName, Outcome, Reason
from schemas.person_state import PersonState, highest
from schemas.translated import Change

Action: TypeAlias = Literal["identify", "opt_out", "opt_in", "delete"]


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing is to be sent: the change is concluded by what was delivered before it."""

    outcome: Outcome
    reason: Reason
    detail: str | None = None


_OLDER_VERSION = Settled("superseded", "older_version")
_OLDER_TIMESTAMP = Settled("superseded", "older_timestamp")
_OLDER_OFFSET = Settled("superseded", "older_timestamp", "a later record of the topic was delivered")
_DUPLICATE = Settled("duplicate", "fingerprint")
_DELETED = Settled("skipped", "user_deleted")
_OPTED_OUT = Settled("skipped", "user_opted_out")


def decide(change: Change, state: PersonState) -> Settled | Action:
    """Judge in the contract's order: superseded, deleted, opted out, duplicate; what is left is sent.

    `opt_in` is the unsuppress that must be accepted before the identify of the same change may be sent.
    """
    superseded = _superseded(change, state)
    if superseded:
        return superseded
    if state.deleted:
        return _DUPLICATE if change.kind == "delete" else _DELETED
    if state.opted_out and change.kind != "delete":
        return _decide_opted_out(change)
    return _DUPLICATE if change.fingerprint == state.fingerprint else change.kind


def _superseded(change: Change, state: PersonState) -> Settled | None:
    if change.replayed and change.replayed.even_if_older:
        return None
    if change.version is not None and state.version is not None:
        if change.version != state.version:
            return _OLDER_VERSION if change.version < state.version else None
    elif change.occurred_ms is not None and state.occurred_ms is not None and change.occurred_ms != state.occurred_ms:
        return _OLDER_TIMESTAMP if change.occurred_ms < state.occurred_ms else None
    return _OLDER_OFFSET if change.replayed and _is_lower(change.replayed.offset, state.offset) else None


def _is_lower(offset: int, delivered: int | None) -> bool:
    return delivered is not None and offset < delivered


def _decide_opted_out(change: Change) -> Settled | Action:
    if change.kind == "opt_out":
        return _DUPLICATE
    return "opt_in" if change.opts_in else _OPTED_OUT


def after_settled(change: Change, settled: Settled, state: PersonState) -> PersonState:
    """The state once `change` is settled: a duplicate moves it on, nothing else changes anything."""
    return _moved_on(change, state) if settled is _DUPLICATE else state


def after_action(change: Change, action: Action, state: PersonState) -> PersonState:
    """The state once Customer.io has accepted `action` of `change`."""
    if action == "opt_in":
        return state._replace(opted_out=False, fingerprint=None)
    return PersonState(
        change.fingerprint,
        highest(state.version, change.version),
        highest(state.occurred_ms, change.occurred_ms),
        max(state.sent_s, change.time_s),
        opted_out=action == "opt_out",
        deleted=action == "delete",
        offset=_offset(change, state),
    )


def operations(change: Change, *, opting_in: bool = False) -> tuple[OperationName, ...]:
    """The names of what was or would have been done at Customer.io."""
    if change.kind == "delete":
        return ("suppress", "delete")
    if change.kind == "opt_out":
        return ("suppress",)
    return ("unsuppress", "identify") if opting_in else ("identify",)


def _moved_on(change: Change, state: PersonState) -> PersonState:
    version = highest(state.version, change.version)
    occurred_ms = highest(state.occurred_ms, change.occurred_ms)
    offset = _offset(change, state)
    if (version, occurred_ms, offset) == (state.version, state.occurred_ms, state.offset):
        return state
    return state._replace(version=version, occurred_ms=occurred_ms, offset=offset)


def _offset(change: Change, state: PersonState) -> int | None:
    """What was not superseded is the newest there is, wherever it stands; what goes all the same ages nothing."""
    if change.replayed is None:
        return change.record.offset
    return highest(state.offset, change.replayed.offset) if change.replayed.even_if_older else change.replayed.offset
