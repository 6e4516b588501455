"""What must become of user changes, computed anew from the contract's words: a second opinion, sharing no code.

One `Person` takes that person's records in topic order. It sends nothing and reads nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

_OWN: Final = {
    "email": "email",
    "first_name": "first_name",
    "firstName": "first_name",
    "last_name": "last_name",
    "lastName": "last_name",
    "plan": "plan",
}
_PREFERENCES: Final = {"marketing": "marketing_opt_in", "transactional": "transactional_opt_in"}

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """An operation that Customer.io must be told; neighbouring identifies may come as one.

    `timestamp` is None, or the least and the greatest that an identify may carry.
    """

    action: str
    attributes: Attributes = field(default_factory=dict)
    timestamp: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What the record's result must say."""

    outcome: str
    reason: str | None
    operations: tuple[str, ...] = ()

    def fault(self, result: Mapping[str, Any]) -> str | None:
        """What the result says instead; None when it says this."""
        if (result["outcome"], result["reason"]) != (self.outcome, self.reason):
            said = f"{result['outcome']} ({result['reason']})"
            return f"is {said}, must be {self.outcome} ({self.reason}); {result['detail']}"
        if self.outcome == "delivered" and tuple(result["operations"]) != self.operations:
            return f"names {result['operations']}, must be {list(self.operations)}"
        return None


@dataclass(slots=True, kw_only=True)
class Person:
    """Everything that was delivered for one person so far."""

    sends: list[Send] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    is_known: bool = False
    is_deleted: bool = False
    is_opted_out: bool = False
    was_ever_out: bool = False
    _last: object = None
    _version: int | None = None
    _occurred_ms: int | None = None
    _sent_s: int = 0
    _seen_s: int = 0
    _offset: int = -1

    def judge(
        self,
        value: bytes | None,
        timestamp_ms: int,
        *,
        offset: int = -1,
        is_replay: bool = False,
        even_if_older: bool = False,
    ) -> Expected:
        """Take the next record; it must be well-formed. Of a replay, time and offset are those it had at first."""
        change: dict[str, Any] = {"type": "user.deleted"} if value is None else json.loads(value)
        occurred_ms = unix_ms(change["occurred_at"]) if "occurred_at" in change else None
        version = change.get("version")
        older = self._older(version, occurred_ms, offset if is_replay else None)
        if older and not even_if_older:
            return Expected("superseded", older)
        time_s = (timestamp_ms if occurred_ms is None else occurred_ms) // 1000
        expected = self._judge(change, time_s)
        if expected.outcome in {"delivered", "duplicate"}:
            self._version = _newer(self._version, version)
            self._occurred_ms = _newer(self._occurred_ms, occurred_ms)
            self._offset = max(self._offset, offset) if is_replay and even_if_older else offset
        if expected.outcome == "delivered":
            self._seen_s = max(self._seen_s, time_s)
        return expected

    def _older(self, version: int | None, occurred_ms: int | None, first_offset: int | None) -> str | None:
        """Why it is; `first_offset` is that of a replay, which tells where nothing else does."""
        place = None if first_offset is None or first_offset >= self._offset else "older_timestamp"
        if version is not None and self._version is not None:
            return place if version == self._version else "older_version" if version < self._version else None
        if occurred_ms is not None and self._occurred_ms is not None and occurred_ms != self._occurred_ms:
            return "older_timestamp" if occurred_ms < self._occurred_ms else None
        return place

    def _judge(self, change: dict[str, Any], time_s: int) -> Expected:
        if change["type"] == "user.deleted":
            return self._delete()
        user = change["user"]
        wishes = {wish for wish in (user.get("preferences") or {}).values() if wish is not None}
        is_refusal = wishes == {False} and len(user["preferences"]) == len(_PREFERENCES)
        if self.is_deleted:
            return Expected("skipped", "user_deleted")
        if is_refusal:
            return self._opt_out()
        if self.is_opted_out and True not in wishes:
            return Expected("skipped", "user_opted_out")
        return self._identify(_attributes(user), time_s)

    def _delete(self) -> Expected:
        if self.is_deleted:
            return Expected("duplicate", "fingerprint")
        self.is_deleted = self.was_ever_out = True
        self._forget("deleted")
        self.sends += [Send(action="suppress"), Send(action="delete")]
        return Expected("delivered", None, ("suppress", "delete"))

    def _opt_out(self) -> Expected:
        if self.is_opted_out:
            return Expected("duplicate", "fingerprint")
        self.is_opted_out = self.was_ever_out = True
        self._forget("opted out")
        self.sends.append(Send(action="suppress"))
        return Expected("delivered", None, ("suppress",))

    def _forget(self, last: str) -> None:
        """Customer.io deletes whom it suppresses."""
        self._last, self.attributes, self.is_known = last, {}, False

    def _identify(self, attributes: dict[str, Any], time_s: int) -> Expected:
        if attributes == self._last:
            return Expected("duplicate", "fingerprint")
        operations: tuple[str, ...] = ("identify",)
        if self.is_opted_out:
            self.sends.append(Send(action="unsuppress"))
            operations = ("unsuppress", "identify")
        self.is_opted_out, self.is_known, self._last = False, True, attributes
        self._sent_s = max(self._sent_s, time_s)
        told = attributes | {"last_seen_at": time_s}
        self.attributes |= told
        bounds = (self._sent_s, max(self._sent_s, self._seen_s))
        self.sends.append(Send(action="identify", attributes=told, timestamp=bounds))
        return Expected("delivered", None, operations)

    @property
    def shown(self) -> Attributes:
        """The attributes that Customer.io must have in the end; what was cleared is not there."""
        return {name: value for name, value in self.attributes.items() if value not in (None, "")}


def _attributes(user: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {_OWN[name]: value for name, value in user.items() if name in _OWN}
    for name in ("created_at", "createdAt"):
        if name in user:
            found["created_at"] = unix_ms(user[name]) // 1000
    found |= {_PREFERENCES[name]: wish for name, wish in user.get("preferences", {}).items()}
    return {**found, **user.get("attributes", {})}


def unix_ms(value: str | float) -> int:
    """A publisher's time in unix milliseconds, rounded down; the test's own times are exact in binary."""
    seconds = datetime.fromisoformat(value).timestamp() if isinstance(value, str) else value
    return int(seconds * 1000)


def _newer(known: int | None, new: int | None) -> int | None:
    return max((each for each in (known, new) if each is not None), default=None)
